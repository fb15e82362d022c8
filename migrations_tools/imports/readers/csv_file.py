"""CSV: a header, then one row per record; a record may span several physical lines."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator

from django.utils.translation import gettext as _

from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.readers.base import MAX_ROW, Item, Record, Rejection, SourceTable
from migrations_tools.imports.readers.files import TextFile
from migrations_tools.imports.readers.json_lines import invalid_encoding
from migrations_tools.imports.readers.text import repaired

_DELIMITERS = ",;\t|"  # the first that gives the most columns
csv.field_size_limit(MAX_ROW)  # of the whole process; the library's own is 128 KiB


class CsvFile(SourceTable):
    """Blank cells and ``null_words`` are None, rows of blank cells are no rows.

    A row that cannot be read – a quote that is never closed, another number of cells than the
    header – is rejected with its first physical line alone; reading goes on with the next line.
    """

    def __init__(self, file: TextFile, file_name: str) -> None:
        self._file = file
        self._lines = _PhysicalLines(file)
        header = next((line for line in self._lines if line.strip()), "")
        self._delimiter = max(_DELIMITERS, key=lambda sign: len(self._cells(header, sign)))
        self._lines.put_back(self._lines.taken[-1:])
        try:
            names = [cell.strip() for cell in next(self._reader())]
        except (csv.Error, StopIteration) as error:
            raise ImportRefused(
                _("The first row of %(file_name)s is no CSV header: %(error)s.")
                % {"file_name": file_name, "error": error},
                code="no_header",
            ) from error
        while names and not names[-1]:
            names.pop()
        twice = sorted({name for name in names if name and names.count(name) > 1})
        if twice:
            raise ImportRefused(
                _("The header of %(file_name)s has columns of the same name: %(twice)s.")
                % {"file_name": file_name, "twice": ", ".join(twice)},
                code="duplicate_column",
            )
        self.heading = repaired(header.rstrip("\r\n"), file.encoding) or ""
        self.columns: list[str] = [name or f"column {index}" for index, name in enumerate(names, 1)]

    def position(self) -> float:
        return self._file.position()

    def __iter__(self) -> Iterator[Item]:
        lines = self._lines
        reader = self._reader()
        width = len(self.columns)
        while True:
            lines.taken.clear()
            lines.sound = True
            number = lines.number + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except (csv.Error, _TooLongError) as error:
                reader = self._skip_one_line()
                yield Rejection(number, "invalid_csv", f"{error}.", lines.taken[0])
                continue
            while len(cells) > width and not cells[-1]:
                cells.pop()
            text = lines.taken[0] if len(lines.taken) == 1 else "".join(lines.taken)
            if not any(cells):
                continue
            if not lines.sound:
                yield invalid_encoding(number, text)
            elif len(cells) != width:
                reader = self._skip_one_line()
                detail = _("The row has %(cells)s cells, the header %(width)s.") % {
                    "cells": len(cells),
                    "width": width,
                }
                yield Rejection(number, "column_count", detail, lines.taken[0])
            else:
                values = {
                    name: None if not cell or cell.strip() in self.null_words else cell
                    for name, cell in zip(self.columns, cells, strict=True)
                }
                yield Record(number, values, text.rstrip("\r\n"))

    def _reader(self) -> Iterator[list[str]]:
        return csv.reader(self._lines, delimiter=self._delimiter, strict=True)

    def _skip_one_line(self) -> Iterator[list[str]]:
        """Give back all lines of the record but its first; a reader that starts there."""
        self._lines.put_back(self._lines.taken[1:])
        return self._reader()

    @staticmethod
    def _cells(header: str, delimiter: str) -> list[str]:
        return next(csv.reader([header], delimiter=delimiter), [])


class _TooLongError(ValueError):
    pass


class _PhysicalLines(Iterator[str]):
    """The lines of a file with their count; ``taken`` are those of the current record."""

    def __init__(self, file: TextFile) -> None:
        self._readline = file.rewound(newline="").readline
        self._encoding = file.encoding
        self._put_back: deque[str] = deque()
        self._length = 0
        self.number = 0
        self.taken: list[str] = []
        self.sound = True

    def __next__(self) -> str:
        line = self._put_back.popleft() if self._put_back else self._readline(MAX_ROW)
        if not line:
            raise StopIteration
        rest = line
        while len(rest) == MAX_ROW and not rest.endswith(("\r", "\n")):
            rest = self._readline(MAX_ROW)
        self._length = self._length + len(line) if self.taken else len(line)
        self.number += 1
        self.taken.append(line)
        if self._length >= MAX_ROW:
            raise _TooLongError(
                _("The row is longer than %(max_row)s million characters")
                % {"max_row": MAX_ROW // 2**20}
            )
        text = repaired(line, self._encoding)
        if text is None:
            self.sound = False
            return line
        return text

    def put_back(self, lines: list[str]) -> None:
        self._put_back.extendleft(reversed(lines))
        self.number -= len(lines)
        del self.taken[len(self.taken) - len(lines) :]
