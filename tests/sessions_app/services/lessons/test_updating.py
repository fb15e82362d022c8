"""Changing, beginning, ending, cancelling and deleting a lesson."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from sessions_app.lesson_errors import (
    CapacityBelowConfirmed,
    Forbidden,
    InvalidFields,
    LessonHasRecords,
    NotFound,
    NotQualified,
    StatusRefused,
)
from sessions_app.models import (
    Booking,
    CreditTransaction,
    InstructorQualification,
    Lesson,
    LessonProject,
    PerformanceReview,
    Profile,
    Session,
    SessionFile,
    SessionStatus,
)
from sessions_app.services.lessons import (
    LessonValues,
    book_lesson,
    change_lesson_status,
    delete_lesson,
    update_lesson,
)
from tests.sessions_app import academy
from tests.sessions_app.academy import HOUR, NOW, at_now
from tests.sessions_app.factories import ProjectFactory
from tests.sessions_app.lesson_factories import (
    AttendanceFactory,
    BookingFactory,
    CohortFactory,
    FeedbackFactory,
)

pytestmark = pytest.mark.django_db

LINK = "https://meet.example.com/a"


@pytest.fixture
def master():
    return academy.instructor()


@pytest.fixture
def semester(master):
    return academy.semester(
        master_instructor=master, start_date=date(2026, 3, 1), end_date=date(2026, 3, 31)
    )


@pytest.fixture
def lesson(semester):
    return academy.lesson(semester=semester)


def update(lesson: Lesson, by, **values: Any) -> Lesson:
    given: LessonValues = values  # type: ignore[assignment]  # names are parameters of tests
    update_lesson(lesson.session.session_id, given, acting_user=by, clock=at_now)
    return Lesson.objects.with_relations().get(pk=lesson.pk)


def faults(lesson: Lesson, by, **values: Any) -> list[tuple[str, str]]:
    with pytest.raises(InvalidFields) as refused:
        update(lesson, by, **values)
    return [(fault.field, fault.code) for fault in refused.value.faults]


def test_only_what_was_sent_changes_and_both_rows_have_history(lesson, master):
    changed = update(lesson, master, title="Pressing", level="U14")
    assert (changed.session.title, changed.level, changed.capacity) == ("Pressing", "U14", 20)
    assert changed.session.updated_at == NOW
    for obj in (changed, changed.session):
        row = obj.history.latest("history_date")
        assert (row.history_type, row.history_user) == ("~", master)


def test_an_update_that_changes_nothing_writes_nothing(lesson, master):
    before = lesson.session.history.count(), lesson.history.count()
    changed = update(lesson, master, title=lesson.session.title, capacity=20)
    assert (lesson.session.history.count(), lesson.history.count()) == before
    assert changed.session.updated_at == lesson.session.updated_at


def test_a_lesson_with_bookings_can_be_updated(lesson, master):
    academy.confirmed(lesson, academy.student())
    assert update(lesson, master, location="Pitch 2").location == "Pitch 2"


def test_lessons_are_updated_by_the_master_and_admins(semester, lesson):
    assists, teaches = academy.instructor(), academy.instructor()
    semester.assistants.add(assists)
    academy.lesson(semester=semester, instructor=teaches)
    for user in (assists, teaches, academy.student()):
        with pytest.raises(Forbidden):
            update(lesson, user, title="x")
    with pytest.raises(NotFound):
        update(lesson, academy.instructor(), title="x")
    assert update(lesson, academy.admin(), title="x").session.title == "x"


@pytest.mark.parametrize(
    "name",
    [
        "title",
        "semester",
        "delivery",
        "starts_at",
        "ends_at",
        "capacity",
        "credit_cost",
        "open_to_all",
    ],
)
def test_null_for_a_required_field_is_refused(lesson, master, name):
    assert faults(lesson, master, **{name: None}) == [(name, "null")]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"title": " "}, ("title", "blank")),
        ({"ends_at": NOW + 47 * HOUR}, ("ends_at", "not_after_start")),
        ({"starts_at": NOW + 50 * HOUR}, ("ends_at", "not_after_start")),
        ({"starts_at": datetime(2026, 2, 27, tzinfo=UTC)}, ("starts_at", "outside_semester")),
        ({"ends_at": datetime(2026, 4, 2, tzinfo=UTC)}, ("ends_at", "outside_semester")),
        ({"meeting_link": LINK}, ("meeting_link", "link_not_virtual")),
        ({"capacity": 0}, ("capacity", "out_of_range")),
        ({"credit_cost": -1}, ("credit_cost", "out_of_range")),
    ],
)
def test_the_rules_hold_when_one_side_is_sent(lesson, master, values, fault):
    assert faults(lesson, master, **values) == [fault]


def test_a_lesson_with_a_link_becomes_virtual_no_more_unless_the_link_goes(semester, master):
    lesson = academy.lesson(semester=semester, delivery="virtual", meeting_link=LINK)
    assert faults(lesson, master, delivery="hybrid") == [("meeting_link", "link_not_virtual")]
    semester.venue = "Arena"
    semester.save()
    changed = update(lesson, master, delivery="hybrid", meeting_link="")
    assert (changed.delivery, changed.meeting_link, changed.location) == ("hybrid", None, "Arena")


def test_a_place_that_is_taken_away_is_that_of_the_semester(semester, lesson, master):
    semester.venue = "Arena"
    semester.save()
    assert update(lesson, master, location=None).location == "Arena"


def test_a_lesson_moves_to_semesters_that_one_leads_only(lesson, master):
    own = academy.semester(master_instructor=master)
    other = academy.semester(master_instructor=academy.instructor())
    with pytest.raises(Forbidden) as refused:
        update(lesson, master, semester=other.pk)
    assert refused.value.http_status == 403
    with pytest.raises(NotFound):
        update(lesson, master, semester=other.pk + 1)
    assert update(lesson, master, semester=own.pk).semester == own


def test_a_cohort_goes_or_changes_with_its_semester(semester, master):
    lesson = academy.lesson(semester=semester, cohort=CohortFactory.create(semester=semester))
    other = academy.semester(master_instructor=master)
    assert faults(lesson, master, semester=other.pk) == [("cohort", "not_of_semester")]
    assert update(lesson, master, semester=other.pk, cohort=None).cohort is None
    cohort = CohortFactory.create(semester=semester)
    assert faults(lesson, master, cohort=cohort.pk) == [("cohort", "not_of_semester")]
    assert update(lesson, master, semester=semester.pk, cohort=cohort.pk).cohort == cohort


def test_a_target_needs_a_qualification(lesson, master):
    with pytest.raises(NotQualified):
        update(lesson, master, target_specialization="goalkeeper")
    InstructorQualification.objects.create(instructor=master, specialization="goalkeeper")
    changed = update(lesson, master, target_specialization="goalkeeper")
    assert changed.target_specialization == "goalkeeper"


def test_an_instructor_of_the_old_system_stays_and_a_new_one_teaches(semester, master):
    former = academy.student()
    lesson = academy.lesson(semester=semester, instructor=former)
    assert update(lesson, master, title="x", instructor=former.pk).instructor == former
    somebody = academy.student()
    assert faults(lesson, master, instructor=somebody.pk) == [("instructor", "no_instructor")]
    assert update(lesson, master, instructor=None).instructor is None


def test_fewer_seats_than_confirmed_bookings_are_refused(semester, master):
    lesson = academy.lesson(semester=semester, capacity=3)
    for _ in range(2):
        academy.confirmed(lesson, academy.student())
    with pytest.raises(CapacityBelowConfirmed) as refused:
        update(lesson, master, capacity=1)
    assert refused.value.http_status == 409
    assert refused.value.fields == {"confirmed_bookings": 2}
    assert update(lesson, master, capacity=2).capacity == 2


def test_an_overbooked_lesson_of_the_old_system_can_be_renamed(semester, master):
    lesson = academy.lesson(semester=semester, capacity=1)
    for _ in range(3):
        academy.confirmed(lesson, academy.student())
    assert update(lesson, master, title="Full", capacity=1).session.title == "Full"
    with pytest.raises(CapacityBelowConfirmed):
        update(lesson, master, capacity=2)


def test_more_seats_promote_the_first_waiters(semester, master):
    lesson = academy.lesson(semester=semester, capacity=1)
    academy.confirmed(lesson, academy.student())
    waiters = [academy.waiting(lesson, academy.student(), place) for place in (1, 2, 3)]
    update(lesson, master, capacity=3)
    found = [Booking.objects.get(pk=waiter.pk) for waiter in waiters]
    assert [(booking.status, booking.waitlist_position) for booking in found] == [
        ("confirmed", None),
        ("confirmed", None),
        ("waitlisted", 1),
    ]


def test_nobody_is_promoted_into_a_lesson_that_has_begun(semester, master):
    lesson = academy.lesson(semester=semester, capacity=1, starts_in=-timedelta(minutes=1))
    waiter = academy.waiting(lesson, academy.student(), 1)
    update(lesson, master, capacity=2)
    waiter.refresh_from_db()
    assert waiter.status == "waitlisted"


# ----------------------------------------------------------------------------- status


def change(lesson: Lesson, status: SessionStatus, by) -> Lesson:
    name = lesson.session.session_id
    return change_lesson_status(name, status, acting_user=by, clock=at_now)


def test_a_lesson_begins_and_ends_as_the_table_allows(semester):
    teaches = academy.instructor()
    lesson = academy.lesson(semester=semester, instructor=teaches)
    with pytest.raises(StatusRefused):
        change(lesson, SessionStatus.COMPLETED, teaches)
    for status in (SessionStatus.ACTIVE, SessionStatus.COMPLETED):
        assert change(lesson, status, teaches).session.status == status
        row = lesson.session.history.latest("history_date")
        assert (row.status, row.history_user) == (status, teaches)
    with pytest.raises(StatusRefused) as refused:
        change(lesson, SessionStatus.ACTIVE, teaches)
    assert (refused.value.http_status, refused.value.code) == (409, "transition_refused")


def test_statuses_are_changed_by_those_who_run_the_lesson(semester, master):
    teaches = academy.instructor()
    lesson = academy.lesson(semester=semester, instructor=teaches)
    with pytest.raises(Forbidden):
        change(lesson, SessionStatus.CANCELLED, teaches)
    with pytest.raises(Forbidden):
        change(lesson, SessionStatus.ACTIVE, academy.student())
    assert change(lesson, SessionStatus.CANCELLED, master).session.status == "cancelled"


def booked(lesson: Lesson, number: int) -> list[Booking]:
    students = [academy.student(credit_balance=5) for _ in range(number)]
    name = lesson.session.session_id
    return [book_lesson(name, acting_user=student, clock=at_now) for student in students]


def test_a_cancelled_lesson_cancels_and_refunds_every_booking(semester, master):
    lesson = academy.lesson(semester=semester, capacity=1, credit_cost=2)
    old = academy.confirmed(lesson, academy.student())  # of the old system: charged there
    bookings = booked(lesson, 2)
    change(lesson, SessionStatus.CANCELLED, master)
    found = Booking.objects.filter(lesson=lesson)
    assert set(found.values_list("status", "waitlist_position", "cancelled_at")) == {
        ("cancelled", None, NOW)
    }
    balances = Profile.objects.filter(user__in=[b.student for b in bookings])
    assert list(balances.values_list("credit_balance", flat=True)) == [5, 5]
    assert not CreditTransaction.objects.filter(booking=old).exists()


def test_waiters_of_a_lesson_that_begins_are_released_and_refunded(semester, master):
    lesson = academy.lesson(semester=semester, capacity=1, credit_cost=2)
    seat, waiter = booked(lesson, 2)
    change(lesson, SessionStatus.ACTIVE, master)
    statuses = Booking.objects.order_by("id").values_list("status", flat=True)
    assert list(statuses) == ["confirmed", "cancelled"]
    assert Profile.objects.get(user=seat.student).credit_balance == 3
    assert Profile.objects.get(user=waiter.student).credit_balance == 5


def test_those_who_still_wait_when_a_lesson_ends_are_released(semester, master):
    lesson = academy.lesson(semester=semester, capacity=1, status=SessionStatus.ACTIVE)
    seat = academy.confirmed(lesson, academy.student())
    waiter = academy.waiting(lesson, academy.student(), 1)  # as the old system left them
    change(lesson, SessionStatus.COMPLETED, master)
    seat.refresh_from_db()
    waiter.refresh_from_db()
    assert (seat.status, waiter.status, waiter.waitlist_position) == (
        "confirmed",
        "cancelled",
        None,
    )


# ----------------------------------------------------------------------------- deletion


def test_a_lesson_that_nothing_refers_to_is_deleted_and_its_history_stays(lesson, master):
    delete_lesson(lesson.session.session_id, acting_user=master)
    assert not Lesson.objects.exists()
    assert not Session.objects.exists()
    row = Lesson.history.latest("history_date")
    assert (row.history_type, row.history_user) == ("-", master)


def test_what_would_be_orphaned_blocks_and_is_counted_in_order(lesson, master):
    attended = academy.confirmed(lesson, academy.student())
    AttendanceFactory.create(booking=attended)
    BookingFactory.create(lesson=lesson, status="cancelled")
    FeedbackFactory.create(lesson=lesson)
    for _ in range(3):
        LessonProject.objects.create(lesson=lesson, project=ProjectFactory.create())
    PerformanceReview.objects.create(lesson=lesson, student=attended.student)
    with pytest.raises(LessonHasRecords) as refused:
        delete_lesson(lesson.session.session_id, acting_user=master)
    assert (refused.value.http_status, refused.value.code) == (409, "lesson_has_records")
    assert list(refused.value.fields["blocking"].items()) == [
        ("bookings", 2),
        ("attendance_records", 1),
        ("feedback_submissions", 1),
        ("project_associations", 3),
        ("performance_reviews", 1),
    ]
    assert Lesson.objects.filter(pk=lesson.pk).exists()


def test_only_what_there_is_blocks_a_cancelled_booking_too(lesson, master):
    BookingFactory.create(lesson=lesson, status="cancelled")
    with pytest.raises(LessonHasRecords) as refused:
        delete_lesson(lesson.session.session_id, acting_user=master)
    assert refused.value.fields == {"blocking": {"bookings": 1}}


def test_files_of_its_session_block_too(lesson, master):
    SessionFile.objects.create(session=lesson.session, name="plan.pdf")
    with pytest.raises(LessonHasRecords) as refused:
        delete_lesson(lesson.session.session_id, acting_user=master)
    assert refused.value.fields == {"blocking": {"files": 1}}


def test_lessons_are_deleted_by_the_master_and_admins(semester, lesson):
    assists = academy.instructor()
    semester.assistants.add(assists)
    for user in (assists, academy.student()):
        with pytest.raises(Forbidden):
            delete_lesson(lesson.session.session_id, acting_user=user)
    with pytest.raises(NotFound):
        delete_lesson(lesson.session.session_id, acting_user=academy.instructor())
    delete_lesson(lesson.session.session_id, acting_user=academy.admin())
    assert not Lesson.objects.exists()
