"""The list: order, pages, filters, numbers, and how many statements it takes."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from sessions_app.lesson_errors import Forbidden, InvalidFields
from sessions_app.models import Delivery, Role, SessionStatus
from sessions_app.selectors.lessons import (
    LessonFilters,
    LessonItem,
    get_lesson,
    list_lessons,
    my_lessons,
)
from tests.sessions_app import academy
from tests.sessions_app.academy import HOUR, NOW, TICK, at_now
from tests.sessions_app.lesson_factories import (
    AttendanceFactory,
    BookingFactory,
    CohortFactory,
    FeedbackFactory,
)

pytestmark = pytest.mark.django_db


def titles(user: User, page: int = 1, page_size: int = 50, **filters: Any) -> list[str]:
    found = list_lessons(
        user,
        filters=LessonFilters(**filters),
        page=page,
        page_size=page_size,
        clock=at_now,
    )
    return [item.title for item in found.items]


def only(user: User) -> LessonItem:
    (item,) = list_lessons(user, clock=at_now).items
    return item


def test_upcoming_lessons_come_first_nearest_first_then_past_ones_latest_first():
    admin = academy.admin()
    for title, starts_in in (
        ("long past", -9 * HOUR),
        ("far", 9 * HOUR),
        ("just past", -TICK),
        ("now", 0 * HOUR),
        ("near", HOUR),
    ):
        academy.lesson(title, starts_in=starts_in)
    assert titles(admin) == ["now", "near", "far", "just past", "long past"]


def test_lessons_of_the_same_start_are_in_the_order_of_their_ids():
    admin = academy.admin()
    for starts_in in (HOUR, -HOUR):
        for title in "abc":
            academy.lesson(f"{title} {starts_in > TICK}", starts_in=starts_in)
    assert titles(admin) == ["a True", "b True", "c True", "a False", "b False", "c False"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 4, 7, 100])
def test_pages_cut_the_list_anywhere_and_leave_nothing_out(page_size):
    admin = academy.admin()
    for number in range(7):
        academy.lesson(str(number), starts_in=(number - 3) * HOUR)
    whole = titles(admin)
    assert whole == ["3", "4", "5", "6", "2", "1", "0"]
    pages = [titles(admin, page, page_size) for page in range(1, -(-7 // page_size) + 1)]
    assert [title for page in pages for title in page] == whole
    assert all(len(page) == page_size for page in pages[:-1])


def test_a_page_behind_the_last_is_empty_and_counts_all():
    admin = academy.admin()
    academy.lesson()
    found = list_lessons(admin, page=10**30, clock=at_now)
    assert (found.count, found.items) == (1, [])


@pytest.mark.parametrize(("page", "page_size"), [(0, 50), (-1, 50), (1, 0), (1, 101)])
def test_a_page_that_cannot_be_is_refused_by_the_field(page, page_size):
    with pytest.raises(InvalidFields) as refused:
        list_lessons(academy.admin(), page=page, page_size=page_size)
    assert [fault.field for fault in refused.value.faults] == ["page" if page < 1 else "page_size"]


def test_an_item_has_the_numbers_of_its_bookings_attendance_and_feedback():
    lesson = academy.lesson(capacity=2, credit_cost=3)
    for rating in ("4.00", "4.00", "5.00"):
        FeedbackFactory.create(lesson=lesson, rating=Decimal(rating))
    AttendanceFactory.create(booking=academy.confirmed(lesson, academy.student()))
    academy.confirmed(lesson, academy.student())
    academy.waiting(lesson, academy.student(), 1)
    BookingFactory.create(lesson=lesson, status="cancelled", cancelled_at=NOW)
    item = only(academy.admin())
    assert (item.booking_count, item.confirmed_bookings, item.waitlist_count) == (4, 2, 1)
    assert item.attendance_count == 1
    assert item.average_rating == pytest.approx(13 / 3)
    assert (item.capacity, item.credit_cost) == (2, 3)


def test_a_lesson_without_anything_has_zeros_and_no_rating():
    academy.lesson()
    item = only(academy.admin())
    numbers = (
        item.booking_count,
        item.confirmed_bookings,
        item.waitlist_count,
        item.attendance_count,
    )
    assert numbers == (0, 0, 0, 0)
    assert item.average_rating is None
    assert (item.cohort, item.instructor, item.own_booking) == (None, None, None)
    assert item.credit_cost == 1


def test_an_item_names_semester_cohort_and_instructor():
    semester = academy.semester(code="S1", name="Spring")
    cohort = CohortFactory.create(semester=semester, name="Blue")
    teacher = academy.instructor(first_name="Nora", last_name="Haddad")
    academy.lesson(semester=semester, cohort=cohort, instructor=teacher)
    item = only(academy.admin())
    assert (item.semester.id, item.semester.code, item.semester.name) == (
        semester.pk,
        "S1",
        "Spring",
    )
    assert item.cohort is not None
    assert (item.cohort.id, item.cohort.name) == (cohort.pk, "Blue")
    assert item.instructor is not None
    assert (item.instructor.id, item.instructor.name) == (teacher.pk, "Nora Haddad")


def test_an_instructor_without_a_name_is_not_called_by_an_address():
    academy.lesson(instructor=academy.instructor(username="nora@example.com"))
    instructor = only(academy.admin()).instructor
    assert instructor is not None
    assert instructor.name == "nora"


def test_filters_keep_what_they_name():
    admin, teacher = academy.admin(), academy.instructor()
    semester = academy.semester()
    cohort = CohortFactory.create(semester=semester)
    academy.lesson("semester", semester=semester)
    academy.lesson("cohort", semester=semester, cohort=cohort)
    academy.lesson("virtual", delivery=Delivery.VIRTUAL)
    academy.lesson("taught", instructor=teacher)
    academy.lesson("done", status=SessionStatus.COMPLETED)
    academy.lesson("keepers", target_specialization="goalkeeper")
    assert titles(admin, semester=semester.pk) == ["semester", "cohort"]
    assert titles(admin, cohort=cohort.pk) == ["cohort"]
    assert titles(admin, delivery="virtual") == ["virtual"]
    assert titles(admin, instructor=teacher.pk) == ["taught"]
    assert titles(admin, status="completed") == ["done"]
    assert titles(admin, specialization="goalkeeper") == ["keepers"]
    assert titles(admin, semester=semester.pk, delivery="virtual") == []


def test_both_days_of_a_range_are_inclusive_in_the_time_zone_of_the_installation(settings):
    admin = academy.admin()
    assert settings.TIME_ZONE == "Asia/Riyadh"  # three hours ahead
    for title, starts_at in (
        ("before", datetime(2026, 3, 4, 20, 59, 59, tzinfo=UTC)),
        ("first", datetime(2026, 3, 4, 21, tzinfo=UTC)),
        ("last", datetime(2026, 3, 5, 20, 59, 59, tzinfo=UTC)),
        ("after", datetime(2026, 3, 5, 21, tzinfo=UTC)),
    ):
        academy.lesson(title, starts_at=starts_at)
    day = date(2026, 3, 5)
    assert titles(admin, date_from=day, date_to=day) == ["first", "last"]
    assert titles(admin, date_from=day) == ["first", "last", "after"]
    assert titles(admin, date_to=day) == ["before", "first", "last"]
    assert len(titles(admin, date_from=date.min, date_to=date.max)) == 4


def test_a_range_that_ends_before_it_begins_is_refused():
    with pytest.raises(InvalidFields) as refused:
        titles(academy.admin(), date_from=date(2026, 3, 2), date_to=date(2026, 3, 1))
    assert [fault.field for fault in refused.value.faults] == ["date_to"]


def test_search_wants_every_word_in_title_description_or_place_whatever_the_case():
    admin = academy.admin()
    academy.lesson("Passing under PRESSURE", location="North pitch")
    academy.lesson("Passing for 100% of us", location="South pitch")
    assert titles(admin, search="pressure NORTH") == ["Passing under PRESSURE"]
    assert titles(admin, search="passing pitch") == [
        "Passing under PRESSURE",
        "Passing for 100% of us",
    ]
    assert titles(admin, search="100%") == ["Passing for 100% of us"]
    assert titles(admin, search="%_%") == []


def test_texts_that_no_database_can_hold_are_refused_by_field():
    with pytest.raises(InvalidFields) as refused:
        titles(academy.admin(), search="a\0b", specialization="\ud800")
    assert [fault.field for fault in refused.value.faults] == ["search", "specialization"]


def test_my_lessons_are_those_that_one_gives_or_has_booked():
    learner, teacher = academy.student(), academy.instructor()
    booked, left, taught = (academy.lesson(title) for title in ("booked", "left", "taught"))
    academy.confirmed(booked, learner)
    BookingFactory.create(lesson=left, student=learner, status="cancelled")
    taught.instructor = teacher
    taught.save()
    assert [item.title for item in my_lessons(learner, clock=at_now).items] == ["booked"]
    assert [item.title for item in my_lessons(teacher, clock=at_now).items] == ["taught"]


def test_strangers_and_inactive_accounts_see_nothing():
    for user in (AnonymousUser(), academy.student(is_active=False)):
        with pytest.raises(Forbidden):
            list_lessons(user)


def distinct_lessons(number: int, teacher: User, learner: User) -> None:
    """Lessons whose semesters, cohorts, instructors and bookings all differ."""
    for index in range(number):
        semester = academy.semester()
        semester.assistants.add(teacher)
        lesson = academy.lesson(
            starts_in=(index - number // 2) * HOUR,
            semester=semester,
            cohort=CohortFactory.create(semester=semester),
            instructor=academy.instructor(),
            delivery=Delivery.VIRTUAL,
            meeting_link="https://meet.example.com/a",
        )
        AttendanceFactory.create(booking=academy.confirmed(lesson, academy.student()))
        academy.waiting(lesson, learner, 1)
        FeedbackFactory.create(lesson=lesson)


@pytest.mark.parametrize("role", [*Role, "superuser"])
def test_a_list_takes_at_most_five_statements_however_many_and_distinct_its_lessons(role):
    teacher, learner = academy.instructor(), academy.student()
    people = {
        Role.ADMIN: academy.admin(),
        Role.INSTRUCTOR: teacher,
        Role.STUDENT: learner,
        "superuser": User.objects.create_superuser("root"),
    }
    filters: list[dict[str, Any]] = [
        {},
        {"delivery": "virtual", "status": "scheduled", "search": "passing"},
        {"date_from": date(2025, 1, 1), "date_to": date(2027, 1, 1)},
    ]
    wanted = 3 if role == "superuser" else 4
    made = 0
    for number in (1, 10, 50, 100):
        distinct_lessons(number - made, teacher, learner)
        made = number
        for chosen in filters:
            with CaptureQueriesContext(connection) as captured:
                found = titles(people[role], page_size=100, **chosen)
            assert len(found) == number
            assert len(captured) == wanted


def every_filter(teacher: User) -> list[dict[str, Any]]:
    """Each by itself, all fitting one lesson, and all of them at once."""
    lesson = academy.lesson(
        semester=academy.semester(master_instructor=teacher),
        instructor=teacher,
        target_specialization="keeper",
        open_to_all=True,
    )
    lesson.cohort = CohortFactory.create(semester=lesson.semester)
    lesson.save()
    filters = {
        "semester": lesson.semester_id,
        "cohort": lesson.cohort_id,
        "instructor": teacher.pk,
        "delivery": "on_site",
        "status": "scheduled",
        "date_from": date(2026, 1, 1),
        "date_to": date(2026, 12, 31),
        "specialization": "keeper",
        "search": "passing",
    }
    return [*({name: value} for name, value in filters.items()), filters]


@pytest.mark.parametrize("role", Role)
def test_no_filter_takes_a_statement_more(role):
    teacher = academy.instructor()
    user = teacher if role == Role.INSTRUCTOR else academy.person(role)
    for chosen in every_filter(teacher):
        with CaptureQueriesContext(connection) as captured:
            assert titles(user, **chosen) == ["Passing"]
        assert len(captured) == 4
    academy.lesson(instructor=user)
    with CaptureQueriesContext(connection) as captured:
        assert len(titles(user, mine=True)) == (2 if user == teacher else 1)
    assert len(captured) == 4


@pytest.mark.parametrize("page", [1, 2])
def test_an_empty_page_makes_no_query_but_the_count(page):
    admin = academy.admin()
    if page == 2:
        academy.lesson()
    with CaptureQueriesContext(connection) as captured:
        assert titles(admin, page) == []
    assert len(captured) == 2  # profile and count


def test_one_lesson_is_read_as_in_the_list():
    learner = academy.student()
    lesson = academy.lesson()
    booking = academy.waiting(lesson, learner, 1)
    item = get_lesson(learner, lesson.session.session_id)
    assert item == only(learner)
    assert item.own_booking is not None
    assert (item.own_booking.id, item.own_booking.status) == (booking.pk, "waitlisted")
    assert item.own_booking.waitlist_position == 1
    assert item.ends_at - item.starts_at == timedelta(hours=1)
