"""What a row of a booking becomes, beside what its rivals say."""

from datetime import UTC, datetime

import pytest

from migrations_tools.definitions import Ensure, Reject
from sessions_app.data_migrations.lessons.bookings import PROVISIONAL
from tests.sessions_app.data_migrations.lessons.academy import (
    applied,
    inserted,
    transform_booking,
    warnings,
)


@pytest.mark.parametrize(
    ("status", "expected", "warned"),
    [
        ("confirmed", "confirmed", []),
        ("CONFIRMED", "confirmed", []),
        ("Waitlisted", "waitlisted", []),
        ("cancelled", "cancelled", []),
        ("pending", "waitlisted", ["pending_booking"]),
        (None, "waitlisted", ["pending_booking"]),
    ],
)
def test_status_words(status, expected, warned):
    outcome = transform_booking(status=status)
    booking = inserted(outcome)
    assert (booking.lesson_id, booking.student_id, booking.status) == (31, 101, expected)
    assert warnings(outcome) == warned


def test_a_waiter_gets_a_provisional_place_and_its_lesson_is_looked_at_later():
    outcome = transform_booking(status="waitlisted", waitlist_position=3)
    assert inserted(outcome).waitlist_position == PROVISIONAL + 17
    (lesson,) = [change for change in applied(outcome).changes if isinstance(change, Ensure)]
    assert lesson.natural_key == {"session": 41}
    assert inserted(transform_booking(waitlist_position=3)).waitlist_position is None


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"session_id": 5}, "lesson_missing"),
        ({"session_id": None}, "lesson_missing"),
        ({"user_id": 5}, "student_missing"),
        ({"user_id": None}, "student_missing"),
        ({"status": "maybe"}, "unknown_status"),
        ({"status": ["confirmed"]}, "invalid_document"),
    ],
)
def test_what_points_nowhere_is_set_aside(values, code):
    with pytest.raises(Reject) as refused:
        transform_booking(**values)
    assert refused.value.code == code


@pytest.mark.parametrize("values", [{"id": 8}, {"user_id": 2}])
@pytest.mark.parametrize("status", ["confirmed", "waitlisted", "pending"])
def test_a_repeated_booking_is_cancelled(values, status):
    outcome = transform_booking(**values, status=status)
    assert inserted(outcome).status == "cancelled"
    assert warnings(outcome) == ["duplicate_booking"]


def test_a_cancelled_booking_repeats_nothing():
    outcome = transform_booking(
        id=8, status="cancelled", cancelled_at="2026-01-03T08:00:00", waitlist_position=2
    )
    booking = inserted(outcome)
    assert booking.cancelled_at == datetime(2026, 1, 3, 8, tzinfo=UTC)
    assert booking.waitlist_position is None
    assert warnings(outcome) == []


def test_a_booking_beyond_the_capacity_is_kept():
    outcome = transform_booking(id=9)
    assert inserted(outcome).status == "confirmed"
    assert warnings(outcome) == ["overbooked"]


def test_only_a_cancelled_booking_has_a_time_of_cancelling():
    assert inserted(transform_booking(cancelled_at="2026-01-03")).cancelled_at is None
