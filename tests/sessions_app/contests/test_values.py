"""Single values, however they are written."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sessions_app.contests.values import (
    read_count,
    read_instant,
    read_milliseconds,
    read_text,
    read_topics,
    read_truth,
)


@pytest.mark.parametrize(
    ("value", "count"),
    [
        (2022, 2022),
        ("2022", 2022),
        (" 7\n", 7),
        (7.0, 7),
        ("7.0", 7),
        (0, 0),
        (-1, None),
        (7.5, None),
        (True, None),
        ("seven", None),
        ("٧", None),
        ("", None),
        (2**31, None),
        (10**400, None),
        (float("inf"), None),
        ([7], None),
    ],
)
def test_counts(value, count):
    assert read_count(value) == count


@pytest.mark.parametrize(
    ("value", "milliseconds"),
    [(595, 595), (0.5, 1), (1.5, 2), ("1200.49", 1200), (-1, None), (10**12 + 1, None)],
)
def test_milliseconds_are_rounded_half_up(value, milliseconds):
    assert read_milliseconds(value) == milliseconds


@pytest.mark.parametrize(
    ("value", "truth"),
    [
        (True, True),
        (False, False),
        ("true", True),
        (" False ", False),
        ("yes", None),
        ("1", None),
        (1, None),
        (0, None),
        ("", None),
        (None, None),
        ([], None),
    ],
)
def test_truth_is_a_boolean_or_its_word(value, truth):
    assert read_truth(value) is truth


NOON = datetime(2024, 3, 5, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2024-03-05T12:00:00Z", NOON),
        ("2024-03-05 12:00:00", NOON),
        ("2024-03-05T15:00:00.000+03:00", NOON),
        ("2024-03-05T12:00", NOON),
        ("2024-03-05", NOON.replace(hour=0)),
        (1709640000000, NOON),
        ("2024-03-05T12:00:00.1234567Z", NOON.replace(microsecond=123456)),
        ("2024-02-30", None),
        ("2024-03-05T25:00:00", None),
        ("20240305", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+14:00", None),
        (10**30, None),
        (True, None),
        (1.5, None),
        ({"$date": "x"}, None),
    ],
)
def test_instants_are_utc(value, instant):
    assert read_instant(value) == instant


@pytest.mark.parametrize(
    ("value", "topics"),
    [
        ("Algebra", ["Algebra"]),
        ([" Algebra ", "", "Mean", "Algebra", "\u00a0"], ["Algebra", "Mean"]),
        (
            [{"area": "Geometry", "sub_topic": "Polygons"}, "Mean"],
            ["Geometry", "Polygons", "Mean"],
        ),
        ({"area": "Logic"}, ["Logic"]),
        ([1, None, ["nested"]], []),
        (None, []),
        ("  ", []),
    ],
)
def test_topics_are_names_in_order_each_once(value, topics):
    assert read_topics(value) == topics


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (" as it is ", " as it is "),
        (5, "5"),
        (1e3, "1000.0"),
        (Decimal("1.50"), "1.50"),
        (True, "true"),
        (None, None),
        ({}, None),
        (float("nan"), None),
    ],
)
def test_text_is_kept_and_scalars_are_written(value, text):
    assert read_text(value) == text
