"""Every check of the verification finds what it is for, and names the old row."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models import F

from migrations_tools.definitions import SQLCheck
from migrations_tools.verification.sql_checks import run_check
from sessions_app.data_migrations.lessons.checks import CHECKS
from sessions_app.data_migrations.upgrade_lessons import UpgradeLessons
from sessions_app.models import (
    Attendance,
    Booking,
    Feedback,
    LegacyBooking,
    LegacyIdentity,
    LegacyLesson,
    Lesson,
    Semester,
    Session,
)
from tests.sessions_app.data_migrations.lessons.academy import (
    LESSON,
    SEMESTER,
    booking,
    open_academy,
    stage,
    upgrade,
)

pytestmark = pytest.mark.django_db(transaction=True)

CODES = {
    code
    for check in CHECKS
    for code in ([check.code] if isinstance(check, SQLCheck) else check.titles)
}


def failing() -> dict[str, list[str]]:
    """Keys of the wrong rows, by code."""
    return {
        result.code: [named["key"] for named in result.sample]
        for check in UpgradeLessons.checks
        for result in run_check(check)
        if result.failures
    }


def edited() -> dict[str, int]:
    return {
        result.code: result.edited_since
        for check in UpgradeLessons.checks
        for result in run_check(check)
        if result.edited_since
    }


def waiting(key: str) -> object:
    return Booking.objects.filter(legacy_rows__key=key)


DAMAGE: dict[str, tuple[list[str], Callable[[], object]]] = {
    "link_dangling": (["5"], lambda: LegacyBooking.objects.filter(key="5").update(booking_id=0)),
    "link_not_one_to_one": (
        ["1"],
        lambda: LegacyLesson.objects.filter(key="2").update(
            lesson=LegacyLesson.objects.get(key="1").lesson
        ),
    ),
    "link_lost": (["5"], lambda: LegacyBooking.objects.filter(key="5").update(booking=None)),
    "lesson_id_differs": (
        ["1"],
        lambda: Session.objects.filter(session_id="lesson-1").update(session_id="lesson-9"),
    ),
    "lesson_title_differs": (
        ["1"],
        lambda: Session.objects.filter(session_id="lesson-1").update(title="Shooting"),
    ),
    "lesson_time_differs": (
        ["1"],
        lambda: Lesson.objects.filter(capacity=1).update(
            starts_at=F("starts_at") + timedelta(minutes=1)
        ),
    ),
    "lesson_numbers_differ": (
        ["1"],
        lambda: Lesson.objects.filter(capacity=1).update(credit_cost=9),
    ),
    "lesson_delivery_differs": (
        ["1"],
        lambda: Lesson.objects.filter(capacity=1).update(delivery="hybrid", meeting_link=None),
    ),
    "lesson_link_differs": (
        ["1"],
        lambda: Lesson.objects.filter(capacity=1).update(meeting_link="https://other.example.com"),
    ),
    "lesson_semester_differs": (
        ["2"],
        lambda: Lesson.objects.filter(capacity=20).update(
            cohort=None, semester=Semester.objects.get(code="AUTUMN")
        ),
    ),
    "booking_points_elsewhere": (
        ["5"],
        lambda: waiting("5").update(  # type: ignore[attr-defined]
            student=LegacyIdentity.objects.get(legacy_id="9").user
        ),
    ),
    "booking_status_differs": (
        ["5"],
        lambda: waiting("5").update(status="cancelled"),  # type: ignore[attr-defined]
    ),
    "attendance_differs": (["1"], lambda: Attendance.objects.update(status="excused")),
    "feedback_differs": (["1"], lambda: Feedback.objects.update(rating="1.00")),
    "waitlist_gap": (
        ["3"],
        lambda: waiting("3").update(waitlist_position=5),  # type: ignore[attr-defined]
    ),
    "waitlist_order": (
        ["2"],
        lambda: Booking.objects.waiting().update(waitlist_position=3 - F("waitlist_position")),
    ),
}


@pytest.fixture(autouse=True)
def academy(tmp_path: Path) -> None:
    open_academy(tmp_path, capacity=1)
    stage(tmp_path, "semesters", SEMESTER | {"id": 2, "code": "AUTUMN"})
    stage(tmp_path, "lessons", LESSON | {"id": 2})
    stage(
        tmp_path,
        "bookings",
        booking(1, 1),
        booking(2, 2, "waitlisted", waitlist_position=4),
        booking(3, 3, "waitlisted", waitlist_position=6),
        booking(5, 5, session_id=2),
    )
    stage(tmp_path, "attendance", {"id": 1, "booking_id": 1, "status": "late"})
    stage(tmp_path, "feedback", {"id": 1, "user_id": 1, "session_id": 1, "rating": 4})
    upgrade()
    assert failing() == {}


def test_every_check_is_put_to_the_test() -> None:
    assert set(DAMAGE) == CODES


@pytest.mark.parametrize("code", sorted(DAMAGE))
def test_a_check_finds_what_it_is_for(code: str) -> None:
    keys, damage = DAMAGE[code]
    damage()
    assert failing()[code] == keys


def test_what_people_edited_is_counted_apart() -> None:
    session = Session.objects.get(session_id="lesson-1")
    session.title = "Shooting"
    session.save()
    cancelled = Booking.objects.get(legacy_rows__key="5")
    cancelled.status = "cancelled"
    cancelled.save()
    assert failing() == {}
    assert edited() == {"lesson_title_differs": 1, "booking_status_differs": 1}


def test_a_date_that_does_not_exist_stops_no_check() -> None:
    LegacyLesson.objects.filter(key="2").update(
        document=LESSON | {"date_start": "2026-02-30T10:00:00", "capacity": "1e5"}
    )
    assert failing() == {}
