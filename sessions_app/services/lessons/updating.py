"""Changing, beginning, ending and deleting a lesson (lessons.md "Update", "Delete")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils.translation import gettext as _

from migrations_tools.signing import delete, save
from migrations_tools.states import Surface
from sessions_app.lesson_errors import (
    CapacityBelowConfirmed,
    Forbidden,
    InvalidFields,
    LessonHasRecords,
    StatusRefused,
)
from sessions_app.models import Booking, BookingStatus, Lesson, SessionStatus
from sessions_app.models.session import may_change
from sessions_app.selectors.lessons import Clock, is_staff_of, system_clock, viewer_of
from sessions_app.services.lessons.common import lock_lesson, refusals_on_record
from sessions_app.services.lessons.credits import refund
from sessions_app.services.lessons.rules import (
    read_facts,
    require_master,
    require_sound,
    with_place,
)
from sessions_app.services.lessons.values import LessonValues, cleaned, value_faults
from sessions_app.services.lessons.waitlist import count_confirmed, settle_waitlist

_OF_SESSION: Final = ("title", "description")
_REFERENCES: Final = {
    "semester": "semester_id",
    "cohort": "cohort_id",
    "instructor": "instructor_id",
}
_ATTRIBUTES: Final = (
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
)

#: What keeps a lesson from being deleted, in the order in which it is told. The last two are of
#: its session; lessons seldom have them.
_BLOCKING: Final = """
SELECT
    (SELECT count(*) FROM sessions_app_booking WHERE lesson_id = %(lesson)s) AS bookings,
    (SELECT count(*) FROM sessions_app_attendance a JOIN sessions_app_booking b
     ON b.id = a.booking_id WHERE b.lesson_id = %(lesson)s) AS attendance_records,
    (SELECT count(*) FROM sessions_app_feedback
     WHERE lesson_id = %(lesson)s) AS feedback_submissions,
    (SELECT count(*) FROM sessions_app_lessonproject
     WHERE lesson_id = %(lesson)s) AS project_associations,
    (SELECT count(*) FROM sessions_app_performancereview
     WHERE lesson_id = %(lesson)s) AS performance_reviews,
    (SELECT count(*) FROM sessions_app_sessionparticipant
     WHERE session_id = %(session)s) AS participants,
    (SELECT count(*) FROM sessions_app_sessionfile WHERE session_id = %(session)s) AS files
"""


def update_lesson(
    session_id: str,
    values: LessonValues,
    *,
    acting_user: User,
    surface: str = Surface.API,
    clock: Clock = system_clock,
    expected: Callable[[Lesson], None] = lambda lesson: None,
) -> Lesson:
    """Change what ``values`` names; the rules hold for what results. More seats promote waiters.
    ``expected`` looks at the locked lesson, and raises where it is not what the person means to
    change.

    Raises NotFound (lesson, semester), Forbidden, NotQualified, InvalidFields or
    CapacityBelowConfirmed.
    """
    now = clock()
    viewer = viewer_of(acting_user)
    with refusals_on_record(acting_user, surface, "change a lesson"), transaction.atomic():
        lesson = lock_lesson(session_id, viewer)
        require_master(lesson.semester, viewer)
        expected(lesson)
        faults = list(value_faults(values))
        if faults:
            raise InvalidFields(faults)
        before = _values_of(lesson)
        result = {**before, **cleaned(values)}
        facts = read_facts(result, viewer)
        require_sound(result, facts, viewer, instructor_before=before["instructor"])
        result = with_place(result, facts.semester)
        confirmed = count_confirmed(lesson)
        if result["capacity"] < confirmed and result["capacity"] != before["capacity"]:
            raise CapacityBelowConfirmed(
                _("%(confirmed)s bookings are confirmed.") % {"confirmed": confirmed},
                confirmed_bookings=confirmed,
            )
        _write(lesson, before, result, acting_user, now)
        more = result["capacity"] > before["capacity"]
        if more and now < lesson.starts_at and lesson.session.status == SessionStatus.SCHEDULED:
            settle_waitlist(lesson, acting_user=acting_user)
    return lesson


def change_lesson_status(
    session_id: str,
    status: SessionStatus,
    *,
    acting_user: User,
    surface: str = Surface.API,
    clock: Clock = system_clock,
) -> Lesson:
    """Begin, end or cancel a lesson, for whoever runs it; only its master or an admin cancels.

    Bookings of a cancelled lesson, and waiters of one that begins or – where the old system let
    them wait on – ends, are cancelled and refunded.
    Raises NotFound, Forbidden or StatusRefused.
    """
    now = clock()
    viewer = viewer_of(acting_user)
    deed = f"make a lesson {status}"
    with refusals_on_record(acting_user, surface, deed), transaction.atomic():
        lesson = lock_lesson(session_id, viewer)
        if status == SessionStatus.CANCELLED:
            require_master(lesson.semester, viewer)
        elif not is_staff_of(lesson, viewer):
            raise Forbidden(_("Only those who run a lesson begin and end it."))
        session = lesson.session
        if not may_change(session.kind, session.status, status):
            raise StatusRefused(
                _("A lesson that is %(status)s cannot become %(next)s.")
                % {"status": session.get_status_display(), "next": status.label},
                from_status=session.status,
                to_status=status,
            )
        session.status, session.updated_at = status, now
        save(
            session,
            acting_user=acting_user,
            reason="status changed",
            update_fields=["status", "updated_at"],
        )
        _release(lesson, status, acting_user, now)
    return lesson


def delete_lesson(session_id: str, *, acting_user: User, surface: str = Surface.API) -> None:
    """Delete a lesson that nothing refers to. Its history stays.

    Raises NotFound, Forbidden, or LessonHasRecords with what blocks it, cancelled bookings too.
    """
    viewer = viewer_of(acting_user)
    with refusals_on_record(acting_user, surface, "delete a lesson"), transaction.atomic():
        lesson = lock_lesson(session_id, viewer, to_delete=True)
        require_master(lesson.semester, viewer)
        blocking = _blocking(lesson)
        if blocking:
            told = ", ".join(f"{count} {name}" for name, count in blocking.items())
            raise LessonHasRecords(
                _("This lesson cannot be deleted: %(told)s.") % {"told": told.replace("_", " ")},
                blocking=blocking,
            )
        session = lesson.session
        delete(lesson, acting_user=acting_user, reason="deleted")
        delete(session, acting_user=acting_user, reason="deleted")


def _values_of(lesson: Lesson) -> dict[str, Any]:
    return {
        **{name: getattr(lesson.session, name) for name in _OF_SESSION},
        **{name: getattr(lesson, column) for name, column in _REFERENCES.items()},
        **{name: getattr(lesson, name) for name in _ATTRIBUTES},
    }


def _write(
    lesson: Lesson,
    before: Mapping[str, Any],
    result: Mapping[str, Any],
    acting_user: User,
    now: datetime,
) -> None:
    """Both rows where they differ; the session says when the lesson was last changed."""
    changed = {name: value for name, value in result.items() if value != before[name]}
    if not changed:
        return
    of_lesson = [name for name in changed if name not in _OF_SESSION]
    for name in of_lesson:
        setattr(lesson, _REFERENCES.get(name, name), changed[name])
    if of_lesson:
        save(lesson, acting_user=acting_user, reason="updated", update_fields=of_lesson)
    session = lesson.session
    of_session = [name for name in changed if name in _OF_SESSION]
    for name in of_session:
        setattr(session, name, changed[name])
    session.updated_at = now
    save(
        session,
        acting_user=acting_user,
        reason="updated",
        update_fields=[*of_session, "updated_at"],
    )


def _release(lesson: Lesson, status: SessionStatus, acting_user: User, now: datetime) -> None:
    """Cancel and refund those whom the lesson has no seat for any more."""
    bookings = Booking.objects.active().filter(lesson=lesson)
    if status != SessionStatus.CANCELLED:
        bookings = bookings.filter(status=BookingStatus.WAITLISTED)
    released = list(bookings)
    for booking in released:
        booking.status, booking.waitlist_position = BookingStatus.CANCELLED, None
        booking.cancelled_at = now
        save(booking, acting_user=acting_user, reason=f"lesson {status}")
    refund(released, acting_user=acting_user, now=now)


def _blocking(lesson: Lesson) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(_BLOCKING, {"lesson": lesson.pk, "session": lesson.session_id})
        names = [column.name for column in cursor.description]
        counts = zip(names, cursor.fetchone(), strict=True)
        return {name: count for name, count in counts if count}
