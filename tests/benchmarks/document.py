"""docs/benchmarks.md: the words are kept, what stands between the marks is replaced."""

from __future__ import annotations

from tests.benchmarks.databases import ROOT
from tests.benchmarks.results import Results

DOCUMENT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


def write_document(results: Results) -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    measured = f"{BEGIN}\n\n{results.as_markdown()}\n\n{END}"
    DOCUMENT.write_text(f"{head}{measured}{tail}", encoding="utf-8")
