from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guarantees.reading import ValueNotUnderstood, read_legacy_instant

TEN = datetime(2025, 5, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2025-05-01 10:00:00", TEN),
        ("2025-05-01T10:00:00", TEN),
        ("2025-05-01T10:00:00Z", TEN),
        ("2025-05-01 10:00", TEN),
        ("2025-05-01 13:00:00+03:00", TEN),
        ("2025-05-01T13:00:00+0300", TEN),
        ("2025-05-01 13:00:00 +03", TEN),
        ("2025-05-01 10:00:00 UTC", TEN),
        (" 2025-05-01 10:00:00\n", TEN),
        ("2025-05-01 10:00:00.5", TEN.replace(microsecond=500_000)),
        ("2025-05-01T10:00:00.123456789Z", TEN.replace(microsecond=123_456)),
        ("2025-05-01", TEN.replace(hour=0)),
    ],
)
def test_legacy_times_are_utc_unless_they_say_otherwise(text, instant):
    read = read_legacy_instant(text)
    assert read == instant
    assert read.tzinfo is UTC


@pytest.mark.parametrize("blank", [None, "", "  "])
def test_blank_is_no_instant(blank):
    assert read_legacy_instant(blank) is None


@pytest.mark.parametrize(
    "text",
    [
        "now",
        "0000-00-00 00:00:00",
        "0001-01-01 00:00:00",
        "9999-12-31 23:59:59",
        "2025-02-30 10:00:00",
        "2025-05-01 25:00:00",
        "20250501T100000",
        "2025-W18-4",
        "1746093600",
        "01/05/2025 10:00",
    ],
)
def test_what_is_no_instant_is_refused(text):
    with pytest.raises(ValueNotUnderstood) as caught:
        read_legacy_instant(text)
    assert caught.value.code == "not_an_instant"


@given(
    st.datetimes(
        datetime(1901, 1, 1),  # noqa: DTZ001 - the strategy adds the zones
        datetime(2199, 1, 1),  # noqa: DTZ001
        timezones=st.integers(-14 * 60, 14 * 60).map(lambda m: timezone(timedelta(minutes=m))),
    )
)
def test_iso_text_reads_back(instant):
    assert read_legacy_instant(instant.isoformat()) == instant
    assert read_legacy_instant(instant.isoformat(" ")) == instant


@given(st.text())
def test_any_text_is_read_or_refused(text):
    instant = None
    with suppress(ValueNotUnderstood):
        instant = read_legacy_instant(text)
    assert instant is None or instant.tzinfo is UTC
