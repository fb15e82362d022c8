"""Tables that leave the house as CSV or Excel files, row by row and safe against formulas.

A spreadsheet runs a cell that begins with ``=`` as a formula. Texts that could be taken for one are
kept as texts: in CSV behind an apostrophe (OWASP "CSV Injection"), in Excel as cells of type text.
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import IO, Any, Final

import xlsxwriter  # type: ignore[import-untyped]  # has no types
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError

#: What makes a spreadsheet take a text for a formula, also behind spaces and in full width.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
#: Excel's own limits.
_MOST_ROWS: Final = 1_048_576
_LONGEST_TEXT: Final = 32_767


class TooManyRows(CarryoverError):
    """An Excel sheet does not hold them."""

    code = "too_many_rows"
    http_status = 422


class _Echo:
    """A file whose `write` gives the text back."""

    def write(self, text: str) -> str:
        return text


def csv_lines(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """Lines of a CSV file, the first with a byte order mark so that Excel reads UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow([csv_cell(text) for text in headings]))
    for row in rows:
        yield str(writer.writerow([csv_cell(value) for value in row]))


def csv_cell(value: Any) -> Any:
    """A value as a CSV cell; numbers stay numbers, texts never become formulas."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float | Decimal):
        return value
    if isinstance(value, datetime | date | time):
        return _local(value).isoformat()
    text = str(value)
    return "'" + text if text.lstrip(" \u00a0").startswith(_FORMULA) else text


def xlsx_file(
    headings: Sequence[str], rows: Iterable[Sequence[Any]], *, right_to_left: bool = False
) -> IO[bytes]:
    """An Excel file of one sheet, made in constant memory and read from its start.

    Raises TooManyRows where a sheet cannot hold the rows.
    """
    made: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=5_000_000)  # noqa: SIM115 - returned
    book = xlsxwriter.Workbook(
        made,
        {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "nan_inf_to_errors": True,
        },
    )
    sheet = book.add_worksheet()
    if right_to_left:
        sheet.right_to_left()
    formats = {
        "instant": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
        "date": book.add_format({"num_format": "yyyy-mm-dd"}),
    }
    bold = book.add_format({"bold": True})
    for column, text in enumerate(headings):
        sheet.write_string(0, column, text, bold)
    sheet.freeze_panes(1, 0)
    try:
        for number, row in enumerate(rows, start=1):
            if number >= _MOST_ROWS:
                raise TooManyRows(
                    _(
                        "An Excel sheet holds at most %(most_rows)s rows: export as CSV instead, "
                        "or filter the list."
                    )
                    % {"most_rows": f"{_MOST_ROWS - 1:,}"}
                )
            for column, value in enumerate(row):
                _write_cell(sheet, number, column, value, formats)
    finally:
        book.close()
    made.seek(0)
    return made


def _write_cell(sheet: Any, row: int, column: int, value: Any, formats: dict[str, Any]) -> None:
    if value is None or value == "":
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value)
    elif isinstance(value, int | float | Decimal) and abs(float(value)) < 1e15:
        sheet.write_number(row, column, value)
    elif isinstance(value, datetime):
        local = _local(value).replace(tzinfo=None)
        sheet.write_datetime(row, column, local, formats["instant"])
    elif isinstance(value, date) and value.year >= 1900:
        sheet.write_datetime(row, column, value, formats["date"])
    else:
        sheet.write_string(row, column, str(value)[:_LONGEST_TEXT])


def _local(value: Any) -> Any:
    """An instant in the organisation's time zone."""
    if isinstance(value, datetime) and timezone.is_aware(value):
        return timezone.localtime(value)
    return value
