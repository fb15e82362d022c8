"""Pages of lessons: numbers, calendar, bookings, and who may do what."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_tools.models import Transition
from sessions_app.models import Attendance, Booking, Lesson, PerformanceReview, Profile, Role
from tests.sessions_app import academy
from tests.sessions_app.admin.acting import do, logged_in, page, told
from tests.sessions_app.lesson_factories import AttendanceFactory, FeedbackFactory

pytestmark = pytest.mark.django_db

MODEL = "lesson"


def coming(**values: Any) -> Lesson:
    """A lesson in two days of the present, when bookings are open."""
    soon = timezone.now() + timedelta(days=2)
    start, end = soon.date() - timedelta(days=9), soon.date() + timedelta(days=9)
    values.setdefault("semester", academy.semester(start_date=start, end_date=end))
    return academy.lesson(starts_at=soon, **values)


def staff_of_academy(person: User, *permissions: str) -> Client:
    person.is_staff = True
    person.save()
    given = permissions or ("view_lesson", "change_lesson", "view_booking", "view_feedback")
    person.user_permissions.set(
        Permission.objects.filter(content_type__app_label="sessions_app", codename__in=given)
    )
    return logged_in(person)


@pytest.fixture
def admin() -> Client:
    return staff_of_academy(academy.admin())


def test_a_lesson_is_run_from_its_page(admin):
    lesson = coming(capacity=1)
    students = [academy.student(username=f"student-{n}") for n in range(3)]
    for student in students:
        answer = do(admin, MODEL, lesson.pk, "book", student=student.email.upper())
        assert answer.status_code == 302, told(answer)
    assert told(answer)[-1] == "student-2 waits for a seat at place 2."
    first, second, third = Booking.objects.order_by("id")
    do(admin, MODEL, lesson.pk, "cancel", booking=first.pk)
    Lesson.objects.filter(pk=lesson.pk).update(capacity=2)
    do(admin, MODEL, lesson.pk, "confirm", booking=third.pk)
    Lesson.objects.filter(pk=lesson.pk).update(
        starts_at=timezone.now() - timedelta(minutes=5),
        ends_at=timezone.now() + timedelta(minutes=55),
    )
    do(admin, MODEL, lesson.pk, "start")
    do(admin, MODEL, lesson.pk, "check-in", booking=second.pk)
    answer = do(admin, MODEL, lesson.pk, "attendance", booking=third.pk, status="late")
    assert told(answer)[-1] == "Recorded: student-2 was late."
    for score in ("3", "4.5"):
        said = {"booking": second.pk, "score": score, "comment": "Reads the game."}
        answer = do(admin, MODEL, lesson.pk, "review", **said)
        assert told(answer)[-1] == "The review of student-1 is written."
    assert PerformanceReview.objects.get(student=second.student).score == Decimal("4.5")
    do(admin, MODEL, lesson.pk, "finish")
    assert list(Booking.objects.order_by("id").values_list("status", flat=True)) == [
        "cancelled",
        "confirmed",
        "confirmed",
    ]
    recorded = Attendance.objects.order_by("booking_id").values_list("status", flat=True)
    assert list(recorded) == ["present", "late"]
    lesson.session.refresh_from_db()
    assert lesson.session.status == "completed"
    balances = Profile.objects.filter(user__in=students).order_by("user_id")
    assert list(balances.values_list("credit_balance", flat=True)) == [10, 9, 9]


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("book", {"student": "nobody"}, "There is no such person."),
        ("book", {"student": "teacher"}, "This lesson is not for this person."),
        ("book", {"student": "booked"}, "This lesson is booked already."),
        ("book", {"student": "a\0"}, "Null characters"),
        ("cancel", {"booking": "other"}, "Enter a whole number."),
        ("cancel", {"booking": "1" * 40}, "less than or equal"),
        ("check-in", {"booking": "own"}, "Check-in is from 15 minutes before"),
        ("attendance", {"booking": "own", "status": "asleep"}, "valid choice"),
        ("review", {"booking": "own", "score": "6"}, "less than or equal to 5"),
        ("review", {"booking": "own", "score": "3"}, "once the lesson has begun"),
        ("confirm", {"booking": "own"}, "This booking has a seat already."),
        ("finish", {}, "cannot become completed"),
    ],
)
def test_what_is_refused_is_told_in_words_and_changes_nothing(admin, name, values, words):
    academy.instructor(username="teacher")
    lesson = coming()
    own = academy.confirmed(lesson, academy.student(username="booked"))
    sent = {key: own.pk if value == "own" else value for key, value in values.items()}
    before = list(Booking.objects.values())
    assert words in " ".join(told(do(admin, MODEL, lesson.pk, name, **sent)))
    assert list(Booking.objects.values()) == before
    assert not Attendance.objects.exists()


@pytest.mark.parametrize("name", ["cancel", "confirm", "check-in", "attendance", "review"])
def test_a_booking_of_another_lesson_is_not_there(admin, name):
    lesson, other = coming(), coming()
    booking = academy.confirmed(other, academy.student(first_name="Zelda"))
    asked = admin.get(page(MODEL, "operation", lesson.pk, name), {"booking": booking.pk})
    assert "Zelda" not in asked.content.decode()
    answer = do(admin, MODEL, lesson.pk, name, booking=booking.pk, status="present")
    assert told(answer)[-1] == "This lesson has no such booking."
    booking.refresh_from_db()
    assert booking.status == "confirmed"


def test_the_second_click_is_told_what_has_happened(admin):
    lesson = coming()
    for _ in range(2):
        answer = do(admin, MODEL, lesson.pk, "call-off")
    assert (
        "A lesson that is cancelled cannot become cancelled. Last change: status changed"
        in (told(answer)[-1])
    )


def test_a_booking_that_was_cancelled_meanwhile_says_by_whom(admin):
    lesson = coming()
    booking = academy.confirmed(lesson, academy.student())
    for _ in range(2):
        answer = do(admin, MODEL, lesson.pk, "cancel", booking=booking.pk)
    assert "This booking is cancelled already. Last change: cancelled, person-" in told(answer)[-1]


def test_a_page_shows_bookings_in_order_and_names_only(admin):
    lesson = coming(capacity=1)
    seat = academy.confirmed(lesson, academy.student(first_name="Ada", last_name="L"))
    academy.waiting(lesson, academy.student(username="bea"), 1)
    AttendanceFactory.create(booking=seat, status="late")
    FeedbackFactory.create(lesson=lesson, student=seat.student, comment="good")
    shown = admin.get(page(MODEL, "change", lesson.pk))
    rows = shown.context["bookings"]
    assert [(row.student, row.booking.status) for row in rows] == [
        ("Ada L", "confirmed"),
        ("bea", "waitlisted"),
    ]
    assert [[str(button.label) for button in row.buttons] for row in rows] == [
        ["Check in", "Attendance", "Review", "Cancel the booking"],
        ["Give a seat", "Cancel the booking"],
    ]
    assert [(item.student, item.comment) for item in shown.context["feedback"]] == [
        ("Ada L", "good")
    ]
    assert "@example.com" not in shown.content.decode()


def test_instructors_see_and_run_what_the_services_let_them():
    teacher = academy.instructor()
    client = staff_of_academy(teacher)
    own = coming(instructor=teacher)
    colleague = academy.lesson(
        semester=own.semester, starts_at=own.starts_at, meeting_link="https://x.example.com",
        delivery="virtual",
    )  # fmt: skip
    hidden = coming()
    for lesson in (own, colleague, hidden):
        academy.confirmed(lesson, academy.student())
    listed = client.get(page(MODEL, "changelist")).context["cl"].result_list
    assert {lesson.pk for lesson in listed} == {own.pk, colleague.pk}
    assert client.get(page(MODEL, "change", hidden.pk)).status_code == 302
    assert do(client, MODEL, hidden.pk, "start").status_code == 302
    assert do(client, MODEL, colleague.pk, "start").status_code == 403
    shown = client.get(page(MODEL, "change", colleague.pk))
    assert "bookings" not in shown.context
    assert "x.example.com" not in shown.content.decode()
    bookings = client.get(page("booking", "changelist")).context["cl"].result_list
    assert [booking.lesson_id for booking in bookings] == [own.pk]
    assert client.post(page(MODEL, "change", own.pk), {}).status_code == 403
    do(client, MODEL, own.pk, "start")
    own.session.refresh_from_db()
    assert own.session.status == "active"


def test_histories_of_what_an_instructor_does_not_see_are_not_there(admin):
    teacher = academy.instructor()
    seen = ("lesson", "booking", "lessonsession")
    client = staff_of_academy(teacher, *(f"view_{model}" for model in seen))
    overseer = staff_of_academy(academy.admin(), *(f"view_{model}" for model in seen))
    own = coming(instructor=teacher)
    colleague = academy.lesson(semester=own.semester, starts_at=own.starts_at)
    hidden = coming()
    gone = academy.confirmed(own, academy.student())
    of_own, of_colleague = (academy.confirmed(each, academy.student()) for each in (own, colleague))
    expected: list[tuple[str, Any, int]] = [
        ("lesson", own, 200),
        ("lesson", colleague, 403),  # seen, but not theirs to run: meeting links stand there
        ("lesson", hidden, 404),
        ("booking", of_own, 200),
        ("booking", of_colleague, 404),
        ("booking", gone, 404),
        ("lessonsession", colleague.session, 200),
        ("lessonsession", hidden.session, 404),
    ]
    pages = [
        (
            page(model, "history", row.pk),
            page(model, "simple_history", row.pk, row.history.latest().pk),
            status,
        )
        for model, row, status in expected
    ]
    gone.delete()
    for history, version, status in pages:
        found = [client.get(address).status_code for address in (history, version)]
        assert found == [status] * 2, history
        assert overseer.get(history).status_code == 200, history
    listed = client.get(page("lessonsession", "changelist")).context["cl"].result_list
    assert {row.pk for row in listed} == {own.session_id, colleague.session_id}


def test_an_instructor_whose_profile_was_forgotten_sees_no_lesson_of_others():
    forgotten = academy.student()
    client = staff_of_academy(forgotten, "view_lesson", "view_booking")
    forgotten.groups.add(Group.objects.get(name="Instructor"))
    academy.confirmed(coming(), academy.student())
    own = coming(instructor=forgotten)
    listed = client.get(page(MODEL, "changelist")).context["cl"].result_list
    assert [lesson.pk for lesson in listed] == [own.pk]
    assert not client.get(page("booking", "changelist")).context["cl"].result_list


def test_staff_without_a_part_in_the_academy_look_and_do_nothing():
    operator = staff_of_academy(academy.student())
    lesson = coming()
    academy.confirmed(lesson, academy.student())
    shown = operator.get(page(MODEL, "change", lesson.pk))
    assert shown.context["operations"] == []
    assert len(shown.context["bookings"]) == 1
    assert not shown.context["bookings"][0].buttons
    assert do(operator, MODEL, lesson.pk, "start").status_code == 403


def test_a_refused_form_is_on_record_once():
    operator = staff_of_academy(academy.student(username="op"), "add_lesson", "view_lesson")
    lesson = coming()
    at = timezone.localtime(lesson.starts_at)
    sent = {
        "title": "x", "semester": lesson.semester_id, "delivery": "on_site", "capacity": 1,
        "credit_cost": 1, "starts_at_0": at.date(), "starts_at_1": "09:00",
        "ends_at_0": at.date(), "ends_at_1": "10:00",
    }  # fmt: skip
    operator.post(page(MODEL, "add"), sent)
    refused = Transition.objects.get(action="refused")
    assert (refused.actor.username, refused.surface) == ("op", "admin")
    assert refused.details["deed"] == "schedule a lesson"


def test_list_and_page_take_the_same_number_of_queries_whatever_they_hold(admin):
    lesson = coming()
    addresses = [page(MODEL, "changelist"), page(MODEL, "change", lesson.pk)]
    addresses.append(page(MODEL, "calendar") + "?view=month")

    def fill(lesson: Lesson) -> None:
        booking = academy.confirmed(lesson, academy.student())
        AttendanceFactory.create(booking=booking)
        FeedbackFactory.create(lesson=lesson, student=booking.student)

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(address).status_code == 200
        return len(captured)

    fill(lesson)
    for address in addresses:
        queries(address)
    few = [queries(address) for address in addresses]
    for _ in range(6):
        fill(lesson)
        fill(coming(instructor=academy.instructor()))
    assert [queries(address) for address in addresses] == few


def test_the_list_shows_numbers(admin):
    lesson = coming(capacity=7)
    booking = academy.confirmed(lesson, academy.student())
    FeedbackFactory.create(lesson=lesson, student=booking.student, rating=4)
    shown = admin.get(page(MODEL, "changelist")).content.decode()
    assert "1 / 7" in shown
    assert "4.0" in shown


@pytest.mark.parametrize(
    ("asked", "days", "inside", "heading"),
    [
        ("?view=week&day=2026-03-04", 7, 7, "March 1, 2026 – March 7, 2026"),
        ("?view=month&day=2026-03-04", 35, 31, "March 2026"),
        ("?view=month&day=9999-12-31", 35, 31, "January 9000"),
        ("?view=week&day=0001-01-01", 7, 7, "Dec. 31, 1899 – Jan. 6, 1900"),
    ],
)
def test_a_calendar_shows_whole_weeks(admin, asked, days, inside, heading):
    shown = admin.get(page(MODEL, "calendar") + asked).context
    assert len(shown["days"]) == days
    assert sum(day.is_inside for day in shown["days"]) == inside
    assert shown["heading"] == heading


def test_a_calendar_puts_lessons_on_their_days(admin):
    academy.lesson("Passing", starts_at=datetime(2026, 3, 4, 22, tzinfo=UTC))  # 01:00 in Riyadh
    shown = admin.get(page(MODEL, "calendar") + "?day=2026-03-04")
    found = {
        day.date.isoformat(): [lesson.title for lesson in day.lessons]
        for day in shown.context["days"]
        if day.lessons
    }
    assert found == {"2026-03-05": ["Passing"]}
    assert admin.get(page(MODEL, "calendar") + "?day=what").status_code == 200
    assert staff_of_academy(academy.student(), "view_project").get(
        page(MODEL, "calendar")
    ).status_code == 403  # fmt: skip


def test_credits_are_given_once_however_often_the_form_comes():
    client = staff_of_academy(
        academy.admin(), "view_profile", "change_profile", "view_credittransaction"
    )
    profile = Profile.objects.get(user=academy.student(credit_balance=2))
    asked = client.get(page("profile", "operation", profile.pk, "credits"))
    assert asked.context["form"].initial["seen_balance"] == 2
    sent = {"amount": 5, "note": "Paid", "seen_balance": 2}
    first = do(client, "profile", profile.pk, "credits", **sent)
    assert told(first)[-1] == "7 credits are there now."
    second = do(client, "profile", profile.pk, "credits", **sent)
    assert "The balance has changed meanwhile: 7 credits are there." in told(second)[-1]
    profile.refresh_from_db()
    assert profile.credit_balance == 7
    shown = client.get(page("profile", "change", profile.pk)).context["transactions"]
    assert [(row.amount, row.note) for row in shown] == [(5, "Paid")]


def test_only_admins_of_the_academy_give_credits():
    person = academy.person(Role.INSTRUCTOR)
    client = staff_of_academy(person, "view_profile", "change_profile")
    profile = Profile.objects.get(user=academy.student(credit_balance=2))
    assert client.get(page("profile", "change", profile.pk)).context["operations"] == []
    sent = {"amount": 5, "note": "Paid", "seen_balance": 2}
    answer = do(client, "profile", profile.pk, "credits", **sent)
    assert told(answer)[-1] == "Only admins give and take credits."
    profile.refresh_from_db()
    assert profile.credit_balance == 2


def test_who_may_not_see_bookings_or_opinions_is_not_shown_them():
    lesson = coming()
    booking = academy.confirmed(lesson, academy.student())
    FeedbackFactory.create(lesson=lesson, student=booking.student)
    auditor = staff_of_academy(academy.student(), "view_lesson", "view_booking")
    shown = auditor.get(page(MODEL, "change", lesson.pk))
    assert len(shown.context["bookings"]) == 1
    assert "feedback" not in shown.context


def test_coming_lessons_with_a_waitlist_can_be_listed(admin):
    waited, _other = coming(), coming()
    academy.waiting(waited, academy.student(), 1)
    academy.waiting(academy.lesson(), academy.student(), 1)  # long ago
    found = admin.get(page(MODEL, "changelist"), {"waitlist": "yes"}).context["cl"].result_list
    assert [lesson.pk for lesson in found] == [waited.pk]
