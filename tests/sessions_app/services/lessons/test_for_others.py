"""What those who run a lesson do for its students, and what is kept of refusals."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from migrations_tools.models import Transition
from migrations_tools.states import Surface
from sessions_app.lesson_errors import BalanceChanged, Forbidden, NotForStudent, NotFound
from sessions_app.models import AttendanceStatus, Booking, Profile, SessionStatus
from sessions_app.services.lessons import (
    LessonValues,
    adjust_credits,
    book_lesson,
    cancel_booking,
    change_lesson_status,
    check_in,
    confirm_booking,
    create_lesson,
    delete_lesson,
    give_feedback,
    record_attendance,
    update_lesson,
)
from tests.sessions_app import academy
from tests.sessions_app.academy import at_now

pytestmark = pytest.mark.django_db


def refusals() -> list[dict[str, str]]:
    found = Transition.objects.filter(action="refused").order_by("id")
    return [{**row.details, "surface": row.surface, "by": row.actor.username} for row in found]


def test_who_runs_a_lesson_books_it_for_a_student_who_pays():
    teacher, student = academy.instructor(), academy.student(credit_balance=3)
    lesson = academy.lesson(instructor=teacher)
    booking = book_lesson(
        lesson.session.session_id, acting_user=teacher, student=student, clock=at_now
    )
    assert (booking.student, booking.status) == (student, "confirmed")
    assert booking.history.get().history_user == teacher
    assert Profile.objects.get(user=student).credit_balance == 2


def test_a_lesson_is_booked_only_for_students_who_see_it():
    admin = academy.admin()
    lesson = academy.lesson(target_specialization="goalkeeper")
    gone = academy.student(specialization="goalkeeper", is_active=False)
    for person in (academy.student(), academy.instructor(), gone):
        with pytest.raises(NotForStudent):
            book_lesson(lesson.session.session_id, acting_user=admin, student=person, clock=at_now)
    assert not Booking.objects.exists()


def test_students_book_and_check_in_nobody_else():
    lesson = academy.lesson(starts_in=timedelta())
    one, other = academy.student(), academy.student()
    academy.confirmed(lesson, other)
    sid = lesson.session.session_id
    with pytest.raises(Forbidden):
        book_lesson(sid, acting_user=one, student=other, clock=at_now)
    with pytest.raises(Forbidden):
        check_in(sid, acting_user=one, student=other, clock=at_now)


def test_who_runs_a_lesson_checks_a_student_in():
    teacher, student = academy.instructor(), academy.student()
    lesson = academy.lesson(instructor=teacher, starts_in=timedelta())
    academy.confirmed(lesson, student)
    attendance = check_in(
        lesson.session.session_id, acting_user=teacher, student=student, clock=at_now
    )
    assert (attendance.status, attendance.checked_in_at) == ("present", academy.NOW)


def test_the_same_form_sent_twice_gives_credits_once():
    admin, student = academy.admin(), academy.student(credit_balance=1)
    adjust_credits(student, 4, note="Paid", acting_user=admin, seen_balance=1)
    with pytest.raises(BalanceChanged) as refused:
        adjust_credits(student, 4, note="Paid", acting_user=admin, seen_balance=1)
    assert refused.value.fields == {"credit_balance": 5}
    assert Profile.objects.get(user=student).credit_balance == 5


def test_every_refusal_of_a_known_person_is_on_record_and_nothing_else_is():
    student, teacher = academy.student(username="ann"), academy.instructor(username="tom")
    lesson = academy.lesson()
    sid = lesson.session.session_id
    own = academy.confirmed(lesson, student)
    values: LessonValues = {
        "title": "x",
        "semester": lesson.semester_id,
        "starts_at": lesson.starts_at,
        "ends_at": lesson.ends_at,
    }
    attempts: dict[str, Callable[[], object]] = {
        "schedule a lesson": lambda: create_lesson(values, acting_user=teacher, surface="admin"),
        "change a lesson": lambda: update_lesson(sid, {}, acting_user=student, surface="admin"),
        "delete a lesson": lambda: delete_lesson(sid, acting_user=student, surface="admin"),
        "make a lesson active": lambda: change_lesson_status(
            sid, SessionStatus.ACTIVE, acting_user=student, surface="admin"
        ),
        "book a lesson": lambda: book_lesson(
            sid, acting_user=student, student=teacher, surface="admin"
        ),
        "confirm a booking": lambda: confirm_booking(own.pk, acting_user=student, surface="admin"),
        "check in": lambda: check_in(sid, acting_user=student, student=teacher, surface="admin"),
        "record attendance": lambda: record_attendance(
            sid, student.pk, AttendanceStatus.PRESENT, acting_user=student, surface="admin"
        ),
        "give feedback": lambda: give_feedback(sid, rating=5, acting_user=student, surface="admin"),
        "adjust credits": lambda: adjust_credits(
            student, 1, note="x", acting_user=student, surface="admin"
        ),
    }
    for attempt in attempts.values():
        with pytest.raises(Forbidden):
            attempt()
    told = refusals()
    assert [row["deed"] for row in told] == list(attempts)
    assert {row["surface"] for row in told} == {Surface.ADMIN}
    assert [row["by"] for row in told] == ["tom"] + ["ann"] * 9
    with pytest.raises(NotFound):
        cancel_booking(own.pk, acting_user=academy.student())
    assert len(refusals()) == len(attempts)
