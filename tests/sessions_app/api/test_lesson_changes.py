"""Lessons one by one: seen, scheduled, changed, deleted (lessons.md "API behaviour")."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from migrations_tools.models import Transition
from sessions_app.models import Delivery, Lesson, SemesterStatus
from tests.sessions_app import academy
from tests.sessions_app.api.asking import Caller, faults, refusal
from tests.sessions_app.lesson_factories import CohortFactory

pytestmark = pytest.mark.django_db

START = datetime(2026, 3, 1, 9, tzinfo=UTC)


def values(**other: Any) -> dict[str, Any]:
    return {
        "title": "Passing",
        "starts_at": START.isoformat(),
        "ends_at": (START + timedelta(hours=1)).isoformat(),
        **other,
    }


@pytest.fixture
def master():
    return academy.instructor(first_name="Nora", last_name="Haddad")


@pytest.fixture
def semester(master):
    return academy.semester(master_instructor=master, venue="Hall 1")


def test_a_lesson_is_seen_by_its_public_id_and_by_the_id_of_lists(master, semester):
    lesson = academy.lesson(semester=semester, instructor=master)
    caller = Caller(master)
    answer = caller.get(f"/lessons/{lesson.session.session_id}/")
    assert answer.status_code == 200
    assert answer["ETag"]
    told = answer.json()
    assert (told["id"], told["title"]) == (lesson.pk, "Passing")
    assert told["instructor"] == {"id": master.pk, "name": "Nora Haddad"}
    assert caller.get(f"/lessons/{lesson.pk}/").json() == told
    assert caller.get("/lessons/").json()["results"] == [told]
    for unknown in ("nothing", "0", str(2**63), "9" * 40, "٣"):
        assert refusal(caller.get(f"/lessons/{unknown}/")) == (404, "not_found")


def test_a_lesson_is_scheduled_by_the_master_and_by_admins_alone(master, semester):
    for caller, expected in (
        (master, 201),
        (academy.admin(), 201),
        (academy.instructor(), 403),
        (academy.student(), 403),
        (None, 401),
    ):
        answer = Caller(caller).post("/lessons/", values(semester=semester.pk))
        assert answer.status_code == expected, answer.content
        if expected == 201:
            told = answer.json()
            assert answer["Location"] == f"/api/v1/lessons/{told['session_id']}/"
            assert answer["ETag"]
            assert (told["status"], told["location"], told["capacity"]) == (
                "scheduled", "Hall 1", 20,
            )  # fmt: skip
            assert told["instructor"]["id"] == master.pk
            assert told["credit_cost"] == 1
    assert Lesson.objects.count() == 2


def test_scheduling_takes_three_statements_before_the_answer_is_read(master, semester):
    caller = Caller(master)
    with CaptureQueriesContext(connection) as captured:
        assert caller.post("/lessons/", values(semester=semester.pk)).status_code == 201
    told = [each["sql"] for each in captured.captured_queries]
    assert sum("sessions_app_semester" in sql for sql in told) == 2  # the rules, the answer
    assert len(told) == 2 + 3 + 3  # who asks, the service, the lesson as it is answered


@pytest.mark.parametrize(
    ("other", "field"),
    [
        ({"title": "  "}, "title"),
        ({"title": None}, "title"),
        ({"title": "x" * 256}, "title"),
        ({"title": "a\0b"}, "title"),
        ({"title": "\ud800"}, "title"),
        ({"title": ["a"]}, "title"),
        ({"semester": None}, "semester"),
        ({"semester": "x"}, "semester"),
        ({"semester": 2**63}, "semester"),
        ({"starts_at": "2026-03-01T09:00:00"}, "starts_at"),
        ({"starts_at": "soon"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+14:00"}, "starts_at"),
        ({"ends_at": START.isoformat()}, "ends_at"),
        ({"ends_at": None}, "ends_at"),
        ({"delivery": "online"}, "delivery"),
        ({"capacity": 0}, "capacity"),
        ({"capacity": True}, "capacity"),
        ({"capacity": 1.5}, "capacity"),
        ({"capacity": 2**31}, "capacity"),
        ({"credit_cost": -1}, "credit_cost"),
        ({"delivery": "virtual", "meeting_link": "ftp://x.example"}, "meeting_link"),
        ({"meeting_link": "https://x.example/a"}, "meeting_link"),
        ({"cohort": 10**12}, "cohort"),
        ({"instructor": 10**12}, "instructor"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_be_is_422_and_names_the_field(master, semester, other, field):
    answer = Caller(master).post("/lessons/", values(semester=semester.pk) | other)
    assert field in faults(answer)
    assert not Lesson.objects.exists()


def test_every_missing_value_is_listed(master):
    assert faults(Caller(master).post("/lessons/", {})) == [
        "title", "semester", "starts_at", "ends_at",
    ]  # fmt: skip
    for nothing in ("[]", '"x"', "null", "1"):
        assert Caller(master).post("/lessons/", nothing).status_code == 422
    assert refusal(Caller(master).post("/lessons/", "{")) == (400, "parse_error")


def test_both_days_of_the_semester_are_in_it_and_a_cohort_is_its_own(master):
    semester = academy.semester(
        master_instructor=master, start_date=date(2026, 3, 1), end_date=date(2026, 3, 1)
    )
    caller = Caller(master)
    cohort = CohortFactory.create(semester=semester)
    answer = caller.post("/lessons/", values(semester=semester.pk, cohort=cohort.pk))
    assert answer.json()["cohort"] == {"id": cohort.pk, "name": cohort.name}
    late = (START + timedelta(days=1)).isoformat()
    assert faults(caller.post("/lessons/", values(semester=semester.pk, ends_at=late))) == [
        "ends_at"
    ]
    other = CohortFactory.create()
    assert faults(caller.post("/lessons/", values(semester=semester.pk, cohort=other.pk))) == [
        "cohort"
    ]
    unknown = caller.post("/lessons/", values(semester=10**12))
    assert refusal(unknown) == (404, "not_found")


def test_the_same_request_sent_twice_schedules_one_lesson(master, semester):
    caller = Caller(master)
    body = values(semester=semester.pk)
    first = caller.post("/lessons/", body, Idempotency_Key="k1")
    second = caller.post("/lessons/", body, Idempotency_Key="k1")
    assert (first.json(), first["Location"]) == (second.json(), second["Location"])
    assert Lesson.objects.count() == 1


def test_one_side_of_a_change_is_enough_and_the_whole_has_to_be_sound(master, semester):
    lesson = academy.lesson(semester=semester, instructor=master)
    path = f"/lessons/{lesson.session.session_id}/"
    caller = Caller(master)
    changed = caller.patch(path, {"title": " Shooting ", "capacity": 3, "level": None})
    assert changed.status_code == 200
    assert (changed.json()["title"], changed.json()["capacity"]) == ("Shooting", 3)
    assert faults(caller.patch(path, {"ends_at": lesson.starts_at.isoformat()})) == ["ends_at"]
    assert faults(caller.patch(path, {"title": None})) == ["title"]
    for _ in range(2):
        academy.confirmed(lesson, academy.student())
    fewer = caller.patch(path, {"capacity": 1})
    assert refusal(fewer) == (409, "capacity_below_confirmed")
    assert fewer.json()["error"]["details"] == {"confirmed_bookings": 2}
    other = academy.semester()
    assert refusal(caller.patch(path, {"semester": other.pk})) == (403, "permission_denied")
    assert Caller(academy.student()).patch(path, {"title": "Mine"}).status_code == 403
    assert Caller(academy.instructor()).patch(path, {"title": "Mine"}).status_code == 404


def test_a_refused_change_of_what_was_seen_is_on_record(semester, master):
    lesson = academy.lesson(semester=semester, instructor=master)
    path = f"/lessons/{lesson.session.session_id}/"
    student = Caller(academy.student())
    answer = student.patch(path, {"title": "Mine"}, If_Match=student.get(path)["ETag"])
    assert answer.status_code == 403
    assert Transition.objects.filter(action="refused").count() == 1
    assert Lesson.objects.get().session.title != "Mine"


def test_nobody_changes_what_they_have_not_seen(master, semester):
    lesson = academy.lesson(semester=semester, instructor=master)
    path = f"/lessons/{lesson.session.session_id}/"
    caller = Caller(master)
    tag = caller.get(path)["ETag"]
    assert caller.patch(path, {"title": "One"}, If_Match=tag).status_code == 200
    stale = caller.patch(path, {"title": "Two"}, If_Match=tag)
    assert refusal(stale) == (412, "precondition_failed")
    fresh = caller.get(path)
    assert fresh.json()["title"] == "One"
    again = caller.patch(path, {"title": "Two"}, If_Match=fresh["ETag"])
    assert again.json()["title"] == "Two"
    assert refusal(caller.delete(path, If_Match=tag)) == (412, "precondition_failed")
    assert caller.delete(path, If_Match=again["ETag"]).status_code == 204


def test_a_lesson_with_records_is_not_deleted_and_a_clean_one_is(master, semester):
    lesson = academy.lesson(semester=semester)
    booking = academy.confirmed(lesson, academy.student())
    path = f"/lessons/{lesson.session.session_id}/"
    caller = Caller(master)
    kept = caller.delete(path)
    assert refusal(kept) == (409, "lesson_has_records")
    assert kept.json()["error"]["details"] == {"blocking": {"bookings": 1}}
    booking.delete()
    assert Caller(academy.student()).delete(path).status_code == 403
    assert caller.delete(path).status_code == 204
    assert caller.delete(path).status_code == 404
    assert not Lesson.objects.exists()


def test_a_lesson_begins_ends_and_is_cancelled_by_those_who_may(master, semester):
    lesson = academy.lesson(semester=semester, instructor=(teacher := academy.instructor()))
    path = f"/lessons/{lesson.session.session_id}/status/"
    assert refusal(Caller(teacher).post(path, {"status": "cancelled"}))[0] == 403
    assert Caller(teacher).post(path, {"status": "active"}).json()["status"] == "active"
    assert refusal(Caller(master).post(path, {"status": "cancelled"})) == (
        409, "transition_refused",
    )  # fmt: skip
    assert faults(Caller(master).post(path, {"status": "paused"})) == ["status"]
    assert Caller(academy.student()).post(path, {"status": "completed"}).status_code == 403


def test_what_is_hidden_in_the_list_is_hidden_at_every_address():
    lesson = academy.lesson(
        starts_at=timezone.now() + timedelta(days=3),
        semester=academy.semester(status=SemesterStatus.DRAFT),
    )
    at = f"/lessons/{lesson.session.session_id}/"
    for caller in (Caller(academy.student()), Caller(academy.instructor())):
        assert caller.get("/lessons/").json()["count"] == 0
        answers = [
            caller.get(at),
            caller.patch(at, {"title": "x"}),
            caller.delete(at),
            caller.post(f"{at}status/", {"status": "active"}),
            caller.post(f"{at}book/"),
            caller.get(f"{at}bookings/"),
            caller.get(f"{at}waitlist/"),
            caller.post(f"{at}check-in/"),
            caller.post(f"{at}attendance/", {"student": 1, "status": "present"}),
            caller.post(f"{at}feedback/", {"rating": 5}),
            caller.post("/bookings/", {"lesson": lesson.session.session_id}),
        ]
        assert [refusal(answer) for answer in answers] == [(404, "not_found")] * len(answers)


def test_the_link_is_for_staff_and_for_those_with_a_seat(master, semester):
    lesson = academy.lesson(
        semester=semester, delivery=Delivery.VIRTUAL, meeting_link="https://meet.example.com/a"
    )
    booked, waiting = academy.student(), academy.student()
    academy.confirmed(lesson, booked)
    academy.waiting(lesson, waiting, 1)
    at = f"/lessons/{lesson.session.session_id}/"
    seen = {
        user.pk: Caller(user).get(at).json()["meeting_link"]
        for user in (master, booked, waiting, academy.student())
    }
    assert [bool(link) for link in seen.values()] == [True, True, False, False]
