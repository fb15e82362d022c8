"""JSON lines: one document per physical line."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from migrations_tools.imports.readers.base import MAX_ROW, Item, Rejection, SourceTable
from migrations_tools.imports.readers.documents import DocumentParser
from migrations_tools.imports.readers.files import TextFile
from migrations_tools.imports.readers.text import repaired


class JsonLines(SourceTable):
    """Blank lines are no rows; the last line may end without a line feed."""

    def __init__(self, file: TextFile) -> None:
        self._file = file

    def position(self) -> float:
        return self._file.position()

    def __iter__(self) -> Iterator[Item]:
        parse = DocumentParser().parse
        encoding = self._file.encoding
        readline = self._file.rewound(newline="\n").readline
        number = 0
        while line := readline(MAX_ROW):
            number += 1
            if len(line) == MAX_ROW and not line.endswith("\n"):
                while (rest := readline(MAX_ROW)) and not rest.endswith("\n"):
                    pass
                yield row_too_large(number, line)
                continue
            text = repaired(line.strip(" \t\r\n"), encoding)
            if text is None:
                yield invalid_encoding(number, line)
            elif text:
                yield parse(text, number)


def row_too_large(line: int, text: str) -> Rejection:
    detail = _("The row is longer than %(max_row)s million characters.") % {
        "max_row": MAX_ROW // 2**20
    }
    return Rejection(line, "row_too_large", detail, text[:1000])


def invalid_encoding(line: int, text: str) -> Rejection:
    detail = _("The row is neither UTF-8 nor Windows-1256 text.")
    return Rejection(line, "invalid_encoding", detail, text[:1000])
