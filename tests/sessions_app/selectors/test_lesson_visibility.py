"""Who sees which lesson, and what of it."""

import pytest
from django.contrib.auth.models import User

from sessions_app.lesson_errors import Forbidden, NotFound
from sessions_app.models import RUNNING_SEMESTERS, Delivery, Lesson, Role, SemesterStatus
from sessions_app.selectors.lessons import (
    bookings_of_lesson,
    calendar_events,
    find_lesson,
    get_lesson,
    icalendar_feed,
    list_lessons,
    my_lessons,
    viewer_of,
)
from tests.sessions_app import academy
from tests.sessions_app.academy import HOUR, NOW, at_now
from tests.sessions_app.lesson_factories import AttendanceFactory, BookingFactory, PersonFactory

pytestmark = pytest.mark.django_db


def sees(user: User, lesson: Lesson) -> bool:
    """The same answer everywhere, or the test fails."""
    public = lesson.session.session_id
    in_list = public in [item.session_id for item in list_lessons(user, clock=at_now).items]
    events = calendar_events(user, start=NOW, end=NOW + 100 * HOUR)
    assert (public in [event["id"] for event in events]) == in_list
    assert (f"UID:{public}@carryover\r\n" in icalendar_feed(user, clock=at_now)) == in_list
    if in_list:
        assert get_lesson(user, public).session_id == public
    else:
        for read in (get_lesson, bookings_of_lesson):
            with pytest.raises(NotFound):
                read(user, public)
        assert public not in [item.session_id for item in my_lessons(user, clock=at_now).items]
    return in_list


@pytest.mark.parametrize("status", SemesterStatus)
def test_admins_and_superusers_see_every_lesson(status):
    lesson = academy.lesson(semester=academy.semester(status=status), target_specialization="x")
    assert sees(academy.admin(), lesson)
    assert sees(User.objects.create_superuser("root"), lesson)


@pytest.mark.parametrize("status", SemesterStatus)
def test_students_see_running_semesters_only(status):
    lesson = academy.lesson(semester=academy.semester(status=status))
    assert sees(academy.student(), lesson) == (status in RUNNING_SEMESTERS)


@pytest.mark.parametrize(
    ("target", "open_to_all", "specialization", "seen"),
    [
        ("", False, "", True),
        ("", False, "goalkeeper", True),
        ("goalkeeper", False, "goalkeeper", True),
        ("goalkeeper", False, "striker", False),
        ("goalkeeper", False, "", False),
        ("goalkeeper", True, "striker", True),
        ("goalkeeper", True, "", True),
    ],
)
def test_students_see_lessons_for_everybody_for_them_or_open_to_all(
    target, open_to_all, specialization, seen
):
    lesson = academy.lesson(target_specialization=target, open_to_all=open_to_all)
    assert sees(academy.student(specialization=specialization), lesson) == seen


def test_a_booking_does_not_show_a_hidden_lesson():
    learner = academy.student(specialization="striker")
    lesson = academy.lesson(target_specialization="goalkeeper")
    academy.confirmed(lesson, learner)
    assert not sees(learner, lesson)


def test_somebody_without_a_profile_is_a_student():
    stranger = PersonFactory.create()
    assert sees(stranger, academy.lesson())
    assert not sees(stranger, academy.lesson(target_specialization="goalkeeper"))


def test_a_member_of_the_admin_staff_is_no_admin_of_the_academy():
    hidden = academy.lesson(semester=academy.semester(status=SemesterStatus.DRAFT))
    assert not sees(academy.student(is_staff=True), hidden)


@pytest.mark.parametrize("status", SemesterStatus)
def test_instructors_see_semesters_that_they_lead_assist_or_teach_in(status):
    leads, assists, teaches, other = (academy.instructor() for _ in range(4))
    semester = academy.semester(status=status, master_instructor=leads)
    semester.assistants.add(assists, academy.instructor())
    lesson = academy.lesson(semester=semester, target_specialization="goalkeeper")
    academy.lesson(semester=semester, instructor=teaches)
    assert [sees(user, lesson) for user in (leads, assists, teaches, other)] == [
        True,
        True,
        True,
        False,
    ]


def test_an_instructor_of_several_ties_sees_a_lesson_once():
    teacher = academy.instructor()
    semester = academy.semester(master_instructor=teacher)
    semester.assistants.add(teacher)
    academy.lesson(semester=semester, instructor=teacher)
    assert list_lessons(teacher, clock=at_now).count == 1


def test_students_who_once_assisted_see_what_students_see():
    learner = academy.student()
    semester = academy.semester(status=SemesterStatus.DRAFT)
    semester.assistants.add(learner)
    assert not sees(learner, academy.lesson(semester=semester))


def test_the_meeting_link_is_for_those_who_run_the_lesson_and_those_with_a_seat():
    leads, assists, teaches = (academy.instructor() for _ in range(3))
    semester = academy.semester(master_instructor=leads)
    semester.assistants.add(assists)
    lesson = academy.lesson(
        semester=semester,
        instructor=teaches,
        delivery=Delivery.VIRTUAL,
        meeting_link="https://meet.example.com/a",
    )
    booked, waits, left, other = (academy.student() for _ in range(4))
    academy.confirmed(lesson, booked)
    academy.waiting(lesson, waits, 1)
    BookingFactory.create(lesson=lesson, student=left, status="cancelled")
    for user in (academy.admin(), leads, teaches, booked):
        assert get_lesson(user, lesson.session.session_id).meeting_link is not None
    for user in (assists, waits, left, other):
        assert get_lesson(user, lesson.session.session_id).meeting_link is None
        assert "meet.example.com" not in icalendar_feed(user, clock=at_now)
        assert "meet.example.com" not in str(calendar_events(user, start=NOW, end=NOW + 100 * HOUR))


@pytest.mark.parametrize("role", Role)
def test_answers_hold_no_personal_data_but_the_instructors_name(role):
    lesson = academy.lesson(
        instructor=academy.instructor(
            username="teacher-name", first_name="Nora", last_name="H", email="teacher@example.com"
        )
    )
    for number in range(3):
        learner = academy.student(
            username=f"learner-{number}",
            first_name="Omar",
            last_name="Saleh",
            email=f"learner-{number}@example.com",
        )
        AttendanceFactory.create(booking=academy.confirmed(lesson, learner))
    text = repr(list_lessons(academy.person(role), clock=at_now))
    if role == Role.INSTRUCTOR:
        text = repr(list_lessons(lesson.instructor, clock=at_now))  # type: ignore[arg-type]  # given above
    assert "Nora H" in text
    for secret in ("learner", "Omar", "Saleh", "example.com", "teacher-name"):
        assert secret not in text


def test_bookings_are_listed_for_those_who_run_the_lesson_only():
    leads, assists, teaches = (academy.instructor() for _ in range(3))
    semester = academy.semester(master_instructor=leads)
    semester.assistants.add(assists)
    lesson = academy.lesson(semester=semester, instructor=teaches)
    second, first, booked, left = (academy.student(first_name=name) for name in "BACD")
    academy.waiting(lesson, second, 2)
    academy.waiting(lesson, first, 1)
    BookingFactory.create(lesson=lesson, student=left, status="cancelled", cancelled_at=NOW)
    AttendanceFactory.create(booking=academy.confirmed(lesson, booked), checked_in_at=NOW)
    public = lesson.session.session_id
    for user in (academy.admin(), leads, teaches):
        found = bookings_of_lesson(user, public)
        assert [(item.student.name, item.status, item.waitlist_position) for item in found] == [
            ("C", "confirmed", None),
            ("A", "waitlisted", 1),
            ("B", "waitlisted", 2),
            ("D", "cancelled", None),
        ]
        assert (found[0].attendance, found[0].checked_in_at) == ("present", NOW)
        assert "example.com" not in repr(found)
    for user in (assists, booked):
        with pytest.raises(Forbidden):
            bookings_of_lesson(user, public)


@pytest.mark.parametrize("session_id", ["a\0b", "a\ud800"])
def test_ids_that_no_database_can_hold_are_not_found(session_id):
    with pytest.raises(NotFound):
        get_lesson(academy.admin(), session_id)
    with pytest.raises(NotFound):
        find_lesson(session_id, viewer_of(academy.admin()))
