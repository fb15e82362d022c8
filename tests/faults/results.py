"""`python -m tests.faults.results FOLDER [--write]`: what the fault suite did on each PostgreSQL.

FOLDER holds what pytest wrote with ``--junitxml``, in files named after the version: ``18-….xml``,
``15-….xml``. The last columns of the tables of docs/reliability.md are printed, or written there:
how long the test took where it passed, ``failed``, or ``–`` where it did not run.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "reliability.md"
VERSIONS: Final = ("18", "15")
NOT_RUN: Final = "–"

#: A line of the tables: fault, result, test, and a column for each version.
LINE: Final = re.compile(r"^(\| .* \| `([\w/]+)\.py::(\w+)` \|).*$", re.MULTILINE)

#: (version, module, test) to the seconds of its cases; infinite where one failed.
Seconds = dict[tuple[str, str, str], float]


def main(arguments: list[str] | None = None) -> int:
    """Exit code 1 where a named test failed, or ran on no version at all."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.results", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--write", action="store_true", help="Into docs/reliability.md.")
    given = parser.parse_args(arguments)
    text = with_results(DOCUMENT.read_text(encoding="utf-8"), read_results(given.folder))
    if given.write:
        DOCUMENT.write_text(text, encoding="utf-8")
    faults = [match.group(0) for match in LINE.finditer(text)]
    sys.stdout.write("\n".join(faults) + "\n")
    missing = f"| {' | '.join([NOT_RUN] * len(VERSIONS))} |"
    return int(any("failed" in line.rsplit("`", 1)[1] or line.endswith(missing) for line in faults))


def read_results(folder: Path) -> Seconds:
    """The results of all files of the folder; a test's cases are added up."""
    found: Seconds = defaultdict(float)
    for path in sorted(folder.glob("*.xml")):
        version = path.name.partition("-")[0]
        for case in ElementTree.parse(path).iter("testcase"):  # noqa: S314
            if case.find("skipped") is not None:
                continue
            failed = case.find("failure") is not None or case.find("error") is not None
            name = case.get("name", "").partition("[")[0]
            seconds = float("inf") if failed else float(case.get("time", "0"))
            found[version, case.get("classname", ""), name] += seconds
    return found


def with_results(text: str, results: Seconds) -> str:
    """The document with the columns of the versions filled in."""

    def filled(match: re.Match[str]) -> str:
        path, name = match.group(2), match.group(3)
        module = path.replace("/", ".") if "/" in path else f"tests.faults.{path}"
        cells = [_cell(results.get((version, module, name))) for version in VERSIONS]
        return f"{match.group(1)} {' | '.join(cells)} |"

    return LINE.sub(filled, text)


def _cell(seconds: float | None) -> str:
    if seconds is None:
        return NOT_RUN
    return "failed" if seconds == float("inf") else f"{seconds:.1f} s"


if __name__ == "__main__":
    sys.exit(main())
