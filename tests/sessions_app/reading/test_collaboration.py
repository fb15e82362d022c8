"""Values of collaboration documents (collaboration.md R1, R2, R6, R8)."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.reading.collaboration import (
    access_of,
    email_of,
    instant_of,
    is_blank,
    object_id_time,
    session_id_of,
)

U = "77d3b396-4bb1-4ada-8bf8-cad181406705"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (U, U),
        (U.upper(), U),
        (f" {U}\n", U),
        ("debug-hierarchy-1748631741138", "debug-hierarchy-1748631741138"),
        ("s-0007", "s-0007"),
        ("Demo", "Demo"),
        ("A" * 100, "A" * 100),
        (U.replace("-", "").upper(), U.replace("-", "").upper()),  # not UUID-shaped
        (123, "123"),
        (Decimal("123.0"), "123"),
        (Decimal("1E+3"), "1000"),
        (1e20, "1" + 20 * "0"),
        (-5, "-5"),
        (True, "true"),
    ],
)
def test_session_ids(written: Any, meant: str) -> None:
    assert session_id_of(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "", "  ", None, "null", "UNDEFINED", "None", "NaN", "nan ", "a b", "a/b", "جلسة", "a\x00b",
        "A" * 101, "row:1", "1.5", Decimal("1.5"), Decimal("NaN"), Decimal("1E+4000"),
        float("inf"), [], ["s-1"], {"$oid": 1}, datetime(2025, 5, 1, tzinfo=UTC), "s\u0661",
    ],
)  # fmt: skip
def test_what_is_no_session_id(written: Any) -> None:
    assert session_id_of(written) is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (" Alice@Example.COM\t", "alice@example.com"),
        ("first.last+tag@mail.example.com", "first.last+tag@mail.example.com"),
        ("o'neil@example.co", "o'neil@example.co"),
        ("alice", None),
        ("alice@", None),
        ("@example.com", None),
        ("alice@localhost", None),
        ("a..b@example.com", None),
        ("alice@-example.com", None),
        ("alice@example.c", None),
        ("two words@example.com", None),
        ("a@b@example.com", None),
        ("alice@example.com, bob@example.com", None),
        ("سارة@example.com", None),
        ("a" * 310 + "@example.com", None),
        ("", None),
        (None, None),
        (5, None),
        (["alice@example.com"], None),
    ],
)
def test_addresses(written: Any, meant: str | None) -> None:
    assert email_of(written) == meant


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2025-05-01T10:20:30Z", datetime(2025, 5, 1, 10, 20, 30, tzinfo=UTC)),
        ("2025-05-01T10:20:30.1234567Z", datetime(2025, 5, 1, 10, 20, 30, 123456, tzinfo=UTC)),
        ("2025-05-01 13:20 +03:00", datetime(2025, 5, 1, 10, 20, tzinfo=UTC)),
        ("2025-05-01T05:20:00-0500", datetime(2025, 5, 1, 10, 20, tzinfo=UTC)),
        (" 2025-05-01 10:20:30 ", datetime(2025, 5, 1, 10, 20, 30, tzinfo=UTC)),
        ("2025-05-01", datetime(2025, 5, 1, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_instants_are_utc(written: str, meant: datetime) -> None:
    assert instant_of(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "garbage", "", "2025-02-30", "2025-13-01", "2025-05-01T24:00", "2025-05-01T10:60",
        "2025-05-01T10:20:30+24:00", "0001-01-01T00:00:00+01:00", "0000-01-01", "yesterday",
        "9999-12-31T23:59:59-00:01", 1746057600000, True, None, {"$date": "x"}, "1/5/2025",
    ],
)  # fmt: skip
def test_what_is_no_instant(written: Any) -> None:
    assert instant_of(written) is None


def test_an_object_id_tells_when_it_was_made() -> None:
    assert object_id_time("6812f880" + 16 * "0") == datetime(2025, 5, 1, 4, 28, 48, tzinfo=UTC)
    assert object_id_time("F812F880" + 16 * "a") == datetime(2101, 11, 21, 5, 7, 12, tzinfo=UTC)
    assert object_id_time("r1") is None


@pytest.mark.parametrize(
    ("document", "role", "warning"),
    [
        ({"access": "edit"}, "editor", ""),
        ({"access": "Edit "}, "editor", ""),
        ({"access": "editor"}, "editor", ""),
        ({"access": "WRITE"}, "editor", ""),
        ({"access": "view"}, "viewer", ""),
        ({"access": "viewer"}, "viewer", ""),
        ({"access": "read"}, "viewer", ""),
        ({"access": "Admin"}, "admin", ""),
        ({}, "editor", "access_missing"),
        ({"access": None}, "viewer", "access_unknown"),
        ({"access": ""}, "viewer", "access_unknown"),
        ({"access": "owner"}, "viewer", "access_unknown"),
        ({"access": 1}, "viewer", "access_unknown"),
        ({"access": {"level": "edit"}}, "viewer", "access_unknown"),
    ],
)
def test_access_words(document: dict[str, Any], role: str, warning: str) -> None:
    assert access_of(document) == (role, warning)


GRANTED = [("editor", ""), ("viewer", ""), ("admin", ""), ("viewer", "access_unknown")]

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.decimals() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(ANYTHING)
def test_no_value_is_too_strange_to_be_read(value: Any) -> None:
    session_id, email, instant = session_id_of(value), email_of(value), instant_of(value)
    assert session_id is None or re.fullmatch("[A-Za-z0-9_-]{1,100}", session_id)
    assert email is None or (email == email.lower() and email.count("@") == 1)
    assert instant is None or instant.tzinfo is UTC
    assert not is_blank(value) or (session_id, email, instant) == (None, None, None)
    assert access_of({"access": value}) in GRANTED


@given(ANYTHING)
def test_a_canonical_id_is_its_own_canonical_id(value: Any) -> None:
    found = session_id_of(value)
    assert found is None or session_id_of(found) == found


@given(st.datetimes(timezones=st.just(UTC)))
def test_every_instant_that_the_import_writes_is_read(instant: datetime) -> None:
    assert instant_of(instant.isoformat()) == instant
