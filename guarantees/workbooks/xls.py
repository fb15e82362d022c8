"""Sheets of an .xls of Excel 97–2003: python-calamine."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final

from django.utils.translation import gettext as _
from python_calamine import CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from guarantees.workbooks import limits
from guarantees.workbooks.biff import SheetFacts, read_facts
from guarantees.workbooks.cells import error_cell
from guarantees.workbooks.compound import workbook_stream
from guarantees.workbooks.merged import Range
from guarantees.workbooks.opening import too_large

_CELLS: Final = 4_000_000  # of a sheet, blank ones between included


class XlsSheet:
    """One sheet. A formula is what it last came to, as Excel has saved it.

    The reader takes a cell that shows an error for a blank one; ``facts`` tell them apart.
    """

    serial_offset = 0

    def __init__(self, sheet: CalamineSheet, is_visible: bool, facts: SheetFacts) -> None:
        self._sheet = sheet
        self._errors = facts.errors
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
        return self._read(None, count)

    def rows(self, width: int) -> Iterator[list[object]]:
        """All rows from the first on, blank ones too, cut to ``width`` columns."""
        return self._read(width, None)

    def _read(self, width: int | None, count: int | None) -> Iterator[list[object]]:
        # rows and columns before the first cell are part of the sheet
        for number, row in enumerate(self._sheet.to_python(skip_empty_area=False, nrows=count)):
            cells = [_value(cell) for cell in row[:width]]
            for column, shown in self._errors.get(number, {}).items():
                if column < len(cells):
                    cells[column] = error_cell(shown)
            yield cells


class XlsBook:
    """An open .xls that `opening.guard` has let in."""

    def __init__(self, file: io.BufferedReader) -> None:
        content = file.read()
        self._facts = read_facts(workbook_stream(content))
        for facts in self._facts:
            if facts.height * facts.width > _CELLS:
                raise too_large(_("A sheet is mostly blank and too large; save it anew as .xlsx."))
        self._book = CalamineWorkbook.from_filelike(io.BytesIO(content))

    def sheets(self) -> list[XlsSheet]:
        found = self._book.sheets_metadata
        if len(found) != len(self._facts):
            raise ValueError("the sheets are not those that are listed")
        return [
            XlsSheet(
                self._book.get_sheet_by_index(index),
                sheet.visible == SheetVisibleEnum.Visible,
                self._facts[index],
            )
            for index, sheet in enumerate(found[: limits.SHEETS])
            if sheet.typ == SheetTypeEnum.WorkSheet
        ]

    def close(self) -> None:
        self._book.close()


def _value(cell: object) -> object:
    if cell == "":
        return None
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return int(cell)  # the format knows no whole numbers
    return cell
