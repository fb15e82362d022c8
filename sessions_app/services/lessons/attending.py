"""Who came, and what they say of it (lessons.md "Check-in", "Feedback")."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.signing import save
from migrations_tools.states import Surface
from sessions_app.lesson_errors import (
    AlreadyCheckedIn,
    CheckInClosed,
    DidNotAttend,
    FeedbackClosed,
    FeedbackGiven,
    FieldFault,
    Forbidden,
    InvalidFields,
    LessonNotOpen,
    NotConfirmed,
    NotFound,
    text_fault,
)
from sessions_app.models import (
    Attendance,
    AttendanceStatus,
    Booking,
    BookingStatus,
    Feedback,
    Lesson,
    SessionStatus,
)
from sessions_app.selectors.lessons import Clock, is_staff_of, system_clock, viewer_of
from sessions_app.services.lessons.common import lock_lesson, on_scale, refusals_on_record

#: All these instants are in time.
CHECK_IN_OPENS: Final = timedelta(minutes=15)  # before the start; it closes at the end
FEEDBACK_CLOSES: Final = timedelta(hours=24)  # after the end; it opens at the end

#: Those who may say how a lesson was.
_ATTENDED: Final = (AttendanceStatus.PRESENT, AttendanceStatus.LATE)


def check_in(
    session_id: str,
    *,
    acting_user: User,
    student: User | None = None,
    surface: str = Surface.API,
    clock: Clock = system_clock,
) -> Attendance:
    """The acting student is there. What staff recorded before stays; only the time is added.

    Whoever runs the lesson checks another ``student`` in. Raises NotFound, Forbidden, NotConfirmed,
    LessonNotOpen (cancelled), CheckInClosed or AlreadyCheckedIn.
    """
    now = clock()
    viewer = viewer_of(acting_user)
    present = acting_user if student is None else student
    with refusals_on_record(acting_user, surface, "check in"), transaction.atomic():
        lesson = lock_lesson(session_id, viewer)
        if present.pk != acting_user.pk and not is_staff_of(lesson, viewer):
            raise Forbidden(_("Only those who run a lesson check others in."))
        booking = seat_of(lesson, present.pk)
        if lesson.session.status == SessionStatus.CANCELLED:
            raise LessonNotOpen(_("This lesson does not take place."), status=lesson.session.status)
        if not lesson.starts_at - CHECK_IN_OPENS <= now <= lesson.ends_at:
            raise CheckInClosed(_("Check-in is from 15 minutes before the lesson to its end."))
        attendance = Attendance.objects.filter(booking=booking).first() or Attendance(
            booking=booking, status=AttendanceStatus.PRESENT
        )
        if attendance.checked_in_at is not None:
            raise AlreadyCheckedIn(_("This booking is checked in already."))
        attendance.checked_in_at = now
        save(attendance, acting_user=acting_user, reason="checked in")
    return attendance


def record_attendance(
    session_id: str,
    student_id: int,
    status: AttendanceStatus,
    *,
    acting_user: User,
    surface: str = Surface.API,
) -> Attendance:
    """Whether a student came; recorded again, the last word counts.

    By the lesson's instructor, the semester's master or an admin. Raises NotFound, Forbidden,
    InvalidFields or NotConfirmed.
    """
    viewer = viewer_of(acting_user)
    with refusals_on_record(acting_user, surface, "record attendance"), transaction.atomic():
        lesson = lock_lesson(session_id, viewer)
        if not is_staff_of(lesson, viewer):
            raise Forbidden(_("Only those who run a lesson record who came."))
        if status not in AttendanceStatus.values:
            known = ", ".join(AttendanceStatus.values)
            raise InvalidFields(
                [FieldFault("status", "invalid_choice", _("None of %(known)s.") % {"known": known})]
            )
        booking = seat_of(lesson, student_id)
        attendance = Attendance.objects.filter(booking=booking).first() or Attendance(
            booking=booking
        )
        attendance.status, attendance.marked_by = status, acting_user
        save(attendance, acting_user=acting_user, reason="recorded")
    return attendance


def give_feedback(
    session_id: str,
    *,
    rating: Decimal | int | str,
    comment: str = "",
    acting_user: User,
    surface: str = Surface.API,
    clock: Clock = system_clock,
) -> Feedback:
    """The acting student's rating, 1–5 with up to two decimals.

    Raises NotFound, InvalidFields, DidNotAttend, FeedbackClosed or FeedbackGiven.
    """
    now = clock()
    viewer = viewer_of(acting_user)
    with refusals_on_record(acting_user, surface, "give feedback"), transaction.atomic():
        lesson = lock_lesson(session_id, viewer)
        value = on_scale("rating", rating)
        if fault := text_fault("comment", comment):
            raise InvalidFields([fault])
        came = Attendance.objects.filter(
            booking__lesson=lesson, booking__student=acting_user, status__in=_ATTENDED
        )
        if not came.exists():
            raise DidNotAttend(_("Only those who were there say how it was."))
        if not lesson.ends_at <= now <= lesson.ends_at + FEEDBACK_CLOSES:
            raise FeedbackClosed(_("Feedback is given within 24 hours after the lesson."))
        if Feedback.objects.filter(lesson=lesson, student=acting_user).exists():
            raise FeedbackGiven(_("You have given your feedback already."))
        feedback = Feedback(
            lesson=lesson, student=acting_user, rating=value, comment=comment, created_at=now
        )
        save(feedback, acting_user=acting_user, reason="given")
    return feedback


def seat_of(lesson: Lesson, student_id: int) -> Booking:
    """The student's confirmed booking. Raises NotFound without an active one, NotConfirmed."""
    booking = Booking.objects.active().filter(lesson=lesson, student=student_id).first()
    if booking is None:
        raise NotFound(_("There is no booking of this student."), student=student_id)
    if booking.status != BookingStatus.CONFIRMED:
        raise NotConfirmed(
            _("This booking has no seat."), waitlist_position=booking.waitlist_position
        )
    return booking
