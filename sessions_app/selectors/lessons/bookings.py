"""Bookings: one's own, and those of a lesson for whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User

from sessions_app.lesson_errors import Forbidden
from sessions_app.models import Booking
from sessions_app.selectors.lessons.filters import LessonFilters
from sessions_app.selectors.lessons.items import Reference, name_of
from sessions_app.selectors.lessons.listing import DEFAULT_PAGE_SIZE, LessonPage, list_lessons
from sessions_app.selectors.lessons.viewers import (
    Clock,
    find_lesson,
    is_staff_of,
    system_clock,
    viewer_of,
)

_COLUMNS: Final = (
    "id",
    "status",
    "waitlist_position",
    "created_at",
    "cancelled_at",
    "student_id",
    "student__first_name",
    "student__last_name",
    "student__username",
    "attendance__status",
    "attendance__checked_in_at",
)


@dataclass(frozen=True, slots=True)
class BookingItem:
    """A booking as staff see it: of the student id and name. ``attendance`` is None where nothing
    is recorded yet, ``checked_in_at`` where the student did not check in.
    """

    id: int
    student: Reference
    status: str
    waitlist_position: int | None
    created_at: datetime
    cancelled_at: datetime | None
    attendance: str | None
    checked_in_at: datetime | None


def my_lessons(
    user: User | AnonymousUser,
    *,
    page: int = 1,
    page_size: int = DEFAULT_PAGE_SIZE,
    clock: Clock = system_clock,
) -> LessonPage:
    """The lessons that ``user`` gives or has an active booking of, in the order of the list."""
    mine = LessonFilters(mine=True)
    return list_lessons(user, filters=mine, page=page, page_size=page_size, clock=clock)


def bookings_of_lesson(user: User | AnonymousUser, session_id: str) -> list[BookingItem]:
    """All bookings of a lesson, cancelled ones too: confirmed first, then the queue in its order.

    For whoever runs the lesson; others are refused. Raises NotFound, Forbidden.
    """
    viewer = viewer_of(user)
    lesson = find_lesson(session_id, viewer)
    if not is_staff_of(lesson, viewer):
        raise Forbidden("Only those who run a lesson see its bookings.")
    rows = Booking.objects.filter(lesson=lesson).values(*_COLUMNS)
    order = {"confirmed": 0, "waitlisted": 1, "cancelled": 2}
    return sorted(
        map(_item, rows),
        key=lambda item: (order[item.status], item.waitlist_position or 0, item.id),
    )


def _item(row: Mapping[str, Any]) -> BookingItem:
    names = (row["student__first_name"], row["student__last_name"], row["student__username"])
    return BookingItem(
        id=row["id"],
        student=Reference(row["student_id"], name_of(*names)),
        status=row["status"],
        waitlist_position=row["waitlist_position"],
        created_at=row["created_at"],
        cancelled_at=row["cancelled_at"],
        attendance=row["attendance__status"],
        checked_in_at=row["attendance__checked_in_at"],
    )
