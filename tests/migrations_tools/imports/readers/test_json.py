"""JSON lines and arrays: every document on its own."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migrations_tools.imports.readers.base import MAX_NESTING, MAX_ROW, Record, Rejection
from migrations_tools.imports.readers.documents import DocumentParser
from tests.migrations_tools.imports.readers.reading import read, rejections, values, write

scalars = st.none() | st.booleans() | st.integers() | st.text()
documents = st.dictionaries(
    st.text().filter(lambda key: not key.startswith("$")),
    st.recursive(
        scalars,
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.text().filter(lambda key: not key.startswith("$")), inner, max_size=3
            )
        ),
        max_leaves=6,
    ),
    max_size=4,
)


def parsed(text: str) -> Any:
    record = DocumentParser().parse(text, 1)
    assert isinstance(record, Record), record
    return record.values


def refused(text: str) -> str:
    rejection = DocumentParser().parse(text, 1)
    assert isinstance(rejection, Rejection), rejection
    return rejection.code


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_encodings(tmp_path: Path, encoding: str, name: str) -> None:
    rows = [{"اسم": "شركة", "n": 1}, {"اسم": "😀", "n": 2}]
    if name == "a.json":
        text = json.dumps(rows, ensure_ascii=False, indent=1)
    else:
        text = "\r\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    assert values(read(write(tmp_path / name, text.encode(encoding)))) == rows


@pytest.mark.parametrize(
    "template", ['[\n{{"a": "{}"}},\n{{"a": "b"}}]', '{{"a": "{}"}}\n{{"a": "b"}}']
)
def test_windows_1256(tmp_path: Path, template: str) -> None:
    content = template.format("بنك الرياض – café").encode("cp1256")
    assert values(read(write(tmp_path / "a.json", content))) == [
        {"a": "بنك الرياض – café"},
        {"a": "b"},
    ]


@pytest.mark.parametrize("damage", [b"\xff\xfe", b"\xc3(", b"\x80", "شركة".encode()[:-1]])
@pytest.mark.parametrize(
    "template", [b'{"a": 1}\n{"a": "%s"}\n{"a": 3}\n', b'[{"a": 1},\n{"a": "%s"},\n{"a": 3}]\n']
)
def test_bytes_that_are_no_text_lose_one_row(
    tmp_path: Path, damage: bytes, template: bytes
) -> None:
    items = read(write(tmp_path / "a.json", template % damage))
    assert values(items) == [{"a": 1}, {"a": 3}]
    assert rejections(items) == [(2, "invalid_encoding")]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("{", "invalid_json"),
        ('{"a": 1,}', "invalid_json"),
        ('{"a": "\x00"}', "invalid_json"),
        ("\x00\x00\x00", "invalid_json"),
        ("nonsense", "invalid_json"),
        ("[1, 2]", "not_an_object"),
        ("null", "not_an_object"),
        ('{"a": 1, "a": 2}', "duplicate_key"),
        ('{"a": {"b": 1, "b": 2}}', "duplicate_key"),
        ('{"a": 1e999999999}', "number_too_large"),
        ('{"a": ' + "9" * 5000 + "}", "number_too_large"),
        ('{"a": 0.' + "9" * 5000 + "}", "number_too_large"),
        ('{"a": ' * 101 + "1" + "}" * 101, "too_deep"),
        ('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}", "too_deep"),
    ],
)
def test_a_bad_line_loses_nothing_but_itself(tmp_path: Path, line: str, code: str) -> None:
    items = read(write(tmp_path / "a.jsonl", f'{{"n": 1}}\n{line}\n\n{{"n": 4}}'))
    assert values(items) == [{"n": 1}, {"n": 4}]
    assert rejections(items) == [(2, code)]


def test_documents_may_be_as_deep_as_the_limit() -> None:
    text = '{"a": ' * MAX_NESTING + "1" + "}" * MAX_NESTING
    assert parsed(text)["a"]


def test_a_row_that_is_too_long_is_not_kept_in_memory(tmp_path: Path) -> None:
    long = '{"a": "' + "x" * (2 * MAX_ROW + 5) + '"}'
    items = read(write(tmp_path / "a.jsonl", f'{{"n": 1}}\n{long}\n{{"n": 3}}\n'))
    assert values(items) == [{"n": 1}, {"n": 3}]
    assert rejections(items) == [(2, "row_too_large")]


def test_the_line_a_file_is_cut_off_in_is_named(tmp_path: Path) -> None:
    items = read(write(tmp_path / "a.jsonl", '{"n": 1}\n{"n": 2}\n{"n": '))
    assert (values(items), rejections(items)) == (
        [{"n": 1}, {"n": 2}],
        [(3, "invalid_json")],
    )
    items = read(write(tmp_path / "a.json", '[{"n": 1},\n{"n": 2},\n{"n": '))
    assert (values(items), rejections(items)) == ([{"n": 1}, {"n": 2}], [(3, "truncated")])
    items = read(write(tmp_path / "a.json", '[{"n": 1},\n{"n": 2},\n'))
    assert (values(items), rejections(items)) == ([{"n": 1}, {"n": 2}], [(3, "truncated")])


@pytest.mark.parametrize(
    ("damaged", "code"),
    [
        ('{"n": 2, "x": [1, 2}', "invalid_json"),
        ('{"n": 2, "x": {"y": 1}', "invalid_json"),
        ('{"n": 2, "x": "never closed}', "invalid_json"),
        ('{"n": 2 "x": 1}', "invalid_json"),
        ('{"n": 2}}', "invalid_json"),
        ('{"n": 2, "n": 2}', "duplicate_key"),
        ("oops", "invalid_json"),
        ('"a, b"', "not_an_object"),
        ("17", "not_an_object"),
        ("[{}, {}]", "not_an_object"),
    ],
)
def test_a_damaged_item_of_an_array_loses_nothing_but_itself(
    tmp_path: Path, damaged: str, code: str
) -> None:
    items = read(write(tmp_path / "a.json", f'[\n{{"n": 1}},\n{damaged},\n{{"n": 3}}\n]\n'))
    assert values([item for item in items if isinstance(item, Record)][:1]) == [{"n": 1}]
    assert values(items)[-1] == {"n": 3}
    assert rejections(items)[-1] == (3, code)


def test_text_after_an_array_is_told(tmp_path: Path) -> None:
    items = read(write(tmp_path / "a.json", '[{"n": 1}]\n[{"n": 2}]'))
    assert values(items) == [{"n": 1}]
    assert rejections(items) == [(2, "trailing_text")]


def test_an_empty_array_has_no_rows(tmp_path: Path) -> None:
    assert read(write(tmp_path / "a.json", " [ ] \n")) == []


def test_zeros_in_damaged_lines_do_not_make_a_small_file_utf_16(tmp_path: Path) -> None:
    path = write(tmp_path / "a.jsonl", "{}\n#\0\n#000\0")
    assert values(read(path)) == [{}]


@given(st.lists(documents, max_size=6), st.sampled_from([None, 0, 2]), st.booleans())
def test_an_array_reads_like_lines(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], indent: int | None, ascii_only: bool
) -> None:
    folder = tmp_path_factory.mktemp("json")
    array = write(folder / "a.json", json.dumps(rows, indent=indent, ensure_ascii=ascii_only))
    lines = "\n".join(json.dumps(row, ensure_ascii=ascii_only) for row in rows) + "\n"
    assert values(read(array)) == rows
    if rows:
        assert values(read(write(folder / "a.jsonl", lines))) == rows


def test_an_array_longer_than_what_is_read_at_once(tmp_path: Path) -> None:
    rows = [{"n": n, "text": "ab\n" * (n % 700), "list": [{"x": n}]} for n in range(2500)]
    path = write(tmp_path / "a.json", json.dumps(rows, indent=1))
    items = read(path)
    assert values(items) == rows
    lines = path.read_text().splitlines()
    for item in items:
        assert lines[item.line - 1] == " {"


@given(st.lists(documents, max_size=5), st.lists(st.text(), max_size=4), st.randoms())
def test_no_garbage_loses_a_good_line(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Any], garbage: list[str], random: Any
) -> None:
    bad = [f"#{''.join(text.splitlines())}" for text in garbage]
    lines = [json.dumps(row) for row in rows] + bad
    random.shuffle(lines)
    path = write(tmp_path_factory.mktemp("json") / "a.jsonl", "\n".join(["{}", *lines]))
    items = read(path)
    order = [json.loads(line) for line in lines if not line.startswith("#")]
    assert values(items) == [{}, *order]
    assert len(rejections(items)) == len(bad)


def test_extended_json_in_all_its_versions() -> None:
    oid = "507f1f77bcf86cd799439011"
    noon = datetime(2025, 5, 1, 12, tzinfo=UTC)
    written = {
        f'{{"$oid": "{oid}"}}': oid,
        '{"$date": "2025-05-01T12:00:00Z"}': noon,
        '{"$date": "2025-05-01T15:00:00.000+0300"}': noon,
        '{"$date": {"$numberLong": "1746100800000"}}': noon,
        '{"$date": 1746100800000}': noon,
        '{"$numberInt": "7"}': 7,
        '{"$numberLong": "9007199254740993"}': 9007199254740993,
        '{"$numberDouble": "1.5"}': Decimal("1.5"),
        '{"$numberDouble": "NaN"}': "NaN",
        '{"$numberDecimal": "445930.440"}': Decimal("445930.440"),
        '{"$numberDecimal": "Infinity"}': "Infinity",
        "445930.440": Decimal("445930.440"),
        "NaN": "NaN",
    }
    for text, value in written.items():
        assert parsed(f'{{"a": {text}}}') == {"a": value}, text


@pytest.mark.parametrize(
    "text",
    [
        '{"$oid": "no id"}',
        '{"$oid": 5}',
        '{"$date": "tomorrow"}',
        '{"$date": {"$numberLong": "many"}}',
        '{"$date": 99999999999999999}',
        '{"$numberInt": "x"}',
        '{"$numberDecimal": []}',
        '{"$binary": {"base64": "AAEC", "subType": "00"}}',
        '{"$regularExpression": {"pattern": "a", "options": ""}}',
        '{"$unheard": 1}',
    ],
)
def test_what_has_no_plain_equal_stays_as_written(text: str) -> None:
    assert parsed(f'{{"a": {text}}}') == {"a": json.loads(text)}


def test_the_text_is_the_document_only_where_it_means_the_same() -> None:
    def document(text: str) -> bool:
        record = DocumentParser().parse(text, 1)
        return isinstance(record, Record) and record.document == text

    assert document('{"a": 1.50, "b": "\\u0634"}')
    assert not document('{"a": "\\u0000"}')
    assert not document('{"a": "\\ud800"}')
    assert not document('{"a": NaN}')
    assert not document('{"a": {"$numberInt": "1"}}')
