"""Readers: a file becomes a stream of records and rejections, in constant memory (SPEC §7).

The format is told by the content, where the content tells it, then by the file's suffix.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path

from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.readers.base import Source, SourceTable
from migrations_tools.imports.readers.csv_file import CsvFile
from migrations_tools.imports.readers.files import (
    SQLITE_MAGIC,
    TextFile,
    open_regular,
    read_head,
)
from migrations_tools.imports.readers.json_array import JsonArray
from migrations_tools.imports.readers.json_lines import JsonLines
from migrations_tools.imports.readers.sqlite_file import SqliteFile

_DATABASE_SUFFIXES = (".db", ".db3", ".sqlite", ".sqlite3")
_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")


class TextSource(Source):
    """A text file holds one table, whose name it does not tell."""

    def __init__(self, file: TextFile, table: SourceTable) -> None:
        self._file = file
        self._table = table

    def tables(self) -> Sequence[SourceTable]:
        return [self._table]

    def close(self) -> None:
        self._file.close()


def open_source(path: Path) -> Source:
    """The tables of the file at ``path``. Raises ImportRefused with what is wrong with it."""
    file = open_regular(path)
    try:
        head = read_head(file)
        if head.startswith(SQLITE_MAGIC):
            file.close()
            return SqliteFile(path, head)
        return _text_source(path, file, head)
    except BaseException:
        file.close()
        raise


def _text_source(path: Path, file: BufferedReader, head: bytes) -> Source:
    suffix = path.suffix.lower()
    text = TextFile(file, head)
    if text.start.startswith("["):
        return TextSource(text, JsonArray(text))
    if text.start.startswith("{") or suffix in _JSON_SUFFIXES:
        return TextSource(text, JsonLines(text))
    if suffix in _DATABASE_SUFFIXES:
        raise ImportRefused(
            f"{path} is no SQLite database, or it is encrypted.", code="not_a_database"
        )
    if not text.start.strip("\x00"):
        raise ImportRefused(f"{path} holds nothing but white space.", code="empty_file")
    return TextSource(text, CsvFile(text, path.name))
