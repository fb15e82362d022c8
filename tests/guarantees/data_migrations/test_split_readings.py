"""Verification reads amounts and dates in SQL of its own – to the same result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guarantees.data_migrations.split_readings import amount_reading, date_reading
from guarantees.reading import ValueNotUnderstood, read_amount, read_date
from tests.guarantees.reading.test_amounts import REFUSED, UNDERSTOOD

pytestmark = pytest.mark.django_db

in_one_transaction = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def read_by_sql(reading: str, texts: Sequence[str]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {reading} FROM unnest(%s::text[]) WITH ORDINALITY AS given(text, place) "
            "ORDER BY place",
            [list(texts)],
        )
        return [value for (value,) in cursor.fetchall()]


def read_by_python(read: Callable[[str], Any], texts: Sequence[str]) -> list[Any]:
    values = []
    for text in texts:
        try:
            values.append(read(text))
        except ValueNotUnderstood:
            values.append(None)
    return values


def amounts_by_python(texts: Sequence[str]) -> list[Any]:
    return read_by_python(lambda text: read_amount(text, legacy=True), texts)


def test_every_known_amount_is_read_alike():
    texts = [*UNDERSTOOD, *REFUSED, "-5", "(1,234.50)", "500-", "-5-", "+5-", "SAR -1,000", ""]
    assert read_by_sql(amount_reading("text"), texts) == amounts_by_python(texts)


_AMOUNT = st.lists(
    st.one_of(
        st.sampled_from(["SAR", "ريال", "ر.س", "1,234", "000", ".00", "٥", "\u200f", "us", "x"]),
        st.sampled_from("0123456789.,٬٫ -+()eE/"),
    ),
    max_size=8,
).map("".join)


@in_one_transaction
@given(texts=st.lists(_AMOUNT, min_size=50, max_size=200))
def test_any_amount_is_read_alike(texts):
    assert read_by_sql(amount_reading("text"), texts) == amounts_by_python(texts)


_MONTH = st.one_of(
    st.integers(0, 14).map(str),
    st.sampled_from(["Jan", "May", "september", "شباط", "إبريل", "تشرين  الاول", "x"]),
)
_YEAR = st.sampled_from(["2024", "2025", "1446", "1899", "2200", "24"])
_WRITTEN = st.builds(
    lambda day, month, year, order, mark, end: (
        mark.join([[day, month, year], [year, month, day], [month, day, year]][order]) + end
    ),
    st.integers(0, 32).map(str),
    _MONTH,
    _YEAR,
    st.integers(0, 2),
    st.sampled_from(["-", "/", ".", " ", ", "]),
    st.sampled_from(["", "", " 10:00", "T00:00:00Z", " هـ", " م", " 1:30 PM", "."]),
)
_LOOSE = st.lists(
    st.one_of(
        st.sampled_from(["2025", "31", "Dec", "45000", "10:30", "AH", "٣"]),
        st.sampled_from("0123456789-/. ,T:"),
    ),
    max_size=7,
).map("".join)


@pytest.mark.parametrize("day_first", [True, False])
@in_one_transaction
@given(texts=st.lists(st.one_of(_WRITTEN, _LOOSE), min_size=50, max_size=200))
def test_any_date_is_read_alike(day_first, texts):
    by_python = read_by_python(lambda text: read_date(text, day_first=day_first), texts)
    assert read_by_sql(date_reading("text", day_first=str(day_first)), texts) == by_python
