"""Sheets of an .xlsx, row by row: openpyxl, read-only."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from itertools import islice, repeat
from typing import Any, Final

from django.utils.translation import gettext as _
from openpyxl import load_workbook  # type: ignore[import-untyped]  # the package has no types
from openpyxl.utils.cell import range_boundaries  # type: ignore[import-untyped]  # likewise
from openpyxl.utils.datetime import MAC_EPOCH  # type: ignore[import-untyped]  # likewise

from guarantees.workbooks import limits
from guarantees.workbooks.cells import FORMULA_WITHOUT_VALUE, error_cell
from guarantees.workbooks.merged import Range
from guarantees.workbooks.opening import too_large

_CHUNK: Final = 2**20
_OVERLAP: Final = 128  # bytes; longer than anything that is looked for
_FORMULA: Final = re.compile(rb"<(?:\w+:)?f[\s/>]")
_MERGED: Final = re.compile(
    rb"<(?:\w+:)?mergeCell\s+ref=\"([A-Z]{1,3}[0-9]{1,7}:[A-Z]{1,3}[0-9]{1,7})\""
)
_TEXT: Final = re.compile(rb"<(?:\w+:)?si[\s>/]")
_LONGEST_TAG: Final = (
    4  # bytes of the shortest one, less its last: found again at most once a piece
)
_ZEROS: Final = re.compile("0{2,40}")  # the number format of codes with leading zeros
_SERIALS_1904: Final = 1_462  # days from Excel's usual first day to that of old Macs


class XlsxSheet:
    """One sheet. A formula is what it last came to, as Excel has saved it."""

    def __init__(self, book: XlsxBook, sheet: Any) -> None:
        self._book = book
        self._sheet = sheet
        self.name = str(sheet.title)
        self.is_visible = sheet.sheet_state == "visible"
        self.serial_offset = _SERIALS_1904 if book.values.epoch == MAC_EPOCH else 0
        self.has_formulas, self.merged = False, list[Range]()
        self._is_scanned = False

    def scan(self) -> None:
        """Look for formulas and merged cells, which the row reader does not tell of.

        Refuses what would be read in one piece and is too large for that.
        """
        if self._is_scanned:
            return
        self._is_scanned = True
        since_row = 0
        for text, overlap in _pieces(self._book.file, self._path()):
            self.has_formulas = self.has_formulas or _FORMULA.search(text) is not None
            if len(self.merged) < limits.MERGED_RANGES:
                self._add_merged(text, overlap)
            row = max(text.rfind(b"<row"), text.rfind(b":row"))
            since_row = len(text) - row if row >= 0 else since_row + len(text) - overlap
            if since_row > limits.ROW_BYTES + _CHUNK:
                raise too_large(
                    _("The sheet “%(name)s” has a row of more bytes than any list.")
                    % {"name": self.name}
                )

    def _add_merged(self, text: bytes, overlap: int) -> None:
        for found in _MERGED.finditer(text):
            if found.end() > overlap:  # else it was found in the chunk before
                first_column, first_row, last_column, last_row = range_boundaries(found[1].decode())
                self.merged.append(Range(first_row, first_column, last_row, last_column))

    def _path(self) -> str:
        return str(self._sheet._worksheet_path)

    def top(self, count: int) -> Iterator[list[object]]:
        """The first ``count`` rows, as wide as they are."""
        return islice(self.rows(None), count)

    def rows(self, width: int | None) -> Iterator[list[object]]:
        """All rows from the first on, blank ones too, cut or filled to ``width`` columns.

        Of rows that the file leaves out, all but the first are without cells.
        """
        self._sheet.reset_dimensions()  # files declare wrong ones
        before = None
        for row, sources in self._sources(width):
            # the reader answers one and the same blank row for all of them
            if row is before:
                yield []
            elif sources is None:
                yield [_value(cell) for cell in row]
            else:
                yield [_result(*both) for both in zip(row, sources, strict=True)]
            before = row

    def _sources(self, width: int | None) -> Iterator[tuple[Any, Any]]:
        """Rows with what they came to, and as they were written where there are formulas."""
        values = self._sheet.iter_rows(max_col=width)
        if not self.has_formulas:
            return zip(values, repeat(None))
        twin = self._book.formulas[self.name]
        twin.reset_dimensions()
        return zip(values, twin.iter_rows(max_col=width), strict=True)


class XlsxBook:
    """An open .xlsx that `opening.guard` has let in."""

    def __init__(self, file: io.BufferedReader) -> None:
        self.file = file
        _guard_texts(file)
        self.values = load_workbook(file, read_only=True, data_only=True, keep_links=False)
        self._formulas: Any = None

    @property
    def formulas(self) -> Any:
        """The workbook once more, with formulas for values; opened where there are formulas."""
        if self._formulas is None:
            self._formulas = load_workbook(self.file, read_only=True, keep_links=False)
        return self._formulas

    def sheets(self) -> list[XlsxSheet]:
        return [XlsxSheet(self, sheet) for sheet in self.values.worksheets[: limits.SHEETS]]

    def close(self) -> None:
        for book in (self.values, self._formulas):
            if book is not None:
                book.close()


def _value(cell: Any) -> object:
    value = cell.value
    if value is None or type(value) is str:
        return error_cell(value) if cell.data_type == "e" else value
    if type(value) is int and value >= 0 and _ZEROS.fullmatch(cell.number_format):
        return str(value).zfill(len(cell.number_format))
    return value


def _result(cell: Any, source: Any) -> object:
    if cell.value is None and source.data_type == "f":
        return FORMULA_WITHOUT_VALUE
    return _value(cell)


def _pieces(file: io.BufferedReader, part: str) -> Iterator[tuple[bytes, int]]:
    """A part of the archive, piece by piece, and how much of each was in the piece before.

    Raises ValueError where it is in an encoding that nothing could be found in.
    """
    kept = b""
    with zipfile.ZipFile(file) as archive, archive.open(part) as content:
        while chunk := content.read(_CHUNK):
            if not kept and chunk[:2] in (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<"):
                raise ValueError("a part is not in UTF-8")
            yield kept + chunk, len(kept)
            kept = (kept + chunk)[-_OVERLAP:]


def _guard_texts(file: io.BufferedReader) -> None:
    """Refuses more texts than fit into memory, before they are read."""
    with zipfile.ZipFile(file) as archive:
        parts = [name for name in archive.namelist() if name.endswith("sharedStrings.xml")]
    for part in parts:
        texts = 0
        for piece, overlap in _pieces(file, part):
            texts += len(_TEXT.findall(piece[max(overlap - _LONGEST_TAG, 0) :]))
            if texts > limits.TEXTS:
                raise too_large(
                    _("The file has more than %(texts)s different texts.")
                    % {"texts": f"{limits.TEXTS:,}"}
                )
