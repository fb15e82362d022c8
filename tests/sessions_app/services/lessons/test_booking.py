"""Booking, the queue, leaving, and what it costs."""

import random
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.lesson_errors import (
    AlreadyBooked,
    AlreadyCancelled,
    AlreadyConfirmed,
    BookingClosed,
    CancellationClosed,
    Forbidden,
    InsufficientCredits,
    LessonError,
    LessonFull,
    LessonNotOpen,
    NotFound,
)
from sessions_app.models import (
    Booking,
    BookingStatus,
    CreditTransaction,
    Lesson,
    Profile,
    SemesterStatus,
    SessionStatus,
)
from sessions_app.services.lessons import (
    LessonValues,
    book_lesson,
    cancel_booking,
    confirm_booking,
    update_lesson,
)
from tests.sessions_app import academy
from tests.sessions_app.academy import HOUR, NOW, TICK, at_now
from tests.sessions_app.lesson_factories import PersonFactory

pytestmark = pytest.mark.django_db


def book(lesson: Lesson, student: User) -> Booking:
    return book_lesson(lesson.session.session_id, acting_user=student, clock=at_now)


def cancel(booking: Booking, by: User) -> Booking:
    return cancel_booking(booking.pk, acting_user=by, clock=at_now)


def places(lesson: Lesson) -> list[tuple[int, str, int | None]]:
    """Student, status and position of every booking, in the order they were made."""
    rows = Booking.objects.filter(lesson=lesson).order_by("id")
    return list(rows.values_list("student_id", "status", "waitlist_position"))


def balance(student: User) -> int:
    return Profile.objects.get(user=student).credit_balance


def transactions(student: User) -> list[tuple[str, int, int]]:
    rows = CreditTransaction.objects.filter(user=student).order_by("id")
    return list(rows.values_list("reason", "amount", "balance_after"))


def test_a_student_gets_a_seat_while_there_is_one_and_then_a_place_in_the_queue():
    lesson = academy.lesson(capacity=2)
    students = [academy.student() for _ in range(4)]
    for student in students:
        book(lesson, student)
    assert places(lesson) == [
        (students[0].pk, "confirmed", None),
        (students[1].pk, "confirmed", None),
        (students[2].pk, "waitlisted", 1),
        (students[3].pk, "waitlisted", 2),
    ]


def test_a_booking_knows_when_it_was_made_and_has_history():
    lesson, student = academy.lesson(), academy.student()
    booking = book(lesson, student)
    booking.refresh_from_db()
    assert booking.created_at == NOW
    (row,) = booking.history.all()
    assert (row.history_type, row.history_user, row.history_change_reason) == (
        "+",
        student,
        "booked",
    )


def test_booking_is_open_until_24_hours_before_the_start():
    in_time, late = academy.lesson(starts_in=24 * HOUR), academy.lesson(starts_in=24 * HOUR - TICK)
    assert book(in_time, academy.student()).status == BookingStatus.CONFIRMED
    with pytest.raises(BookingClosed) as refused:
        book(late, academy.student())
    assert (refused.value.http_status, refused.value.code) == (409, "booking_closed")


@pytest.mark.parametrize("status", ["active", "completed", "cancelled"])
def test_only_scheduled_lessons_can_be_booked(status):
    with pytest.raises(LessonNotOpen):
        book(academy.lesson(status=status), academy.student())


def test_only_students_book():
    semester = academy.semester(master_instructor=academy.instructor())
    lesson = academy.lesson(semester=semester)
    for user in (
        academy.admin(),
        semester.master_instructor,
        User.objects.create_superuser("root"),
    ):
        assert user is not None
        with pytest.raises(Forbidden):
            book(lesson, user)


def test_hidden_lessons_are_not_found():
    draft = academy.semester(status=SemesterStatus.DRAFT)
    for lesson in (academy.lesson(semester=draft), academy.lesson(target_specialization="keeper")):
        with pytest.raises(NotFound):
            book(lesson, academy.student(specialization="striker"))
    with pytest.raises(NotFound):
        book_lesson("lesson-nowhere", acting_user=academy.student())


def test_nobody_books_twice_and_may_book_anew_after_cancelling():
    lesson, student = academy.lesson(capacity=1), academy.student()
    first = book(lesson, student)
    with pytest.raises(AlreadyBooked):
        book(lesson, student)
    cancel(first, student)
    again = book(lesson, student)
    assert again.pk != first.pk
    assert [status for _, status, _ in places(lesson)] == ["cancelled", "confirmed"]


def test_an_old_queue_beside_free_seats_goes_before_a_new_booking():
    lesson = academy.lesson(capacity=2)
    waiters = [academy.student() for _ in range(2)]
    for position, waiter in ((3, waiters[0]), (7, waiters[1])):
        academy.waiting(lesson, waiter, position)
    student = academy.student()
    book(lesson, student)
    assert places(lesson) == [
        (waiters[0].pk, "confirmed", None),
        (waiters[1].pk, "confirmed", None),
        (student.pk, "waitlisted", 1),
    ]


def test_booking_charges_and_cancelling_in_time_refunds():
    lesson, student = academy.lesson(credit_cost=3), academy.student(credit_balance=5)
    booking = book(lesson, student)
    assert balance(student) == 2
    cancel(booking, student)
    assert balance(student) == 5
    assert transactions(student) == [("booking", -3, 2), ("refund", 3, 5)]
    assert set(CreditTransaction.objects.values_list("booking", "created_at")) == {
        (booking.pk, NOW)
    }
    reasons = Profile.objects.get(user=student).history.values_list(
        "history_change_reason", "credit_balance"
    )
    assert {("booking", 2), ("refund", 5)} <= set(reasons)


def test_what_was_paid_is_refunded_though_the_price_has_changed():
    lesson, student = academy.lesson(credit_cost=3), academy.student(credit_balance=5)
    booking = book(lesson, student)
    Lesson.objects.update(credit_cost=1)
    cancel(booking, student)
    assert balance(student) == 5


def test_a_place_in_the_queue_is_charged_once_and_refunded():
    lesson = academy.lesson(capacity=1, credit_cost=2)
    first, second = academy.student(), academy.student()
    seat, place = book(lesson, first), book(lesson, second)
    assert balance(second) == 8
    cancel(seat, first)
    place.refresh_from_db()
    assert place.status == BookingStatus.CONFIRMED
    assert transactions(second) == [("booking", -2, 8)]
    cancel(place, second)
    assert balance(second) == 10


def test_too_few_credits_are_refused_and_nothing_is_booked():
    lesson = academy.lesson(credit_cost=3)
    for student in (academy.student(credit_balance=2), PersonFactory.create()):
        with pytest.raises(InsufficientCredits) as refused:
            book(lesson, student)
        assert refused.value.http_status == 409
    assert not Booking.objects.exists()
    assert not CreditTransaction.objects.exists()


def test_a_free_lesson_needs_no_credits_and_leaves_no_transaction():
    lesson = academy.lesson(credit_cost=0)
    student = PersonFactory.create()
    cancel(book(lesson, student), student)
    assert not CreditTransaction.objects.exists()


def test_the_last_credit_can_be_spent():
    student = academy.student(credit_balance=1)
    book(academy.lesson(credit_cost=1), student)
    assert balance(student) == 0


def test_cancelling_is_open_until_12_hours_before_the_start():
    student = academy.student()
    in_time = academy.confirmed(academy.lesson(starts_in=12 * HOUR), student)
    late = academy.confirmed(academy.lesson(starts_in=12 * HOUR - TICK), student)
    assert cancel(in_time, student).cancelled_at == NOW
    with pytest.raises(CancellationClosed) as refused:
        cancel(late, student)
    assert (refused.value.http_status, refused.value.code) == (409, "cancellation_closed")
    late.refresh_from_db()
    assert late.status == BookingStatus.CONFIRMED


def test_cancelling_a_seat_gives_it_to_the_first_waiter_and_the_others_move_up():
    lesson = academy.lesson(capacity=1)
    students = [academy.student() for _ in range(4)]
    seat = academy.confirmed(lesson, students[0])
    # the order of the queue is that of the positions, not of the bookings
    for position, student in ((3, students[1]), (1, students[2]), (2, students[3])):
        academy.waiting(lesson, student, position)
    cancel(seat, students[0])
    assert places(lesson) == [
        (students[0].pk, "cancelled", None),
        (students[1].pk, "waitlisted", 2),
        (students[2].pk, "confirmed", None),
        (students[3].pk, "waitlisted", 1),
    ]


def test_moves_in_the_queue_are_in_the_history_by_who_caused_them():
    lesson = academy.lesson(capacity=1)
    leaves, first, second = (academy.student() for _ in range(3))
    seat = academy.confirmed(lesson, leaves)
    promoted, moved = academy.waiting(lesson, first, 1), academy.waiting(lesson, second, 2)
    cancel(seat, leaves)
    for booking, reason, position in ((promoted, "promoted", None), (moved, "moved up", 1)):
        row = booking.history.latest("history_date")
        assert (row.history_user, row.history_change_reason) == (leaves, reason)
        assert (row.history_type, row.waitlist_position) == ("~", position)


def test_nobody_is_promoted_while_an_old_lesson_is_overbooked():
    lesson = academy.lesson(capacity=1)
    seats = [academy.confirmed(lesson, academy.student()) for _ in range(2)]
    waiter = academy.student()
    academy.waiting(lesson, waiter, 1)
    cancel(seats[0], seats[0].student)
    assert places(lesson)[-1] == (waiter.pk, "waitlisted", 1)
    cancel(seats[1], seats[1].student)
    assert places(lesson)[-1] == (waiter.pk, "confirmed", None)


def test_cancelling_a_waiter_closes_the_gap():
    lesson = academy.lesson(capacity=1)
    academy.confirmed(lesson, academy.student())
    waiters = [academy.waiting(lesson, academy.student(), place) for place in (1, 2, 3)]
    cancel(waiters[1], waiters[1].student)
    assert [place for _, _, place in places(lesson)] == [None, 1, None, 2]
    assert [status for _, status, _ in places(lesson)] == [
        "confirmed",
        "waitlisted",
        "cancelled",
        "waitlisted",
    ]


def test_cancelling_twice_is_refused_and_refunds_once():
    lesson, student = academy.lesson(), academy.student()
    booking = book(lesson, student)
    cancel(booking, student)
    with pytest.raises(AlreadyCancelled) as refused:
        cancel(booking, student)
    assert refused.value.http_status == 409
    assert balance(student) == 10


def test_cancelling_twice_is_told_so_even_when_it_is_too_late():
    lesson, student = academy.lesson(starts_in=HOUR), academy.student()
    booking = Booking.objects.create(lesson=lesson, student=student, status="cancelled")
    with pytest.raises(AlreadyCancelled):
        cancel(booking, student)


def test_bookings_are_cancelled_by_the_student_or_whoever_runs_the_lesson():
    leads, teaches, assists = (academy.instructor() for _ in range(3))
    semester = academy.semester(master_instructor=leads)
    semester.assistants.add(assists)
    lesson = academy.lesson(semester=semester, instructor=teaches)
    for user in (academy.admin(), leads, teaches):
        booking = academy.confirmed(lesson, academy.student())
        assert cancel(booking, user).status == BookingStatus.CANCELLED
    booking = academy.confirmed(lesson, academy.student())
    for user in (assists, academy.student(), academy.instructor()):
        with pytest.raises(NotFound):
            cancel(booking, user)
    with pytest.raises(NotFound):
        cancel_booking(2**63, acting_user=academy.admin())


def test_a_cancelled_lesson_has_nothing_to_cancel():
    student = academy.student()
    booking = academy.confirmed(academy.lesson(status="cancelled"), student)
    with pytest.raises(LessonNotOpen):
        cancel(booking, student)


def test_staff_confirm_a_waiter_out_of_turn_while_a_seat_is_free():
    lesson = academy.lesson(capacity=2)
    waiters = [academy.waiting(lesson, academy.student(), place) for place in (1, 2, 3)]
    confirm_booking(waiters[2].pk, acting_user=academy.admin())
    # the seat that was left went to the first of the queue
    assert [(status, place) for _, status, place in places(lesson)] == [
        ("confirmed", None),
        ("waitlisted", 1),
        ("confirmed", None),
    ]


def test_staff_confirming_into_a_full_lesson_is_refused():
    lesson = academy.lesson(capacity=1)
    academy.confirmed(lesson, academy.student())
    waiter = academy.waiting(lesson, academy.student(), 1)
    with pytest.raises(LessonFull) as refused:
        confirm_booking(waiter.pk, acting_user=academy.admin())
    assert (refused.value.http_status, refused.value.code) == (409, "lesson_full")
    assert [status for _, status, _ in places(lesson)] == ["confirmed", "waitlisted"]


@pytest.mark.parametrize(
    ("status", "error"), [("confirmed", AlreadyConfirmed), ("cancelled", AlreadyCancelled)]
)
def test_only_waiters_are_confirmed(status, error: type[LessonError]):
    booking = Booking.objects.create(
        lesson=academy.lesson(), student=academy.student(), status=status
    )
    with pytest.raises(error):
        confirm_booking(booking.pk, acting_user=academy.admin())


def test_students_do_not_confirm():
    lesson = academy.lesson()
    student = academy.student()
    own, other = academy.waiting(lesson, student, 1), academy.waiting(lesson, academy.student(), 2)
    with pytest.raises(Forbidden):
        confirm_booking(own.pk, acting_user=student)
    with pytest.raises(NotFound):
        confirm_booking(other.pk, acting_user=student)


def test_leaving_takes_the_same_number_of_statements_whatever_the_queue():
    def statements(waiters: int) -> int:
        lesson = academy.lesson(capacity=1)
        seat = academy.confirmed(lesson, academy.student())
        for position in range(1, waiters + 1):
            academy.waiting(lesson, academy.student(), position)
        with CaptureQueriesContext(connection) as captured:
            cancel(seat, seat.student)
        return len(captured)

    assert statements(40) == statements(3)


def test_the_clock_is_that_of_the_system_unless_given():
    lesson, student = academy.lesson(), academy.student()  # long past by the system's clock
    with pytest.raises(BookingClosed):
        book_lesson(lesson.session.session_id, acting_user=student)
    before = lesson.starts_at - timedelta(days=2)
    booked = book_lesson(lesson.session.session_id, acting_user=student, clock=lambda: before)
    assert booked.created_at == before
    assert lesson.session.status == SessionStatus.SCHEDULED


def test_the_lesson_is_locked_without_its_key_so_that_rows_may_still_refer_to_it():
    lesson, student = academy.lesson(), academy.student()
    with CaptureQueriesContext(connection) as captured:
        book(lesson, student)
    locks = [query["sql"] for query in captured.captured_queries if " FOR " in query["sql"]]
    assert [sql.rpartition(" FOR ")[2] for sql in locks] == ["NO KEY UPDATE", "NO KEY UPDATE"]
    assert 'FROM "sessions_app_lesson"' in locks[0]
    assert 'FROM "sessions_app_profile"' in locks[1]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_people_do_no_seat_place_or_credit_is_lost(seed):
    chance = random.Random(seed)
    admin = academy.admin()
    lesson = academy.lesson(capacity=2, credit_cost=1)
    students = [academy.student(credit_balance=3) for _ in range(6)]
    name = lesson.session.session_id
    done = 0
    for _ in range(40):
        active = list(Booking.objects.active().filter(lesson=lesson).order_by("id"))
        booking = chance.choice(active) if active else None
        act = chance.choice(["book", "book", "cancel", "confirm", "seats"])
        try:
            if act == "book":
                book(lesson, chance.choice(students))
            elif act == "seats":
                seats: LessonValues = {"capacity": chance.randint(1, 4)}
                update_lesson(name, seats, acting_user=admin, clock=at_now)
            elif booking is None:
                continue
            elif act == "cancel":
                cancel(booking, booking.student)
            else:
                confirm_booking(booking.pk, acting_user=admin)
        except LessonError:
            continue
        done += 1
        require_sound(lesson, students)
    assert done > 10


def require_sound(lesson: Lesson, students: list[User]) -> None:
    lesson.refresh_from_db()
    bookings = Booking.objects.filter(lesson=lesson)
    seats, queue = bookings.confirmed().count(), bookings.waiting()
    places = list(queue.values_list("waitlist_position", flat=True))
    assert seats <= lesson.capacity
    assert places == list(range(1, len(places) + 1))
    assert not places or seats == lesson.capacity  # nobody waits beside a free seat
    for student in students:
        held = bookings.active().filter(student=student).count()
        assert balance(student) == 3 - held
        assert sum(amount for _, amount, _ in transactions(student)) == -held
    for booking in bookings:
        assert booking.history.latest("history_date").instance == booking
