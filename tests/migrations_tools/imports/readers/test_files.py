"""What is no file to import is refused, at once and with a code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.readers import open_source
from tests.migrations_tools.imports.readers.reading import read, values, write


def refusal(path: Path) -> str:
    with pytest.raises(ImportRefused) as refused:
        open_source(path)
    assert refused.value.message.endswith(".")
    return refused.value.code


def test_a_missing_file(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.jsonl") == "file_not_found"


def test_a_folder(tmp_path: Path) -> None:
    assert refusal(tmp_path) == "not_a_file"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    assert refusal(tmp_path / "pipe.jsonl") == "not_a_file"


def test_a_device() -> None:
    assert refusal(Path("/dev/zero")) == "not_a_file"


def test_a_name_no_file_can_have() -> None:
    assert refusal(Path("a\x00b")) == "file_unreadable"


def test_an_empty_file(tmp_path: Path) -> None:
    assert refusal(write(tmp_path / "empty.csv", "")) == "empty_file"


def test_a_file_of_white_space(tmp_path: Path) -> None:
    assert refusal(write(tmp_path / "blank.csv", " \n\t\n")) == "empty_file"


def test_a_text_that_calls_itself_a_database(tmp_path: Path) -> None:
    assert refusal(write(tmp_path / "old.sqlite", "id,name\n1,a\n")) == "not_a_database"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("lines.csv", '{"a": 1}\n{"a": 2}\n'),
        ("array.csv", '[{"a": 1}, {"a": 2}]'),
        ("table.dat", "a\n1\n2\n"),
    ],
)
def test_the_content_tells_the_format_before_the_name_does(
    tmp_path: Path, name: str, content: str
) -> None:
    assert [int(row["a"]) for row in values(read(write(tmp_path / name, content)))] == [1, 2]
