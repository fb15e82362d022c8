"""Files for spreadsheets: what a cell may be, and that no text becomes a formula."""

from __future__ import annotations

import csv
import datetime
from decimal import Decimal
from io import StringIO

import openpyxl  # type: ignore[import-untyped]  # has no types
import pytest

from migrations_tools import tables_out
from migrations_tools.tables_out import TooManyRows, csv_lines, xlsx_file

INSTANT = datetime.datetime(2025, 5, 1, 21, 30, tzinfo=datetime.UTC)


def test_texts_that_begin_like_a_formula_are_texts_in_both_files():
    texts = ["=1+1", "+1", "-1", "@x", "\tx", "\rx", " =1", "＝1", "'=1", "plain", "1-2"]
    lines = "".join(csv_lines(["=text"], [[text] for text in texts]))
    read = [row[0] for row in csv.reader(StringIO(lines.removeprefix("\ufeff"), newline=""))]
    assert read[0] == "'=text"
    assert read[1:9] == ["'" + text for text in texts[:8]]
    assert read[9:] == texts[8:]
    sheet = openpyxl.load_workbook(xlsx_file(["=text"], [[text] for text in texts])).active
    assert sheet is not None
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} == {"s"}
    assert sheet["A2"].value == "=1+1"


def test_numbers_dates_and_nothing_keep_their_kind_and_instants_are_local(settings):
    settings.TIME_ZONE = "Asia/Riyadh"
    row = [-5, Decimal("-12.50"), True, None, datetime.date(2025, 5, 1), INSTANT, 10**20]
    headings = list("abcdefg")
    line = list(csv_lines(headings, [row]))[1].strip().split(",")
    assert line == [
        "-5",
        "-12.50",
        "True",
        "",
        "2025-05-01",
        "2025-05-02T00:30:00+03:00",
        "1" + "0" * 20,
    ]
    sheet = openpyxl.load_workbook(xlsx_file(headings, [row], right_to_left=True)).active
    assert sheet is not None
    assert sheet.sheet_view.rightToLeft is True
    assert [cell.value for cell in sheet[2]] == [
        -5,
        -12.5,
        True,
        None,
        datetime.datetime(2025, 5, 1),  # noqa: DTZ001 - Excel knows no zones
        datetime.datetime(2025, 5, 2, 0, 30),  # noqa: DTZ001
        "1" + "0" * 20,
    ]


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch):
    monkeypatch.setattr(tables_out, "_MOST_ROWS", 3)
    assert xlsx_file(["n"], [[1], [2]]).read(2) == b"PK"
    with pytest.raises(TooManyRows, match="CSV instead"):
        xlsx_file(["n"], [[1], [2], [3]])
