"""Readers: a file becomes a stream of records and rejections, in constant memory (SPEC §7).

The format is told by the content, where the content tells it, then by the file's suffix.
"""

from __future__ import annotations

from collections.abc import Sequence
from io import BufferedReader
from pathlib import Path

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

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
#: How files begin that people send by mistake.
_FOREIGN = {
    b"\x89PNG": gettext_noop("a picture"),
    b"\xff\xd8\xff": gettext_noop("a picture"),
    b"GIF8": gettext_noop("a picture"),
    b"%PDF": gettext_noop("a PDF document"),
    b"PK\x03\x04": gettext_noop("an Excel workbook or another packed file"),
    b"\xd0\xcf\x11\xe0": gettext_noop("an old Office document"),
    b"\x1f\x8b": gettext_noop("a packed file"),
    b"BZh": gettext_noop("a packed file"),
    b"\xfd7zXZ": gettext_noop("a packed file"),
    b"7z\xbc\xaf": gettext_noop("a packed file"),
    b"\x7fELF": gettext_noop("a program"),
    b"MZ\x90": gettext_noop("a program"),
}
_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")


class TextSource(Source):
    """A text file holds one table, whose name it does not tell."""

    def __init__(self, file: TextFile, table: SourceTable, name: str) -> None:
        self.format = name
        self.encoding = file.encoding.removesuffix("-sig")
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
    for magic, what in _FOREIGN.items():
        if head.startswith(magic):
            raise ImportRefused(
                _(
                    "%(path)s is %(what)s, whatever its name says; send CSV, JSON or a "
                    "SQLite database."
                )
                % {"path": path, "what": _(what)},
                code="not_readable",
            )
    suffix = path.suffix.lower()
    text = TextFile(file, head)
    if text.start.startswith("["):
        return TextSource(text, JsonArray(text), "JSON array")
    if text.start.startswith("{") or suffix in _JSON_SUFFIXES:
        return TextSource(text, JsonLines(text), "JSON lines")
    if suffix in _DATABASE_SUFFIXES:
        raise ImportRefused(
            _("%(path)s is no SQLite database, or it is encrypted.") % {"path": path},
            code="not_a_database",
        )
    if not text.start.strip("\x00"):
        raise ImportRefused(
            _("%(path)s holds nothing but white space.") % {"path": path}, code="empty_file"
        )
    return TextSource(text, CsvFile(text, path.name), "CSV")
