"""CSV: headers, physical lines, damaged quotes."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_tools.exceptions import ImportRefused
from migrations_tools.imports.readers.base import MAX_ROW, Record
from tests.migrations_tools.imports.readers.reading import read, rejections, values, write

cells = st.text(st.characters(codec="utf-8"), max_size=8)


@given(st.lists(st.tuples(cells, cells, cells), max_size=8), st.sampled_from(["\r\n", "\n"]))
def test_what_a_writer_wrote_is_read(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, ...]], end: str
) -> None:
    file = io.StringIO()
    writer = csv.writer(file, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([("id", "name", "note"), *rows])
    path = write(tmp_path_factory.mktemp("csv") / "a.csv", file.getvalue())
    items = read(path)
    assert not rejections(items)
    assert [tuple(row.values()) for row in values(items)] == [
        tuple(cell or None for cell in row) for row in rows if any(row)
    ]


def test_records_over_several_lines_are_told_by_their_first_physical_line(tmp_path: Path) -> None:
    items = read(write(tmp_path / "a.csv", 'id,note\n1,"a\nb\n\nc"\n\n2,d\n'))
    assert [(item.line, item.values) for item in items if isinstance(item, Record)] == [
        (2, {"id": "1", "note": "a\nb\n\nc"}),
        (7, {"id": "2", "note": "d"}),
    ]
    assert isinstance(items[0], Record)
    assert items[0].text == '1,"a\nb\n\nc"'


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1256"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encodings_and_delimiters(tmp_path: Path, encoding: str, delimiter: str) -> None:
    text = delimiter.join(["رقم", "اسم البنك"]) + "\n" + delimiter.join(["1", "بنك الرياض"]) + "\n"
    path = write(tmp_path / "a.csv", text.encode(encoding))
    assert values(read(path)) == [{"رقم": "1", "اسم البنك": "بنك الرياض"}]


@pytest.mark.parametrize(
    ("damaged", "code"),
    [
        ('2,"never closed', "invalid_csv"),
        ('2,"closed" too early', "invalid_csv"),
        ("2", "column_count"),
        ("2,b,c", "column_count"),
    ],
)
def test_a_damaged_row_loses_nothing_but_itself(tmp_path: Path, damaged: str, code: str) -> None:
    items = read(write(tmp_path / "a.csv", f'id,note\n1,"a"\n{damaged}\n3,"c"\n4,d'))
    assert values(items) == [
        {"id": "1", "note": "a"},
        {"id": "3", "note": "c"},
        {"id": "4", "note": "d"},
    ]
    assert rejections(items) == [(3, code)]


def test_a_quote_that_swallows_whole_rows_gives_them_back(tmp_path: Path) -> None:
    items = read(write(tmp_path / "a.csv", 'id,note\n1,"open\n2,b\n3,"",c\n4,d\n'))
    assert values(items) == [{"id": "2", "note": "b"}, {"id": "4", "note": "d"}]
    assert rejections(items) == [(2, "invalid_csv"), (4, "column_count")]


def test_bytes_that_are_no_text_lose_one_row(tmp_path: Path) -> None:
    items = read(write(tmp_path / "a.csv", b"id,note\n1,a\n2,\xff\xfe\n3,c\n"))
    assert values(items) == [{"id": "1", "note": "a"}, {"id": "3", "note": "c"}]
    assert rejections(items) == [(3, "invalid_encoding")]


def test_a_row_that_is_too_long_loses_nothing_but_itself(tmp_path: Path) -> None:
    long = "x" * (MAX_ROW + 10)
    items = read(write(tmp_path / "a.csv", f"id,note\n1,a\n2,{long}\n3,c\n"))
    assert values(items) == [{"id": "1", "note": "a"}, {"id": "3", "note": "c"}]
    assert rejections(items) == [(3, "invalid_csv")]


def test_nul_is_a_character_like_others(tmp_path: Path) -> None:
    assert values(read(write(tmp_path / "a.csv", "id,note\n1,a\x00b\n"))) == [
        {"id": "1", "note": "a\x00b"}
    ]


def test_columns_of_the_same_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ImportRefused) as refused:
        read(write(tmp_path / "a.csv", "id,note,note\n1,a,b\n"))
    assert refused.value.code == "duplicate_column"


def test_blank_columns_at_the_end_are_nothing(tmp_path: Path) -> None:
    assert values(read(write(tmp_path / "a.csv", "\n\nid,,note,,\n1,x,a,,\n,,,,\n"))) == [
        {"id": "1", "column 2": "x", "note": "a"}
    ]
