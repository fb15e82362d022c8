"""People who act at the same moment, each by a connection of its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from sessions_app.lesson_errors import LessonError, LessonHasRecords, NotFound
from sessions_app.models import Booking, BookingStatus, CreditTransaction, Lesson, Profile
from sessions_app.services.lessons import (
    book_lesson,
    cancel_booking,
    delete_lesson,
    update_lesson,
)
from tests.sessions_app import academy
from tests.sessions_app.academy import at_now

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(actions: Sequence[Callable[[], object]]) -> list[LessonError | None]:
    """What each action was refused with, all begun at the same moment."""
    barrier = Barrier(len(actions), timeout=60)

    def act(action: Callable[[], object]) -> LessonError | None:
        try:
            connection.ensure_connection()
            barrier.wait()
            action()
        except LessonError as error:
            return error
        finally:
            connection.close()
        return None

    with ThreadPoolExecutor(len(actions)) as pool:
        return list(pool.map(act, actions))


def booker(lesson: Lesson, student) -> Callable[[], object]:
    name = lesson.session.session_id
    return lambda: book_lesson(name, acting_user=student, clock=at_now)


def canceller(booking: Booking) -> Callable[[], object]:
    return lambda: cancel_booking(booking.pk, acting_user=booking.student, clock=at_now)


def positions(lesson: Lesson) -> list[int | None]:
    waiting = Booking.objects.waiting().filter(lesson=lesson)
    return list(waiting.values_list("waitlist_position", flat=True))


def test_20_bookings_for_5_places_confirm_5_and_queue_15_without_gaps():
    lesson = academy.lesson(capacity=5)
    students = [academy.student(credit_balance=1) for _ in range(20)]
    assert at_once([booker(lesson, student) for student in students]) == [None] * 20
    assert Booking.objects.confirmed().filter(lesson=lesson).count() == 5
    assert positions(lesson) == list(range(1, 16))
    assert CreditTransaction.objects.count() == 20
    assert set(Profile.objects.filter(role="student").values_list("credit_balance", flat=True)) == {
        0
    }


def test_two_cancellations_promote_two_different_waiters():
    lesson = academy.lesson(capacity=2)
    seats = [academy.confirmed(lesson, academy.student()) for _ in range(2)]
    waiters = [academy.waiting(lesson, academy.student(), place) for place in (1, 2, 3)]
    assert at_once([canceller(seat) for seat in seats]) == [None, None]
    promoted = Booking.objects.confirmed().filter(lesson=lesson)
    assert set(promoted) == set(waiters[:2])
    assert positions(lesson) == [1]


def test_one_student_booking_in_many_windows_books_once():
    lesson, student = academy.lesson(), academy.student()
    refused = at_once([booker(lesson, student)] * 6)
    assert [error.code for error in refused if error] == ["already_booked"] * 5
    assert Booking.objects.count() == 1
    assert Profile.objects.get(user=student).credit_balance == 9


def test_one_balance_is_never_overdrawn_by_bookings_of_several_lessons():
    student = academy.student(credit_balance=3)
    lessons = [academy.lesson(credit_cost=1) for _ in range(6)]
    refused = at_once([booker(lesson, student) for lesson in lessons])
    assert [error.code for error in refused if error] == ["insufficient_credits"] * 3
    assert Profile.objects.get(user=student).credit_balance == 0
    assert Booking.objects.count() == 3


def test_cancelling_in_many_windows_refunds_once():
    lesson, student = academy.lesson(credit_cost=4), academy.student()
    booking = book_lesson(lesson.session.session_id, acting_user=student, clock=at_now)
    refused = at_once([canceller(booking)] * 4)
    assert [error.code for error in refused if error] == ["already_cancelled"] * 3
    assert Profile.objects.get(user=student).credit_balance == 10


def test_fewer_seats_and_a_booking_at_once_never_overbook():
    admin = academy.admin()
    for _ in range(4):
        lesson = academy.lesson(capacity=2)
        academy.confirmed(lesson, academy.student())
        name = lesson.session.session_id

        def shrink(name: str = name) -> object:
            return update_lesson(name, {"capacity": 1}, acting_user=admin, clock=at_now)

        at_once([shrink, booker(lesson, academy.student())])
        lesson.refresh_from_db()
        assert Booking.objects.confirmed().filter(lesson=lesson).count() <= lesson.capacity


def test_a_lesson_is_booked_or_deleted_and_never_both():
    admin = academy.admin()
    for _ in range(4):
        lesson = academy.lesson()
        name = lesson.session.session_id

        def remove(name: str = name) -> None:
            delete_lesson(name, acting_user=admin)

        deleted, booked = at_once([remove, booker(lesson, academy.student())])
        exists = Lesson.objects.filter(pk=lesson.pk).exists()
        assert exists == Booking.objects.filter(lesson=lesson.pk).exists()
        if exists:
            assert isinstance(deleted, LessonHasRecords)
            assert booked is None
        else:
            assert deleted is None
            assert isinstance(booked, NotFound)


def test_bookings_and_cancellations_of_one_lesson_leave_a_queue_without_gaps():
    lesson = academy.lesson(capacity=3)
    held = [academy.confirmed(lesson, academy.student()) for _ in range(3)]
    held += [academy.waiting(lesson, academy.student(), place) for place in (1, 2, 3)]
    newcomers = [booker(lesson, academy.student()) for _ in range(5)]
    assert at_once([*map(canceller, held[::2]), *newcomers]) == [None] * 8
    assert Booking.objects.filter(status=BookingStatus.CONFIRMED).count() == 3
    assert positions(lesson) == [1, 2, 3, 4, 5]
