"""Sheets of an .xls of Excel 97–2003: python-calamine."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from python_calamine import CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from guarantees.workbooks import limits
from guarantees.workbooks.errors import WorkbookRefused
from guarantees.workbooks.merged import Range

_CELLS: Final = 20_000_000  # of a sheet, blank ones between included


class XlsSheet:
    """One sheet. A formula is what it last came to, as Excel has saved it.

    The reader cannot tell a cell that shows an error from a blank one.
    """

    serial_offset = 0

    def __init__(self, sheet: CalamineSheet, is_visible: bool) -> None:
        self._sheet = sheet
        self.name = sheet.name
        self.is_visible = is_visible
        self.merged: list[Range] = []

    def scan(self) -> None:
        """Look for merged cells."""
        ranges = self._sheet.merged_cell_ranges or []
        self.merged = [
            Range(top + 1, left + 1, bottom + 1, right + 1)
            for (top, left), (bottom, right) in ranges[: limits.MERGED_RANGES]
        ]

    def top(self, count: int) -> Iterator[list[object]]:
        """The first ``count`` rows, as wide as the sheet."""
        if self._sheet.total_height * self._sheet.total_width > _CELLS:
            raise WorkbookRefused(
                f"The sheet “{self.name}” is mostly blank and too large; save it anew as .xlsx.",
                code="workbook_too_large",
            )
        return self._read(None, count)

    def rows(self, width: int) -> Iterator[list[object]]:
        """All rows from the first on, blank ones too, cut to ``width`` columns."""
        return self._read(width, None)

    def _read(self, width: int | None, count: int | None) -> Iterator[list[object]]:
        # rows and columns before the first cell are part of the sheet
        for row in self._sheet.to_python(skip_empty_area=False, nrows=count):
            yield [_value(cell) for cell in row[:width]]


class XlsBook:
    """An open .xls that `opening.guard` has let in."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._book = CalamineWorkbook.from_filelike(file)

    def sheets(self) -> list[XlsSheet]:
        visible = [
            found.visible == SheetVisibleEnum.Visible for found in self._book.sheets_metadata
        ]
        return [
            XlsSheet(self._book.get_sheet_by_index(index), is_visible)
            for index, is_visible in enumerate(visible[: limits.SHEETS])
        ]

    def close(self) -> None:
        self._book.close()


def _value(cell: object) -> object:
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)  # the format knows no whole numbers
    return cell
