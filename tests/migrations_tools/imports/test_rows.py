"""Tables of typed columns: nothing is dropped, and the same file changes nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrations_tools.imports.readers.base import Record
from migrations_tools.imports.rows import GIVEN
from tests.migrations_tools.imports.conftest import NOTES, Note
from tests.migrations_tools.imports.importing import counts, database, import_file, lines

pytestmark = pytest.mark.usefixtures("staging")


def titles() -> list[tuple[int, str | None]]:
    return list(Note.objects.order_by("id").values_list("id", "title"))


def test_imported_then_unchanged_then_updated(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    lines(path, {"id": 1, "title": "a"}, {"id": 2, "title": "b"})
    assert counts(import_file("notes", path)) == (2, 0, 0, 0)
    assert counts(import_file("notes", path)) == (0, 0, 2, 0)
    lines(path, {"id": 2, "title": "B"}, {"title": "a", "id": 1}, {"id": 3, "title": "c"})
    latest = import_file("notes", path)
    assert counts(latest) == (1, 1, 1, 0)
    assert titles() == [(1, "a"), (2, "B"), (3, "c")]
    assert list(Note.objects.filter(legacy_import=latest).order_by("id").values_list("id")) == [
        (2,),
        (3,),
    ]


def test_formats_agree_on_what_a_row_says(tmp_path: Path) -> None:
    database(
        tmp_path / "a.db",
        {"notes": ("id INTEGER, title TEXT, amount TEXT", [(1, "a", "12"), (2, None, "x")])},
    )
    assert counts(import_file("notes", tmp_path / "a.db")) == (2, 0, 0, 0)
    (tmp_path / "notes.csv").write_text("ID;Title;Amount\n1;a;12\n2;;x\n")
    assert counts(import_file("notes", tmp_path / "notes.csv")) == (0, 0, 2, 0)
    lines(
        tmp_path / "notes.json", {"id": "1", "TITLE": "a", "amount": 12}, {"id": 2.0, "amount": "x"}
    )
    assert counts(import_file("notes", tmp_path / "notes.json")) == (0, 0, 2, 0)


def test_columns_by_their_older_names_and_the_preferred_one_first(tmp_path: Path) -> None:
    path = lines(
        tmp_path / "memos.jsonl",
        {"id": 1, "heading": "old", "writer_id": 5},
        {"id": 2, "heading": "old", "Head-Line": "", "title": "own"},
        {"id": 3, "heading": "x", "headline": "new"},
        {"id": 4, "heading": "old", "headline": None},
    )
    import_file("notes", path)
    assert list(Note.objects.order_by("id").values_list("title", "author_id", "extra")) == [
        ("old", 5, None),
        ("old", None, {"Head-Line": "", "title": "own"}),
        ("new", None, {"heading": "x"}),
        ("old", None, None),
    ]


def test_what_no_column_holds_is_kept_as_extra(tmp_path: Path) -> None:
    row = {
        "id": 1,
        "author_id": "nobody",
        "pages": 40_000,
        "title": ["a", {"b": None}],
        "short": "123456",
        "read_at": "yesterday",
        "colour": "red",
        "nothing": None,
    }
    import_file("notes", lines(tmp_path / "notes.jsonl", row))
    note = Note.objects.get()
    assert (note.author_id, note.pages, note.title, note.short, note.read_at) == (None,) * 5
    assert note.extra == {name: row[name] for name in row if name not in ("id", "nothing")}


def test_strange_text_and_bytes_are_kept_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    database(
        path,
        {"notes": ("id, title, amount", [(1, "a\x00b", b"\xff\x00"), (2, b"bytes of text", 1.5)])},
    )
    import_file("notes", path)
    assert list(Note.objects.order_by("id").values_list("title", "amount", "extra")) == [
        (
            None,
            None,
            {
                "title": {"$json": '"a\\u0000b"'},
                "amount": {"$binary": {"base64": "/wA=", "subType": "00"}},
            },
        ),
        ("bytes of text", "1.5", None),
    ]
    assert counts(import_file("notes", path)) == (0, 0, 2, 0)


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("445930.440", "445930.440"),
        ("1e5", "100000"),
        ("114556", "114556"),
        ("0.500", "0.500"),
        ("12.500", "12.5000"),  # as text 12.500 would be twelve thousand
        ("true", "true"),
    ],
)
def test_numbers_in_text_columns_keep_their_digits(
    tmp_path: Path, written: str, amount: str
) -> None:
    import_file("notes", lines(tmp_path / "notes.jsonl", f'{{"id": 1, "amount": {written}}}'))
    assert Note.objects.get().amount == amount


def test_instants_are_utc(tmp_path: Path) -> None:
    noon = datetime(2025, 5, 1, 12, tzinfo=UTC)
    rows = ["2025-05-01 12:00:00", "2025-05-01T15:00:00+03:00", {"$date": "2025-05-01T12:00:00Z"}]
    import_file(
        "notes",
        lines(tmp_path / "notes.jsonl", *({"id": n, "read_at": at} for n, at in enumerate(rows))),
    )
    assert list(Note.objects.values_list("read_at", flat=True)) == [noon] * 3


# ------------------------------------------------------------------ rows without a number


def test_rows_without_a_number_get_one_above_the_highest_in_order(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        {
            "notes": (
                "id INTEGER, title TEXT",
                [(None, "a"), (7, "b"), (None, "c"), ("x", "d"), (2**60, "e")],
            )
        },
    )
    assert counts(import_file("notes", path)) == (5, 0, 0, 0)
    assert titles() == [(7, "b"), (8, "a"), (9, "c"), (10, "d"), (11, "e")]
    extra = dict(Note.objects.values_list("id", "extra"))
    assert extra == {
        7: None,
        8: {GIVEN: 1},
        9: {GIVEN: 3},
        10: {GIVEN: 4, "id": "x"},
        11: {GIVEN: 5, "id": 2**60},
    }
    assert counts(import_file("notes", path)) == (0, 0, 5, 0)


def test_equal_rows_without_a_number_are_rows_of_their_own(tmp_path: Path) -> None:
    path = lines(tmp_path / "notes.jsonl", *[{"title": "same"}] * 3)
    assert counts(import_file("notes", path)) == (3, 0, 0, 0)
    assert counts(import_file("notes", path)) == (0, 0, 3, 0)
    assert counts(import_file("notes", lines(path, *[{"title": "same"}] * 4))) == (1, 0, 3, 0)


def test_a_changed_row_of_a_database_is_found_by_its_row_number(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        {"notes": ("id INTEGER, title TEXT", [(None, "a"), (None, "b"), (None, "c"), (None, "d")])},
    )
    import_file("notes", path)
    with closing(sqlite3.connect(path)) as changed:
        changed.execute("DELETE FROM notes WHERE title = 'a'")
        changed.execute("UPDATE notes SET title = 'B' WHERE title = 'b'")
        changed.execute("INSERT INTO notes VALUES (NULL, 'e')")
        changed.commit()
    assert counts(import_file("notes", path)) == (1, 1, 2, 0)
    assert titles() == [(1, "a"), (2, "B"), (3, "c"), (4, "d"), (5, "e")]
    with closing(sqlite3.connect(path)) as changed:
        changed.execute("VACUUM")  # numbers the rows anew
        assert changed.execute("SELECT min(rowid) FROM notes").fetchone() == (1,)
    assert counts(import_file("notes", path)) == (0, 0, 4, 0)
    with closing(sqlite3.connect(path)) as changed:
        changed.execute("UPDATE notes SET title = 'D' WHERE title = 'd'")
        changed.commit()
    assert counts(import_file("notes", path)) == (0, 1, 3, 0)
    assert titles() == [(1, "a"), (2, "B"), (3, "c"), (4, "D"), (5, "e")]


def test_a_second_row_of_the_same_number_and_other_content_is_not_dropped(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        {
            "notes": (
                "id INTEGER, title TEXT",
                [(5, "a"), (5, "b"), (5, "a"), (6, "c"), (5, "b")],
            )
        },
    )
    assert counts(import_file("notes", path)) == (4, 0, 1, 0)
    assert titles() == [(5, "a"), (6, "c"), (7, "b"), (8, "b")]
    assert Note.objects.get(pk=7).extra == {GIVEN: 2, "id": 5}
    assert counts(import_file("notes", path)) == (0, 0, 5, 0)


def test_a_number_given_here_stays_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "notes.jsonl"
    import_file("notes", lines(path, {"id": 1, "title": "a"}, {"title": "without"}))
    lines(path, {"id": 1, "title": "a"}, {"id": 2, "title": "late"}, {"title": "without"})
    assert counts(import_file("notes", path)) == (1, 0, 2, 0)
    assert titles() == [(1, "a"), (2, "without"), (3, "late")]
    assert counts(import_file("notes", path)) == (0, 0, 3, 0)


def test_a_row_written_here_is_never_overwritten(tmp_path: Path) -> None:
    Note.objects.create(pk=1, title="dual-written")
    import_file("notes", lines(tmp_path / "notes.jsonl", {"id": 1, "title": "of the file"}))
    assert titles() == [(1, "dual-written"), (2, "of the file")]


def test_later_rows_get_numbers_above_those_of_the_file(tmp_path: Path) -> None:
    import_file("notes", lines(tmp_path / "notes.jsonl", {"id": 900}))
    assert Note.objects.create().pk > 900


values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters())
    | st.binary(max_size=8)
    | st.floats()
    | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20)
    | st.datetimes(timezones=st.just(UTC))
    | st.lists(st.text(st.characters()), max_size=2)
    | st.dictionaries(
        st.text(st.characters()), st.integers() | st.text(st.characters()), max_size=2
    )
)
names = st.sampled_from(["id", "title", "heading", "amount", "pages", "short", "read_at", "other"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(st.dictionaries(names | st.text(st.characters(), min_size=1), values, max_size=6))
def test_every_value_is_kept_and_every_row_can_be_stored(row: dict[str, Any]) -> None:
    table = NOTES.tables[0]
    line = table.line(Record(1, row, None))  # type: ignore[attr-defined]
    with transaction.atomic(), connection.cursor() as cursor:
        names = ", ".join(f'"{name}"' for name in table.columns)  # type: ignore[attr-defined]
        with cursor.copy(f"COPY migrations_tools_note ({names}) FROM STDIN") as copy:
            copy.write(line.replace(rb"\N", b"1000000", 1) if line.startswith(rb"\N") else line)
        staged = vars(Note.objects.get())
        transaction.set_rollback(True)
    typed = [staged[name] for name in table.columns[:-2] if staged[name] is not None]  # type: ignore[attr-defined]
    unnumbered = line.startswith(rb"\N")
    given_values = [value for value in row.values() if value is not None]
    kept = len(typed) - unnumbered + len(staged["extra"] or {})
    assert kept >= len(given_values) - _lost_names(row)


def _lost_names(row: dict[str, Any]) -> int:
    """Column names that become one when what JSONB cannot hold is replaced in them."""
    shown = {
        "".join("\ufffd" if c == "\0" or "\ud800" <= c <= "\udfff" else c for c in name)
        for name in row
    }
    return len(row) - len(shown)


def test_decimals_are_told_apart_from_their_neighbours(tmp_path: Path) -> None:
    assert Decimal("1.10") == Decimal("1.1")
    path = lines(tmp_path / "notes.jsonl", '{"id": 1, "other": 0.1}')
    import_file("notes", path)
    lines(path, '{"id": 1, "other": 0.1000000000000000055}')
    assert counts(import_file("notes", path)) == (0, 1, 0, 0)


def test_a_first_import_gives_the_same_rows_whatever_their_order(tmp_path: Path) -> None:
    """Rising numbers go straight into the empty table, all others are compared first."""
    rows = [
        {"id": 5, "title": "e"},
        {"title": "without"},
        {"id": 2, "title": "b"},
        {"id": 5, "title": "e"},
        {"id": 5, "title": "E"},
        {"id": 9, "title": "i"},
        {"id": 2, "title": "B"},
    ]
    path = lines(tmp_path / "notes.jsonl", *rows)
    assert counts(import_file("notes", path)) == (6, 0, 1, 0)
    assert titles() == [(2, "b"), (5, "e"), (9, "i"), (10, "without"), (11, "E"), (12, "B")]
    assert Note.objects.get(pk=11).extra == {"id": 5, GIVEN: 5}
    assert counts(import_file("notes", path)) == (0, 0, 7, 0)
    path = lines(tmp_path / "notes.jsonl", {"id": 7, "title": "later"}, {"id": 5, "title": "ee"})
    assert counts(import_file("notes", path)) == (1, 1, 0, 0)
    assert titles()[1:3] == [(5, "ee"), (7, "later")]
