"""Workbooks laid out as departments do; each comes to the same guarantees."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl.utils.datetime import MAC_EPOCH  # type: ignore[import-untyped]  # no types

from guarantees.workbooks import Unreadable, open_workbook
from tests.guarantees.workbooks.files import HEADINGS, ROW, rewritten, with_results, xlsx
from tests.guarantees.workbooks.xls import Formula, xls


def read(path: Path, **asked: Any) -> list[tuple[int, dict[str, Any]]]:
    with open_workbook(path, **asked) as workbook:
        return [
            (row.number, {column.value: cell for column, cell in row.cells.items()})
            for row in workbook.rows()
        ]


def plain(path: Path) -> Path:
    return xlsx(path, HEADINGS, ROW)


def with_titles(path: Path) -> Path:
    rows = (("Ministry of Examples",), (), ("Guarantees received in 2025",), (), HEADINGS, ROW)
    return xlsx(path, *rows, merged=["A1:F1", "A3:F3"])


def with_blank_columns_and_rows(path: Path) -> Path:
    return xlsx(path, (), (), (None, None, *HEADINGS), (), (None, None, *ROW), (" ",))


def in_arabic(path: Path) -> Path:
    headings = ("رقم الضمان", "اسم المورد", "البنك", "المبلغ", "رقم العقد", "تاريخ الانتهاء")
    return xlsx(path, headings, ROW)


def in_another_order(path: Path) -> Path:
    return xlsx(path, (*reversed(HEADINGS), "Deposit"), (*reversed(ROW), "5000"))


def with_the_wrong_sheet_first(path: Path) -> Path:
    def add(book: Any) -> None:
        other = book.create_sheet("Notes", 0)
        other.append(["Bank", "Phone"])
        other.append(["Riyad Bank", "123"])

    return xlsx(path, HEADINGS, ROW, edit=add)


def with_a_hidden_sheet_first(path: Path) -> Path:
    def add(book: Any) -> None:
        other = book.create_sheet("Old", 0)
        other.append(list(HEADINGS))
        other.append(["LG-0", *ROW[1:]])
        other.sheet_state = "hidden"

    return xlsx(path, HEADINGS, ROW, edit=add)


def with_two_bank_columns(path: Path) -> Path:
    headings = (*HEADINGS[:2], "البنك", "Bank Name", *HEADINGS[3:])
    return xlsx(path, headings, (*ROW[:2], " ", *ROW[2:]))


def with_a_merged_bank_heading(path: Path) -> Path:
    headings = (*HEADINGS[:2], "Bank", None, *HEADINGS[3:])
    return xlsx(path, headings, (*ROW[:2], None, *ROW[2:]), merged=["C1:D1"])


def with_formulas(path: Path) -> Path:
    made = xlsx(path, HEADINGS, (*ROW[:3], "=1000+0.5", *ROW[4:]))
    return with_results(made, {"D2": "1000.5"})


def with_headings_again(path: Path) -> Path:
    return xlsx(path, HEADINGS, HEADINGS, ROW, HEADINGS)


def with_a_wrong_dimension(path: Path) -> Path:
    return rewritten(plain(path), lambda _, part: part.replace(b'ref="A1:F2"', b'ref="A1:A1"'))


def as_xls(path: Path) -> Path:
    path.write_bytes(xls({"Notes": [["x"]], "Guarantees": [[None], [], HEADINGS, ROW]}))
    return path


LAYOUTS: dict[Callable[[Path], Path], int] = {
    plain: 2,
    with_titles: 6,
    with_blank_columns_and_rows: 5,
    in_arabic: 2,
    in_another_order: 2,
    with_the_wrong_sheet_first: 2,
    with_a_hidden_sheet_first: 2,
    with_two_bank_columns: 2,
    with_a_merged_bank_heading: 2,
    with_formulas: 2,
    with_headings_again: 3,
    with_a_wrong_dimension: 2,
    as_xls: 4,
}


@pytest.mark.parametrize(
    ("layout", "row"), LAYOUTS.items(), ids=[made.__name__ for made in LAYOUTS]
)
def test_every_layout_gives_the_same_guarantee(layout, row, tmp_path):
    names = ("number", "supplier", "bank", "amount", "contract", "expiry_date")
    expected: dict[str, object] = dict(zip(names, ROW, strict=True))
    if layout is with_formulas:
        expected["amount"] = 1000.5
    assert read(layout(tmp_path / "file.xlsx")) == [(row, expected)]


def test_cells_keep_their_kind(tmp_path):
    def edit(book: Any) -> None:
        book.active["A2"].number_format = "000000"

    row = (17, "S", "B", 1234.56, 123456789012345, date(2025, 12, 31))
    [(_, cells)] = read(xlsx(tmp_path / "a.xlsx", HEADINGS, row, edit=edit))
    assert cells["number"] == "000017"  # as it is shown
    assert (cells["amount"], cells["contract"]) == (1234.56, 123456789012345)
    assert cells["expiry_date"].date() == date(2025, 12, 31)


def test_cells_of_an_xls_keep_their_kind(tmp_path):
    file = tmp_path / "a.xls"
    row = (17, "S", "B", Formula(1234.5), 7.5, date(2025, 12, 31))
    file.write_bytes(xls({"A": [HEADINGS, row]}))
    [(_, cells)] = read(file)
    assert list(cells.values()) == [17, "S", "B", 1234.5, 7.5, date(2025, 12, 31)]


def test_error_cells_and_formulas_without_a_result_say_so(tmp_path):
    row = ("LG-1", "=A9", "B", "#REF!", "C", "=1/0")
    made = with_results(xlsx(tmp_path / "a.xlsx", HEADINGS, row), {"F2": "#DIV/0!"})
    made = rewritten(made, lambda _, part: part.replace(b'<c r="F2"', b'<c r="F2" t="e"'))
    [(_, cells)] = read(made)
    codes = {name: cell.code for name, cell in cells.items() if isinstance(cell, Unreadable)}
    assert codes == {
        "supplier": "formula_without_value",
        "amount": "error_cell",
        "expiry_date": "error_cell",
    }
    assert "#DIV/0!" in cells["expiry_date"].message


def test_error_cells_of_an_xls_say_so(tmp_path):
    file = tmp_path / "a.xls"
    row = ("#REF!", "S", "B", 5, Formula("#N/A"), Formula(46022))
    file.write_bytes(xls({"Notes": [["#DIV/0!"]], "A": [HEADINGS, row]}))
    [(_, cells)] = read(file)
    told = {name: cell.message for name, cell in cells.items() if isinstance(cell, Unreadable)}
    assert told == {
        "number": "shows the error #REF!.",
        "contract": "shows the error #N/A.",
    }
    assert cells["expiry_date"] == 46022


def test_a_merged_supplier_is_that_of_all_its_rows_but_an_amount_is_counted_once(tmp_path):
    rows = [ROW, ("LG-2", None, "B2", None, "C-8"), ("LG-3", None, "B3", "5", "C-9"), ("", None)]
    for name, merged in (("xlsx", ["B2:B5", "D2:D3"]), ("xls", [])):
        file = tmp_path / f"a.{name}"
        if merged:
            xlsx(file, HEADINGS, *rows, merged=merged)
        else:
            file.write_bytes(xls({"A": [HEADINGS, *rows]}, merged=[(1, 4, 1, 1), (1, 2, 3, 3)]))
        found = [cells for _, cells in read(file)]
        assert [cells["supplier"] for cells in found] == ["Al Noor Trading"] * 3
        assert [cells.get("amount") for cells in found] == ["1,000.50", None, "5"]


def test_rows_that_the_file_leaves_out_count_and_end_what_was_merged(tmp_path):
    def edit(book: Any) -> None:
        for column, value in enumerate(("LG-9", None, *ROW[2:]), 1):
            book.active.cell(500_000, column, value)

    file = xlsx(tmp_path / "a.xlsx", HEADINGS, ROW, merged=["B2:B9"], edit=edit)
    (_, first), (number, last) = read(file)
    assert (number, first["supplier"]) == (500_000, "Al Noor Trading")
    assert "supplier" not in last


def test_a_sheet_can_be_named_and_others_that_fit_are_told(tmp_path):
    def add(book: Any) -> None:
        other = book.create_sheet("2024")
        other.append(list(HEADINGS))
        other.append(["LG-24", *ROW[1:]])

    file = xlsx(tmp_path / "a.xlsx", HEADINGS, ROW, edit=add)
    with open_workbook(file) as workbook:
        assert (workbook.sheet_name, workbook.other_sheets) == ("Guarantees", ["2024"])
        assert workbook.headings["bank"] == ["Bank"]
    assert [cells["number"] for _, cells in read(file, sheet="2024")] == ["LG-24"]


def test_days_of_an_old_mac_are_counted_from_its_first_day(tmp_path):
    def edit(book: Any) -> None:
        book.epoch = MAC_EPOCH

    with open_workbook(xlsx(tmp_path / "a.xlsx", HEADINGS, ROW, edit=edit)) as workbook:
        assert workbook.serial_offset == 1462


def test_headings_below_the_fifth_row_are_not_looked_for(tmp_path):
    titles = [("title",)] * 4
    assert len(read(xlsx(tmp_path / "a.xlsx", *titles, HEADINGS, ROW))) == 1
    with pytest.raises(Exception, match="no row of headings"):
        read(xlsx(tmp_path / "b.xlsx", *titles, ("title",), HEADINGS, ROW))
