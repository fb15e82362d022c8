"""``manage.py import_legacy``: answers, exit codes, one object on standard output."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from tests.migrations_tools.imports.importing import lines

pytestmark = pytest.mark.usefixtures("staging")


def run(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, str]:
    """Exit code and standard output."""
    code = 0
    try:
        call_command("import_legacy", *map(str, arguments))
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    return code, capsys.readouterr().out


def test_the_answer_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lines(tmp_path / "notes.jsonl", {"id": 1}, {"id": 2})
    code, out = run(capsys, "notes", path, "--json")
    assert code == 0
    assert json.loads(out) == {
        "kind": "notes",
        "file": "notes.jsonl",
        "read": 2,
        "imported": 2,
        "updated": 0,
        "unchanged": 0,
        "rejected": [],
        "rejected_count": 0,
    }


def test_rejected_lines_and_several_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = lines(tmp_path / "notes.jsonl", {"id": 1})
    bad = lines(tmp_path / "old_notes.jsonl", {"id": 2}, "broken", {"id": 3})
    code, out = run(capsys, "notes", good, bad, "--json")
    assert code == 2
    first, second = json.loads(out)["files"]
    assert (first["imported"], first["rejected"]) == (1, [])
    assert (second["imported"], second["rejected_count"]) == (2, 1)
    [line] = second["rejected"]
    assert (line["table"], line["line"], line["code"]) == ("old_notes", 2, "invalid_json")
    assert line["detail"].endswith(".")


def test_the_answer_for_a_person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = lines(tmp_path / "x.jsonl", {"id": 2}, "broken")
    code, out = run(capsys, "notes", path, "--table", "notes")
    assert code == 2
    assert out.splitlines() == [
        "x.jsonl: 2 rows read, 1 imported, 0 updated, 0 unchanged, 1 rejected.",
        "  notes, line 2: invalid_json – Expecting value at character 1.",
    ]


@pytest.mark.parametrize(("name", "code"), [("none.jsonl", "file_not_found"), (".", "not_a_file")])
def test_a_refusal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, code: str
) -> None:
    exit_code, out = run(capsys, "notes", tmp_path / name, "--json")
    assert exit_code == 1
    error = json.loads(out)["error"]
    assert error["code"] == code
    assert str(tmp_path) in error["message"]


def test_usage() -> None:
    with pytest.raises(CommandError, match="FILE"):
        call_command("import_legacy", "notes")
