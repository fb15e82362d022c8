"""What texts of the old system mean."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from migrations_tools.definitions import Reject
from sessions_app.data_migrations.lessons import values

BUDAPEST = ZoneInfo("Europe/Budapest")


def read(text, zone=UTC):
    warnings: list[Any] = []
    found = values.instant({"at": text}, "at", zone, warnings)
    return found, [warning.code for warning in warnings]


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2026-02-01T10:00:00", UTC, datetime(2026, 2, 1, 10, tzinfo=UTC)),
        ("2026-02-01 10:00:00", BUDAPEST, datetime(2026, 2, 1, 9, tzinfo=UTC)),
        ("2026-07-01 10:00:00.5", BUDAPEST, datetime(2026, 7, 1, 8, 0, 0, 500_000, tzinfo=UTC)),
        ("2026-07-01T10:00:00+03:00", BUDAPEST, datetime(2026, 7, 1, 7, tzinfo=UTC)),
        ("2026-07-01T10:00:00Z", BUDAPEST, datetime(2026, 7, 1, 10, tzinfo=UTC)),
        (" 2026-07-01 ", BUDAPEST, datetime(2026, 6, 30, 22, tzinfo=UTC)),
        (None, BUDAPEST, None),
        ("  ", BUDAPEST, None),
    ],
)
def test_times_without_an_offset_are_read_in_the_zone(text, zone, expected):
    assert read(text, zone) == (expected, [])


def test_a_time_that_was_twice_is_the_first_of_the_two():
    found = read("2026-10-25 02:30:00", BUDAPEST)
    assert found == (datetime(2026, 10, 25, 0, 30, tzinfo=UTC), ["ambiguous_time"])


def test_a_time_that_never_was_is_later_by_the_gap():
    found = read("2026-03-29 02:30:00", BUDAPEST)
    assert found == (datetime(2026, 3, 29, 1, 30, tzinfo=UTC), ["nonexistent_time"])


@pytest.mark.parametrize(
    "text",
    [
        "tomorrow",
        "2026-02-30",
        "10:00",
        "1764150000",
        "0001-01-01T00:00:00+14:00",
        "1899-12-31T23:59:59Z",
        "9999-12-31T23:59:59Z",
    ],
)
def test_what_is_no_time_is_not_guessed(text):
    with pytest.raises(values.UnreadableError):
        read(text)
    warnings: list[Any] = []
    assert values.instant_or_none({"at": text}, "at", UTC, warnings) is None
    assert [warning.code for warning in warnings] == ["bad_time"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-01", date(2026, 2, 1)),
        ("2026-02-01T23:30:00", date(2026, 2, 1)),
        ("2026-02-01T23:30:00Z", date(2026, 2, 2)),
        ("", None),
        ("soon", None),
    ],
)
def test_a_day_is_the_one_in_the_zone(text, expected):
    warnings: list[Any] = []
    assert values.day_or_none({"day": text}, "day", BUDAPEST, warnings) == expected
    assert len(warnings) == (text == "soon")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (20, 20),
        ("20", 20),
        (" 20.0 ", 20),
        (20.0, 20),
        (Decimal("-3"), -3),
        ("", None),
        (None, None),
    ],
)
def test_whole_numbers(value, expected):
    assert values.whole_number({"n": value}, "n") == expected


@pytest.mark.parametrize("value", ["many", "1.5", 1.5, "NaN", "Infinity", 2**31, "true", True])
def test_what_is_no_whole_number_is_refused(value):
    with pytest.raises(values.UnreadableError):
        values.whole_number({"n": value}, "n")


@pytest.mark.parametrize(
    ("value", "expected", "warned"),
    [
        (True, True, 0), (1, True, 0), ("Yes", True, 0), ("f", False, 0), (0, False, 0),
        (None, True, 0), ("", True, 0), ("perhaps", True, 1),
    ],
)  # fmt: skip
def test_flags(value, expected, warned):
    warnings: list[Any] = []
    assert values.flag({"x": value}, "x", True, warnings) is expected
    assert len(warnings) == warned


@pytest.mark.parametrize("value", [[], ["a"], {"a": 1}])
def test_a_list_or_an_object_is_a_fault_of_shape(value):
    with pytest.raises(Reject) as refused:
        values.written({"title": value}, "title")
    assert refused.value.code == "invalid_document"


def test_long_text_is_cut_with_a_warning():
    warnings: list[Any] = []
    assert values.short_text({"title": "é" * 256}, "title", warnings) == "é" * 255
    assert [warning.code for warning in warnings] == ["shortened"]


@pytest.mark.parametrize("name", ["Mars/Base", "", "../etc/passwd", "Europe", "UTC+2"])
def test_a_zone_that_does_not_exist_is_refused(name):
    with pytest.raises(ValidationError):
        values.zone_of(name)
