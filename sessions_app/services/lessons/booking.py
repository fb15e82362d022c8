"""Booking a lesson and leaving it (lessons.md "Booking")."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.signing import save
from migrations_tools.states import Surface
from sessions_app.lesson_errors import (
    AlreadyBooked,
    AlreadyCancelled,
    AlreadyConfirmed,
    BookingClosed,
    CancellationClosed,
    Forbidden,
    LessonFull,
    LessonNotOpen,
    NotForStudent,
    NotFound,
)
from sessions_app.models import Booking, BookingStatus, Lesson, SessionStatus
from sessions_app.selectors.lessons import (
    Clock,
    Viewer,
    find_lesson,
    is_staff_of,
    system_clock,
    viewer_of,
    visible_to,
)
from sessions_app.services.lessons.common import (
    lock_known_lesson,
    lock_lesson,
    refusals_on_record,
)
from sessions_app.services.lessons.credits import charge, refund
from sessions_app.services.lessons.waitlist import count_confirmed, settle_waitlist

#: Both instants are in time.
BOOKING_CLOSES: Final = timedelta(hours=24)  # before the start
CANCELLATION_CLOSES: Final = timedelta(hours=12)  # before the start


def book_lesson(
    session_id: str,
    *,
    acting_user: User,
    student: User | None = None,
    surface: str = Surface.API,
    clock: Clock = system_clock,
) -> Booking:
    """A seat for the acting student, or the last place in the queue; charged either way.

    Whoever runs the lesson books for another ``student``, who must be one that sees the lesson.
    Raises NotFound, Forbidden, NotForStudent, LessonNotOpen, BookingClosed, AlreadyBooked or
    InsufficientCredits.
    """
    now = clock()
    viewer = viewer_of(acting_user)
    booked = acting_user if student is None else student
    with refusals_on_record(acting_user, surface, "book a lesson"), transaction.atomic():
        lesson = lock_lesson(session_id, viewer)
        _require_may_book(lesson, viewer, booked)
        _require_scheduled(lesson)
        if now > lesson.starts_at - BOOKING_CLOSES:
            raise BookingClosed(_("Bookings close 24 hours before the lesson."))
        if Booking.objects.active().filter(lesson=lesson, student=booked).exists():
            raise AlreadyBooked(_("This lesson is booked already."))
        queued = Booking.objects.waiting().filter(lesson=lesson).exists()
        if queued:  # an old queue beside free seats goes first
            settle_waitlist(lesson, acting_user=acting_user)
        booking = Booking(lesson=lesson, student=booked, created_at=now)
        if count_confirmed(lesson) >= lesson.capacity:
            booking.status = BookingStatus.WAITLISTED
            booking.waitlist_position = _last_position(lesson) + 1
        save(booking, acting_user=acting_user, reason="booked")
        charge(booking, lesson.credit_cost, acting_user=acting_user, now=now)
    return booking


def cancel_booking(
    booking_id: int,
    *,
    acting_user: User,
    surface: str = Surface.API,
    clock: Clock = system_clock,
) -> Booking:
    """Leave a lesson or its queue: refunded, and the first waiter gets the seat.

    By the student, or whoever runs the lesson. Raises NotFound, AlreadyCancelled, LessonNotOpen
    or CancellationClosed.
    """
    now = clock()
    viewer = viewer_of(acting_user)
    with refusals_on_record(acting_user, surface, "cancel a booking"), transaction.atomic():
        booking = _lock_booking(booking_id, viewer)
        if booking.student_id != viewer.user_id and not is_staff_of(booking.lesson, viewer):
            raise NotFound(_("There is no such booking."), booking=booking_id)
        if booking.status == BookingStatus.CANCELLED:
            raise AlreadyCancelled(_("This booking is cancelled already."))
        _require_scheduled(booking.lesson)
        if now > booking.lesson.starts_at - CANCELLATION_CLOSES:
            raise CancellationClosed(
                _("Bookings can be cancelled until 12 hours before the lesson.")
            )
        booking.status = BookingStatus.CANCELLED
        booking.waitlist_position, booking.cancelled_at = None, now
        save(booking, acting_user=acting_user, reason="cancelled")
        refund([booking], acting_user=acting_user, now=now)
        settle_waitlist(booking.lesson, acting_user=acting_user)
    return booking


def confirm_booking(booking_id: int, *, acting_user: User, surface: str = Surface.API) -> Booking:
    """Give a waiter a seat out of turn; for whoever runs the lesson.

    Raises NotFound, Forbidden, AlreadyConfirmed, AlreadyCancelled, LessonNotOpen or LessonFull.
    """
    viewer = viewer_of(acting_user)
    with refusals_on_record(acting_user, surface, "confirm a booking"), transaction.atomic():
        booking = _lock_booking(booking_id, viewer)
        if not is_staff_of(booking.lesson, viewer):
            if booking.student_id != viewer.user_id:
                raise NotFound(_("There is no such booking."), booking=booking_id)
            raise Forbidden(_("Only those who run a lesson confirm bookings."))
        if booking.status == BookingStatus.CONFIRMED:
            raise AlreadyConfirmed(_("This booking has a seat already."))
        if booking.status == BookingStatus.CANCELLED:
            raise AlreadyCancelled(_("This booking is cancelled."))
        _require_scheduled(booking.lesson)
        if count_confirmed(booking.lesson) >= booking.lesson.capacity:
            raise LessonFull(_("No seat is free."), capacity=booking.lesson.capacity)
        booking.status, booking.waitlist_position = BookingStatus.CONFIRMED, None
        save(booking, acting_user=acting_user, reason="confirmed")
        settle_waitlist(booking.lesson, acting_user=acting_user)
    return booking


def _require_may_book(lesson: Lesson, viewer: Viewer, student: User) -> None:
    """Students book for themselves, those who run a lesson for students who see it."""
    if student.pk == viewer.user_id:
        if not viewer.is_student:
            raise Forbidden(_("Only students book lessons."))
        return
    if not is_staff_of(lesson, viewer):
        raise Forbidden(_("Only those who run a lesson book it for others."))
    if student.is_active:
        theirs = viewer_of(student)
        if theirs.is_student and visible_to(theirs).filter(pk=lesson.pk).exists():
            return
    raise NotForStudent(_("This lesson is not for this person."), student=student.pk)


def _lock_booking(booking_id: int, viewer: Viewer) -> Booking:
    """The booking as it is once its lesson is locked. Raises NotFound, for hidden lessons too."""
    bookings = Booking.objects.filter(pk=booking_id)
    known = bookings.values_list("lesson__session__session_id", flat=True).first()
    if known is None:
        raise NotFound(_("There is no such booking."), booking=booking_id)
    try:
        lesson = lock_known_lesson(find_lesson(known, viewer), viewer)
    except NotFound:
        raise NotFound(_("There is no such booking."), booking=booking_id) from None
    booking = bookings.first()
    if booking is None:
        raise NotFound(_("There is no such booking."), booking=booking_id)
    booking.lesson = lesson
    return booking


def _require_scheduled(lesson: Lesson) -> None:
    if lesson.session.status != SessionStatus.SCHEDULED:
        raise LessonNotOpen(
            _("This lesson has begun, is over, or does not take place."),
            status=lesson.session.status,
        )


def _last_position(lesson: Lesson) -> int:
    last = Booking.objects.waiting().filter(lesson=lesson).last()
    return last.waitlist_position or 0 if last else 0
