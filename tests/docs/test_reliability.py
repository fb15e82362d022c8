"""The tests that docs/reliability.md names exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from django.conf import settings

ROOT = Path(settings.BASE_DIR)
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
FAULTS = ROOT / "tests" / "faults"


def faults_tested_in(path: Path) -> set[str]:
    found = ast.parse(path.read_text(encoding="utf-8")).body
    return {
        item.name
        for item in found
        if isinstance(item, ast.FunctionDef) and item.name.startswith("test_")
    }


def test_every_line_of_the_tables_names_a_test_that_exists() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("| ") and "fault |" not in line]
    assert len(lines) > 10
    for line in lines:
        (named,) = re.findall(r"`([\w/]+\.py)::(\w+)` \| \S.* \| \S.* \|$", line)
        path = ROOT / named[0] if "/" in named[0] else FAULTS / named[0]
        assert named[1] in faults_tested_in(path), named


def test_every_test_of_a_fault_is_in_a_table() -> None:
    named = set(re.findall(r"`(test_\w+\.py)::(\w+)`", TEXT))
    there = {
        (path.name, name) for path in FAULTS.glob("test_*.py") for name in faults_tested_in(path)
    }
    assert there - named == set()
