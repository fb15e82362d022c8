"""Bookings: one's own, and those of a lesson for whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from sessions_app.lesson_errors import Forbidden, NotFound
from sessions_app.models import Booking
from sessions_app.models.lessons.booking import BookingQuerySet
from sessions_app.selectors.lessons.filters import LessonFilters
from sessions_app.selectors.lessons.items import Reference, name_of
from sessions_app.selectors.lessons.listing import DEFAULT_PAGE_SIZE, LessonPage, list_lessons
from sessions_app.selectors.lessons.viewers import (
    Clock,
    Viewer,
    find_lesson,
    is_staff_of,
    system_clock,
    viewer_of,
    visible_to,
)

_COLUMNS: Final = (
    "id",
    "lesson_id",
    "lesson__session__session_id",
    "lesson__session__title",
    "lesson__session__status",
    "lesson__starts_at",
    "lesson__ends_at",
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
class BookedLesson:
    """What of its lesson a booking shows; ``session_id`` is the public id."""

    id: int
    session_id: str
    title: str
    status: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class BookingItem:
    """A booking as its student and staff see it: of the student id and name. ``attendance`` is
    None where nothing is recorded yet, ``checked_in_at`` where the student did not check in.
    """

    id: int
    lesson: BookedLesson
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
        raise Forbidden(_("Only those who run a lesson see its bookings."))
    rows = booking_rows(Booking.objects.filter(lesson=lesson))
    order = {"confirmed": 0, "waitlisted": 1, "cancelled": 2}
    return sorted(
        map(booking_item, rows),
        key=lambda item: (order[item.status], item.waitlist_position or 0, item.id),
    )


def visible_bookings(viewer: Viewer) -> BookingQuerySet:
    """Bookings of visible lessons: one's own, and all of the lessons that one runs."""
    if viewer.is_admin:
        return Booking.objects.all()
    own = Q(student=viewer.user_id)
    led = Q(lesson__semester__master_instructor=viewer.user_id)
    given = Q(lesson__instructor=viewer.user_id)
    seen = Booking.objects.filter(lesson__in=visible_to(viewer).values("pk"))
    return seen.filter(own | led | given)


def booking_rows(bookings: QuerySet[Booking]) -> QuerySet[Booking, dict[str, Any]]:
    """What `booking_item` needs of each booking, by one query."""
    rows: QuerySet[Booking, dict[str, Any]] = bookings.values(*_COLUMNS)
    return rows


def get_booking(user: User | AnonymousUser, booking_id: int) -> BookingItem:
    """One booking. Raises NotFound, for hidden ones too."""
    row = booking_rows(visible_bookings(viewer_of(user)).filter(pk=booking_id)).first()
    if row is None:
        raise NotFound(_("There is no such booking."), booking=booking_id)
    return booking_item(row)


def booking_item(row: Mapping[str, Any]) -> BookingItem:
    """A row of `booking_rows`."""
    names = (row["student__first_name"], row["student__last_name"], row["student__username"])
    return BookingItem(
        id=row["id"],
        lesson=BookedLesson(
            id=row["lesson_id"],
            session_id=row["lesson__session__session_id"],
            title=row["lesson__session__title"],
            status=row["lesson__session__status"],
            starts_at=row["lesson__starts_at"],
            ends_at=row["lesson__ends_at"],
        ),
        student=Reference(row["student_id"], name_of(*names)),
        status=row["status"],
        waitlist_position=row["waitlist_position"],
        created_at=row["created_at"],
        cancelled_at=row["cancelled_at"],
        attendance=row["attendance__status"],
        checked_in_at=row["attendance__checked_in_at"],
    )
