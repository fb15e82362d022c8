"""Check-in, attendance and feedback."""

from datetime import timedelta
from decimal import Decimal

import pytest

from sessions_app.lesson_errors import (
    AlreadyCheckedIn,
    CheckInClosed,
    DidNotAttend,
    FeedbackClosed,
    FeedbackGiven,
    Forbidden,
    InvalidFields,
    LessonNotOpen,
    NotConfirmed,
    NotFound,
)
from sessions_app.models import Attendance, AttendanceStatus, Feedback, Lesson, SemesterStatus
from sessions_app.services.lessons import check_in, give_feedback, record_attendance
from tests.sessions_app import academy
from tests.sessions_app.academy import HOUR, NOW, TICK, at_now
from tests.sessions_app.lesson_factories import AttendanceFactory, BookingFactory

pytestmark = pytest.mark.django_db

QUARTER = timedelta(minutes=15)


def checked_in(lesson: Lesson, student) -> Attendance:
    check_in(lesson.session.session_id, acting_user=student, clock=at_now)
    return Attendance.objects.get(booking__lesson=lesson, booking__student=student)


@pytest.mark.parametrize("starts_in", [QUARTER, 0 * HOUR, -HOUR])
def test_check_in_is_open_from_15_minutes_before_the_start_to_the_end(starts_in):
    lesson, student = academy.lesson(starts_in=starts_in), academy.student()
    academy.confirmed(lesson, student)
    attendance = checked_in(lesson, student)
    assert (attendance.status, attendance.checked_in_at) == (AttendanceStatus.PRESENT, NOW)
    assert attendance.history.get().history_user == student


@pytest.mark.parametrize("starts_in", [QUARTER + TICK, -HOUR - TICK])
def test_check_in_is_closed_before_and_after(starts_in):
    lesson, student = academy.lesson(starts_in=starts_in), academy.student()
    academy.confirmed(lesson, student)
    with pytest.raises(CheckInClosed) as refused:
        checked_in(lesson, student)
    assert refused.value.http_status == 409
    assert not Attendance.objects.exists()


def test_check_in_needs_a_seat_in_a_lesson_that_takes_place():
    lesson, student = academy.lesson(starts_in=QUARTER), academy.student()
    with pytest.raises(NotFound):
        checked_in(lesson, student)
    BookingFactory.create(lesson=lesson, student=student, status="cancelled")
    with pytest.raises(NotFound):
        checked_in(lesson, student)
    academy.waiting(lesson, student, 1)
    with pytest.raises(NotConfirmed):
        checked_in(lesson, student)
    cancelled = academy.lesson(starts_in=QUARTER, status="cancelled")
    academy.confirmed(cancelled, student)
    with pytest.raises(LessonNotOpen):
        checked_in(cancelled, student)


def test_nobody_checks_in_twice():
    lesson, student = academy.lesson(starts_in=QUARTER), academy.student()
    academy.confirmed(lesson, student)
    checked_in(lesson, student)
    with pytest.raises(AlreadyCheckedIn):
        checked_in(lesson, student)


def test_check_in_leaves_what_was_recorded_before():
    lesson, student = academy.lesson(starts_in=-QUARTER), academy.student()
    AttendanceFactory.create(
        booking=academy.confirmed(lesson, student), status=AttendanceStatus.LATE
    )
    attendance = checked_in(lesson, student)
    assert (attendance.status, attendance.checked_in_at) == (AttendanceStatus.LATE, NOW)


def test_attendance_is_recorded_by_those_who_run_the_lesson():
    leads, teaches, assists = (academy.instructor() for _ in range(3))
    semester = academy.semester(master_instructor=leads)
    semester.assistants.add(assists)
    lesson, student = academy.lesson(semester=semester, instructor=teaches), academy.student()
    booking = academy.confirmed(lesson, student)
    name = lesson.session.session_id
    for user, status in zip(
        (leads, teaches, academy.admin()), ("present", "absent", "excused"), strict=True
    ):
        record_attendance(name, student.pk, AttendanceStatus(status), acting_user=user)
        attendance = Attendance.objects.get()  # one per booking
        assert (attendance.booking, attendance.status) == (booking, status)
        assert attendance.marked_by == user
    for user in (assists, student):
        with pytest.raises(Forbidden):
            record_attendance(name, student.pk, AttendanceStatus.PRESENT, acting_user=user)
    with pytest.raises(NotFound):
        record_attendance(
            name, student.pk, AttendanceStatus.PRESENT, acting_user=academy.instructor()
        )


def test_attendance_needs_a_known_status_and_a_seat():
    lesson, waiter = academy.lesson(), academy.student()
    academy.waiting(lesson, waiter, 1)
    admin, name = academy.admin(), lesson.session.session_id
    with pytest.raises(NotConfirmed):
        record_attendance(name, waiter.pk, AttendanceStatus.PRESENT, acting_user=admin)
    with pytest.raises(NotFound):
        record_attendance(name, 2**40, AttendanceStatus.PRESENT, acting_user=admin)
    with pytest.raises(InvalidFields):
        record_attendance(
            name,
            waiter.pk,
            "ill",  # type: ignore[arg-type]  # what a surface might hand over
            acting_user=admin,
        )


def attended(starts_in: timedelta, status: str = "present") -> tuple[Lesson, object]:
    lesson, student = academy.lesson(starts_in=starts_in), academy.student()
    AttendanceFactory.create(booking=academy.confirmed(lesson, student), status=status)
    return lesson, student


def rate(lesson: Lesson, student, rating: object = "4.5", comment: str = "") -> Feedback:
    return give_feedback(
        lesson.session.session_id,
        rating=rating,  # type: ignore[arg-type]  # some are what a surface might hand over
        comment=comment,
        acting_user=student,
        clock=at_now,
    )


@pytest.mark.parametrize("since_end", [0 * HOUR, 24 * HOUR])
@pytest.mark.parametrize("status", ["present", "late"])
def test_feedback_is_given_from_the_end_to_24_hours_after_by_those_who_came(since_end, status):
    lesson, student = attended(-HOUR - since_end, status)
    rate(lesson, student, comment="Good")
    feedback = Feedback.objects.get()
    assert (feedback.lesson, feedback.student, feedback.comment) == (lesson, student, "Good")
    assert (feedback.rating, feedback.created_at) == (Decimal("4.5"), NOW)


@pytest.mark.parametrize("since_end", [-TICK, 24 * HOUR + TICK])
def test_feedback_is_closed_before_and_after(since_end):
    with pytest.raises(FeedbackClosed) as refused:
        rate(*attended(-HOUR - since_end))
    assert refused.value.http_status == 409


@pytest.mark.parametrize("status", ["absent", "excused"])
def test_those_who_were_not_there_give_no_feedback(status):
    with pytest.raises(DidNotAttend) as refused:
        rate(*attended(-HOUR, status))
    assert refused.value.http_status == 403


def test_those_of_whom_nothing_is_recorded_give_no_feedback():
    lesson, student = academy.lesson(starts_in=-HOUR), academy.student()
    academy.confirmed(lesson, student)
    with pytest.raises(DidNotAttend):
        rate(lesson, student)
    other, _ = attended(-HOUR)
    with pytest.raises(DidNotAttend):
        rate(other, student)


def test_feedback_is_given_once():
    lesson, student = attended(-HOUR)
    rate(lesson, student)
    with pytest.raises(FeedbackGiven):
        rate(lesson, student, "1")
    assert Feedback.objects.get().rating == Decimal("4.5")


@pytest.mark.parametrize("rating", ["1", "1.0", 5, Decimal("4.25"), "5.00"])
def test_a_rating_is_from_1_to_5(rating):
    lesson, student = attended(-HOUR)
    rate(lesson, student, rating)
    assert Feedback.objects.get().rating == Decimal(rating)


@pytest.mark.parametrize(
    ("rating", "code"),
    [
        ("0.99", "out_of_range"),
        ("5.01", "out_of_range"),
        (0, "out_of_range"),
        ("4.125", "too_precise"),
        ("NaN", "invalid"),
        ("Infinity", "invalid"),
        ("good", "invalid"),
        ("", "invalid"),
        (None, "invalid"),
        (True, "invalid"),
    ],
)
def test_other_ratings_are_refused_by_their_field(rating, code):
    with pytest.raises(InvalidFields) as refused:
        rate(*attended(-HOUR), rating)
    assert [(fault.field, fault.code) for fault in refused.value.faults] == [("rating", code)]


@pytest.mark.parametrize("comment", ["a\0", "a\udc00"])
def test_a_comment_that_cannot_be_kept_is_refused_by_its_field(comment):
    with pytest.raises(InvalidFields) as refused:
        rate(*attended(-HOUR), comment=comment)
    assert [fault.field for fault in refused.value.faults] == ["comment"]


def test_a_hidden_lesson_takes_neither_check_in_nor_feedback():
    lesson, student = attended(-HOUR)
    lesson.semester.status = SemesterStatus.COMPLETED
    lesson.semester.save()
    with pytest.raises(NotFound):
        rate(lesson, student)
    with pytest.raises(NotFound):
        checked_in(lesson, student)
