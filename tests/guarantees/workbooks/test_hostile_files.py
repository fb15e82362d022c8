"""Files that nobody vouches for: each is refused with a code, and quickly."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]  # the package has no types
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guarantees.workbooks import limits, open_workbook
from migrations_tools.exceptions import ImportRefused
from tests.guarantees.workbooks.files import HEADINGS, ROW, rewritten, xlsx
from tests.guarantees.workbooks.xls import xls


def good(path: Path) -> Path:
    return xlsx(path, HEADINGS, ROW)


def written(content: bytes) -> Callable[[Path], Path]:
    def write(path: Path) -> Path:
        path.write_bytes(content)
        return path

    return write


def with_part(name: str, content: bytes = b"x") -> Callable[[Path], Path]:
    def add(path: Path) -> Path:
        with zipfile.ZipFile(good(path), "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(name, content)
        return path

    return add


def with_sheet(old: bytes, new: bytes) -> Callable[[Path], Path]:
    def edit(path: Path) -> Path:
        return rewritten(
            good(path),
            lambda name, part: part.replace(old, new) if "sheet1" in name else part,
        )

    return edit


def without_(part: str, path: Path) -> Path:
    return rewritten(path, lambda name, content: None if part in name else content)


def without(part: str) -> Callable[[Path], Path]:
    return lambda path: without_(part, good(path))


def cut_short(path: Path) -> Path:
    content = good(path).read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return path


def encrypted_part(path: Path) -> Path:
    content = bytearray(good(path).read_bytes())
    for start in range(len(content) - 4):
        if content[start : start + 4] == b"PK\x01\x02":
            content[start + 8] |= 1
    path.write_bytes(bytes(content))
    return path


def with_circle(content: bytes) -> bytes:
    """The chain of the workbook's sectors bites its tail."""
    end = content.rindex(b"\xfe\xff\xff\xff", 512, 1024)  # in the table of sectors
    return content[:end] + (2).to_bytes(4, "little") + content[end + 4 :]


def far_away(content: bytes) -> bytes:
    """The cell in the second row and the last column moves to the last row."""
    return content.replace(b"\x01\x00\xff\x00", b"\xff\xff\xff\x00")


def declared_larger(path: Path) -> Path:
    return with_part("xl/media/bomb.bin", b"\0" * (limits.LARGE_PART_BYTES + 1))(path)


ENTITIES = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'

HOSTILE: dict[str, tuple[Callable[[Path], Path], str]] = {
    "empty": (written(b""), "empty_file"),
    "text": (written(b"Guarantee No,Supplier\nLG-1,S\n"), "no_workbook"),
    "web page": (written(b"<html><table>"), "no_workbook"),
    "pdf": (written(b"%PDF-1.7"), "no_workbook"),
    "other archive": (without("xl/workbook.xml"), "no_workbook"),
    "binary workbook": (
        lambda path: with_part("xl/workbook.bin")(path) and without_("xl/workbook.xml", path),
        "no_workbook",
    ),
    "macros": (with_part("xl/vbaProject.bin"), "macros_in_workbook"),
    "old macros": (with_part("xl/macrosheets/sheet1.xml"), "macros_in_workbook"),
    "xls macros": (written(xls({"A": [HEADINGS]}, stream="_VBA_PROJECT")), "macros_in_workbook"),
    "encrypted": (
        written(xls({"A": [HEADINGS]}, stream="EncryptedPackage")),
        "encrypted_workbook",
    ),
    "encrypted part": (encrypted_part, "encrypted_workbook"),
    "no workbook in it": (written(xls({"A": [HEADINGS]}, stream="Other")), "damaged_workbook"),
    "sectors in a circle": (written(with_circle(xls({"A": [HEADINGS]}))), "damaged_workbook"),
    "one cell far away": (
        written(far_away(xls({"A": [HEADINGS, [*[None] * 255, 1]]}))),
        "workbook_too_large",
    ),
    "cut short": (cut_short, "damaged_workbook"),
    "no sheet": (without("sheet1.xml"), "damaged_workbook"),
    "no such text": (
        with_sheet(b't="inlineStr"><is><t>LG-1</t></is>', b't="s"><v>9</v>'),
        "damaged_workbook",
    ),
    "broken XML": (with_sheet(b"</sheetData>", b"</sheet"), "damaged_workbook"),
    "entities": (with_sheet(b"<worksheet", ENTITIES + b"<worksheet"), "damaged_workbook"),
    "UTF-16": (
        lambda path: rewritten(
            good(path),
            lambda name, part: part.decode().encode("utf-16") if "sheet1" in name else part,
        ),
        "damaged_workbook",
    ),
    "bomb": (declared_larger, "workbook_too_large"),
    "row far below": (with_sheet(b'<row r="2"', b'<row r="99999999999"'), "too_many_rows"),
    "column far right": (with_sheet(b'r="F1"', b'r="ZZZ1"'), "too_many_columns"),
    "no headings": (lambda path: xlsx(path, ("a", "b"), (1, 2)), "no_headings"),
    "no bank": (lambda path: xlsx(path, ("Guarantee No", "Amount"), (1, 2)), "missing_column"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_it_is_refused_with_its_reason(name, tmp_path):
    make, code = HOSTILE[name]
    with pytest.raises(ImportRefused) as refused:
        read(make(tmp_path / "file.xlsx"))
    assert refused.value.code == code
    assert str(tmp_path) not in refused.value.message or code == "empty_file"


def read(path: Path) -> list[Any]:
    with open_workbook(path) as workbook:
        return list(workbook.rows())


def test_rows_and_bytes_are_limited(tmp_path, monkeypatch):
    file = xlsx(tmp_path / "a.xlsx", HEADINGS, ROW, ROW, ROW)
    monkeypatch.setattr(limits, "ROWS", 2)
    with pytest.raises(ImportRefused, match="more than 2 rows"):
        read(file)
    monkeypatch.setattr(limits, "FILE_BYTES", 1_000)
    with pytest.raises(ImportRefused, match="at most 1,000 are read"):
        read(file)


def test_what_is_read_in_one_piece_is_limited(tmp_path, monkeypatch):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        sheet = book.add_worksheet()
        for number, row in enumerate((HEADINGS, ROW)):
            sheet.write_row(number, 0, row)
    assert len(read(tmp_path / "a.xlsx")) == 1
    monkeypatch.setattr(limits, "TEXTS", 11)
    with pytest.raises(ImportRefused, match="more than 11 different texts"):
        read(tmp_path / "a.xlsx")
    monkeypatch.setattr(limits, "TEXTS", 12)
    monkeypatch.setattr(limits, "ROW_BYTES", 100 - 2**20)
    with pytest.raises(ImportRefused, match="a row of more bytes"):
        read(tmp_path / "a.xlsx")


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(ImportRefused) as refused:
        read(xlsx(tmp_path / "a.xlsx", ("Guarantee No", "Supplier", "Amount"), (1, 2, 3)))
    assert "no column for bank and contract or purchase order" in refused.value.message


def test_no_file_and_no_such_sheet(tmp_path):
    with pytest.raises(ImportRefused, match="There is no file"):
        read(tmp_path / "none.xlsx")
    with (
        pytest.raises(ImportRefused, match="no sheet “X”"),
        open_workbook(good(tmp_path / "a.xlsx"), sheet="X"),
    ):
        pass


def test_a_file_that_changes_while_it_is_read_is_found(tmp_path):
    file = good(tmp_path / "a.xlsx")
    with open_workbook(file) as workbook:
        list(workbook.rows())
        workbook.require_unchanged()
        with file.open("ab") as changed:
            changed.write(b"x")
        with pytest.raises(ImportRefused, match="changed while"):
            workbook.require_unchanged()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    old=st.booleans(),
    changes=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=6),
)
def test_damaged_bytes_are_read_or_refused(old, changes, tmp_path):
    file = tmp_path / "a.xlsx"
    content = bytearray(xls({"A": [HEADINGS, ROW]}) if old else good(file).read_bytes())
    for share, byte in changes:
        content[int(share * len(content))] = byte
    file.write_bytes(bytes(content))
    with suppress(ImportRefused):
        assert all(row.cells for row in read(file))
