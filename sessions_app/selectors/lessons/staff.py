"""What members of staff look at in the admin; what they may do, `viewers` and the services say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import User
from django.db.models import Case, Count, Exists, OuterRef, Q, QuerySet, When

from sessions_app.models import (
    Booking,
    BookingStatus,
    Feedback,
    Lesson,
    Role,
    Semester,
    SessionStatus,
)
from sessions_app.models.lessons.lesson import LessonQuerySet
from sessions_app.selectors.lessons.items import name_of
from sessions_app.selectors.lessons.viewers import Viewer, viewer_of, visible_to

#: The group that looks at its own lessons (docs/rights.md).
INSTRUCTORS: Final = "Instructor"
MOST_BOOKINGS: Final = 300  # of a lesson that its page shows
MOST_FEEDBACK: Final = 50
_ORDER: Final = (BookingStatus.CONFIRMED, BookingStatus.WAITLISTED, BookingStatus.CANCELLED)


@dataclass(frozen=True)
class FeedbackItem:
    """What a student said of a lesson; of the person the name only."""

    student: str
    rating: Decimal
    comment: str


def reader_of(user: User) -> Viewer:
    """Whose eyes lists of the admin look with: instructors have their own; others, whom a
    permission lets look at lessons, see them all. For reading only: actions ask `viewer_of`.

    An instructor is who has the role, and who is of the group, whatever the profile says: a
    profile that was forgotten must not open the lessons of all.
    """
    viewer = viewer_of(user)
    if viewer.is_admin or viewer.role == Role.INSTRUCTOR:
        return viewer
    own = user.groups.filter(name=INSTRUCTORS).exists()
    return replace(viewer, role=Role.INSTRUCTOR if own else Role.ADMIN)


def run_by(viewer: Viewer) -> LessonQuerySet:
    """The lessons that are the viewer's to run, see `viewers.is_staff_of`."""
    lessons = Lesson.objects.all()
    if viewer.is_admin:
        return lessons
    own = viewer.user_id
    led = Semester.objects.filter(master_instructor=own)
    return lessons.filter(Q(instructor=own) | Q(semester__in=led.values("pk")))


def bookings_of(lesson: Lesson) -> list[Booking]:
    """With student and attendance, by one query: seats first, then the queue, then the cancelled
    ones.
    """
    order = [When(status=status, then=place) for place, status in enumerate(_ORDER)]
    rows = Booking.objects.filter(lesson=lesson).select_related("student", "attendance")
    return list(rows.order_by(Case(*order), "waitlist_position", "id")[:MOST_BOOKINGS])


def teachers() -> QuerySet[User]:
    """Who may give lessons, and who gives one already, whatever the old system let in."""
    roles = Q(profile__role__in=(Role.INSTRUCTOR, Role.ADMIN)) | Q(is_superuser=True)
    giving = Lesson.objects.filter(instructor__isnull=False).values("instructor")
    return User.objects.filter(roles | Q(pk__in=giving)).order_by("username")


@dataclass(frozen=True)
class Waited:
    """How many coming lessons have a waitlist, and how many people stand in them."""

    lessons: int
    people: int


def with_waitlist(lessons: LessonQuerySet, now: datetime) -> LessonQuerySet:
    """Scheduled lessons that have not begun and that somebody waits for."""
    waiting = Booking.objects.waiting().filter(lesson=OuterRef("pk"))
    return lessons.filter(
        Exists(waiting), session__status=SessionStatus.SCHEDULED, starts_at__gte=now
    )


def waited_for(viewer: Viewer, now: datetime) -> Waited:
    """Of the lessons that the viewer sees, by one query."""
    seen = with_waitlist(visible_to(viewer), now)
    bookings = Booking.objects.filter(status=BookingStatus.WAITLISTED, lesson__in=seen.values("pk"))
    found = bookings.aggregate(lessons=Count("lesson", distinct=True), people=Count("pk"))
    return Waited(found["lessons"], found["people"])


def feedback_of(lesson: Lesson) -> list[FeedbackItem]:
    """The newest first, by one query."""
    rows = Feedback.objects.filter(lesson=lesson).order_by("-created_at", "-id")
    columns = ("student__first_name", "student__last_name", "student__username")
    return [
        FeedbackItem(name_of(first, last, username), rating, comment)
        for first, last, username, rating, comment in rows.values_list(
            *columns, "rating", "comment"
        )[:MOST_FEEDBACK]
    ]
