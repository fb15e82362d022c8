"""The SQL that checks documents reads odd values as the migration does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from sessions_app.contests.values import read_instant, read_topics
from sessions_app.data_migrations import contest_readings
from sessions_app.reading.blanks import WHITE_SPACE

pytestmark = pytest.mark.django_db

INSTANTS: list[Any] = [
    "2024-05-01T09:00:00Z", "2024-05-01T09:00:00.123Z", "2024-05-01T09:00:00.123456+00:00",
    "2024-02-29T09:00:00Z", "2023-02-29T09:00:00Z", "2024-04-31T00:00:00Z", "2024-05-31T00:00:00Z",
    "2024-13-01T00:00:00Z", "2024-00-10T00:00:00Z", "2024-05-00T00:00:00Z", "2024-05-01T24:00:00Z",
    "2024-05-01T23:60:00Z", "2024-05-01T23:59:60Z", "1899-12-31T00:00:00Z", "1900-01-01T00:00:00Z",
    "2200-12-28T00:00:00Z", "2201-01-01T00:00:00Z", "9999-01-01T00:00:00Z", "0000-00-00T00:00:00Z",
    " 2024-05-01T09:00:00Z ", "2024-05-01", "2024-05-01 09:00", "2024-05-01T09:00:00+03:00",
    "1900-01-01T00:00:00+01:00", "1899-12-31T23:00:00-05:00", "2200-12-31T23:59:59-05:00",
    "2024-05-01T09:00:00+15:59", "2024-05-01T09:00:00+16:00", "2024-05-01T09:00:00-1630",
    "2024-05-01T09:00:00+05", "2024-05-01T09:00:00+05:60", "2024-05-01T09:00:00+0599",
    "٢٠٢٤-05-01T09:00:00Z", "soon", "", 1714554000000, -1, 1.5, True, None, [], {},
]  # fmt: skip

TOPICS: list[Any] = [
    ["Algebra"], ["Algebra", "Mean"], ["Mean", "Mean"], [" Mean "], ["Mean", " Mean"], ["", "Mean"],
    ["\u2003Mean"], ["Mean\n"], ["a"], ["é"], ["(x)", "Vieta's formulas"], [5], ["Mean", 5],
    [["Mean"]], [None], [True, "Mean"], [{"area": "Algebra", "sub_topic": "Mean"}], [{}],
    ["A", "B", "A"], ["A", "B", "C"], "Mean", " ", "", [], {"topic": " Logic "}, 5, None, True,
]  # fmt: skip


def read(sql: str, values: list[Any], **given: Any) -> list[Any]:
    """What the SQL of a reading makes of each value."""
    statement = f"SELECT {sql} FROM (VALUES (%(value)s::jsonb)) given (v)"
    with connection.cursor() as cursor:
        found = []
        for value in values:
            cursor.execute(statement, {"value": json.dumps(value), "white": WHITE_SPACE, **given})
            found.append(cursor.fetchone()[0])
    return found


def test_instants():
    found = read(contest_readings.instant("given.v"), INSTANTS)
    assert found == [read_instant(value) for value in INSTANTS]


#: As imports write instants; and one that nobody believes.
WRITTEN = ["2024-05-01T09:00:00.123456+00:00", "1899-12-31T23:59:59.000000+00:00"]


@pytest.mark.parametrize("stored", [*WRITTEN, "2024-05-01T09:00:00Z", None])
def test_instants_are_read_whatever_is_stored(stored):
    told = contest_readings.told_instant("given.v", "%(stored)s::timestamptz")
    found = read(told, [*INSTANTS, *WRITTEN], stored=stored)
    assert found == [read_instant(value) for value in [*INSTANTS, *WRITTEN]]


def test_topics():
    found = read(contest_readings.topics("given.v"), TOPICS)
    told = [None if value is None else json.loads(value) for value in found]
    assert told == [read_topics(value) or None for value in TOPICS]
