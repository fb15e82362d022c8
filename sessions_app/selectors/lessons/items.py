"""A lesson as lists, details and calendars show it (lessons.md "List").

Of people it holds the instructor's id and name, and the booking of whoever looks; nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sessions_app.models import BookingStatus
from sessions_app.selectors.lessons.statistics import LessonStatistics
from sessions_app.selectors.lessons.viewers import Viewer

#: What one query reads of a lesson and its relations.
COLUMNS: Final = (
    "id",
    "session__session_id",
    "session__title",
    "session__description",
    "session__status",
    "session__created_at",
    "session__updated_at",
    "delivery",
    "starts_at",
    "ends_at",
    "capacity",
    "credit_cost",
    "location",
    "meeting_link",
    "target_specialization",
    "open_to_all",
    "sport_type",
    "level",
    "semester_id",
    "semester__code",
    "semester__name",
    "semester__master_instructor_id",
    "cohort_id",
    "cohort__name",
    "instructor_id",
    "instructor__first_name",
    "instructor__last_name",
    "instructor__username",
)


@dataclass(frozen=True, slots=True)
class SemesterReference:
    id: int
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Reference:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class OwnBooking:
    """The active booking of whoever looks."""

    id: int
    status: str
    waitlist_position: int | None


@dataclass(frozen=True, slots=True)
class LessonItem:
    """``capacity`` counts seats, ``credit_cost`` credits; ``average_rating`` is 1–5, None without
    feedback. ``session_id`` is the public id. ``meeting_link`` is None for those who may not know
    it.
    """

    id: int
    session_id: str
    title: str
    description: str
    status: str
    delivery: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    credit_cost: int
    location: str
    meeting_link: str | None
    target_specialization: str
    open_to_all: bool
    sport_type: str
    level: str
    created_at: datetime
    updated_at: datetime
    semester: SemesterReference
    cohort: Reference | None
    instructor: Reference | None
    booking_count: int
    confirmed_bookings: int
    waitlist_count: int
    attendance_count: int
    average_rating: float | None
    own_booking: OwnBooking | None


def make_item(row: dict[str, Any], found: LessonStatistics, viewer: Viewer) -> LessonItem:
    """``row`` holds `COLUMNS`."""
    own = None
    if found.own_booking is not None:
        own = OwnBooking(found.own_booking, found.own_status, found.own_position)
    return LessonItem(
        id=row["id"],
        session_id=row["session__session_id"],
        title=row["session__title"],
        description=row["session__description"],
        status=row["session__status"],
        delivery=row["delivery"],
        starts_at=row["starts_at"],
        ends_at=row["ends_at"],
        capacity=row["capacity"],
        credit_cost=row["credit_cost"],
        location=row["location"],
        meeting_link=row["meeting_link"] if _may_know_the_link(row, own, viewer) else None,
        target_specialization=row["target_specialization"],
        open_to_all=row["open_to_all"],
        sport_type=row["sport_type"],
        level=row["level"],
        created_at=row["session__created_at"],
        updated_at=row["session__updated_at"],
        semester=SemesterReference(
            row["semester_id"], row["semester__code"], row["semester__name"]
        ),
        cohort=Reference(row["cohort_id"], row["cohort__name"]) if row["cohort_id"] else None,
        instructor=_instructor(row),
        booking_count=found.bookings,
        confirmed_bookings=found.confirmed,
        waitlist_count=found.waitlisted,
        attendance_count=found.attendance,
        average_rating=found.average_rating,
        own_booking=own,
    )


def name_of(first_name: str, last_name: str, username: str) -> str:
    """How a person is called, never by an e-mail address."""
    return f"{first_name} {last_name}".strip() or username.partition("@")[0]


def _instructor(row: dict[str, Any]) -> Reference | None:
    if row["instructor_id"] is None:
        return None
    first, last = row["instructor__first_name"], row["instructor__last_name"]
    return Reference(row["instructor_id"], name_of(first, last, row["instructor__username"]))


def _may_know_the_link(row: dict[str, Any], own: OwnBooking | None, viewer: Viewer) -> bool:
    """Staff of the lesson (`viewers.is_staff_of`), and those who have a seat."""
    return (
        viewer.is_admin
        or viewer.user_id in (row["instructor_id"], row["semester__master_instructor_id"])
        or (own is not None and own.status == BookingStatus.CONFIRMED)
    )
