"""Rows as COPY text: what goes in comes out again."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migrations_tools.imports.lines import LineWriter, NotStorableError, copy_line, value_line

pytestmark = pytest.mark.django_db

_STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
_INTO = "COPY copied (a, b, c) FROM STDIN"


def _stored(*lines: bytes) -> list[tuple[Any, ...]]:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE copied (a text, b text, c text) ON COMMIT DROP")
        with LineWriter(cursor) as writer:
            for line in lines:
                writer.write(_INTO, line + b"\n")
        cursor.execute("SELECT a, b, c FROM copied")
        found = list(cursor.fetchall())
        transaction.set_rollback(True)
    return found


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(
    st.lists(
        _STORABLE | st.sampled_from(["\\N", "\\.", "\t", "\r\n"]) | st.none(),
        min_size=3,
        max_size=3,
    )
)
def test_every_storable_text_comes_out_as_it_went_in(texts: list[str | None]) -> None:
    assert _stored(copy_line(texts)) == [tuple(texts)]


def test_values_are_written_as_the_database_reads_them() -> None:
    assert _stored(value_line([b"\x00\xff", True, 12])) == [("\\x00ff", "t", "12")]


@pytest.mark.parametrize("text", ["a\0", "\ud800"])
def test_what_no_text_can_hold_is_refused(text: str) -> None:
    with pytest.raises(NotStorableError):
        copy_line(["a", text])


def test_lines_may_go_to_several_tables_in_turn() -> None:
    """What waits for one is sent while the other is under way; each keeps its order."""
    wide = "x" * 50_000
    with transaction.atomic(), connection.cursor() as cursor:
        for name in ("one", "two"):
            cursor.execute(f"CREATE TEMPORARY TABLE {name} (n integer, t text) ON COMMIT DROP")
        with LineWriter(cursor) as writer:
            for number in range(12):
                name = ("one", "two")[number % 3 == 0]
                writer.write(f"COPY {name} FROM STDIN", copy_line([str(number), wide]) + b"\n")
                if number == 5:
                    writer.finish()
                    cursor.execute("SELECT count(*) FROM one")
                    assert cursor.fetchone() == (4,)
        cursor.execute("SELECT array_agg(n), min(length(t)) FROM one")
        assert cursor.fetchone() == ([1, 2, 4, 5, 7, 8, 10, 11], 50_000)
        cursor.execute("SELECT array_agg(n) FROM two")
        assert cursor.fetchone() == ([0, 3, 6, 9],)
        transaction.set_rollback(True)


def test_a_failure_in_between_ends_the_copy_and_writes_nothing() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE one (t text)")
        with pytest.raises(RuntimeError, match="stopped"):
            _write_and_fail(cursor)
        cursor.execute("SELECT count(*) FROM one")
        assert cursor.fetchone() == (0,)


def _write_and_fail(cursor: Any) -> None:
    with transaction.atomic(), LineWriter(cursor) as writer:
        writer.write("COPY one FROM STDIN", b"x" * 200_000 + b"\n")
        raise RuntimeError("stopped")
