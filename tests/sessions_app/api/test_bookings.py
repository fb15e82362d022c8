"""``/api/v1/bookings/`` and what students do at a lesson (lessons.md "Booking", "Check-in")."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from sessions_app.models import Booking, Feedback, Lesson
from tests.sessions_app import academy
from tests.sessions_app.api.asking import Caller, faults, refusal
from tests.sessions_app.lesson_factories import AttendanceFactory

pytestmark = pytest.mark.django_db


def lesson_in(hours: float, **values: Any) -> Lesson:
    return academy.lesson(starts_at=timezone.now() + timedelta(hours=hours), **values)


def at(lesson: Lesson, deed: str) -> str:
    return f"/lessons/{lesson.session.session_id}/{deed}/"


def test_a_booking_is_a_seat_or_a_place_in_the_queue():
    lesson = lesson_in(48, capacity=1)
    ann, bob = academy.student(first_name="Ann", last_name="Lee"), academy.student()
    answer = Caller(ann).post("/bookings/", {"lesson": lesson.session.session_id})
    assert answer.status_code == 201
    told = answer.json()
    assert answer["Location"] == f"/api/v1/bookings/{told['id']}/"
    assert told.pop("created_at")
    assert told == {
        "id": Booking.objects.get().pk,
        "lesson": {
            "id": lesson.pk,
            "session_id": lesson.session.session_id,
            "title": "Passing",
            "status": "scheduled",
            "starts_at": told["lesson"]["starts_at"],
            "ends_at": told["lesson"]["ends_at"],
        },
        "student": {"id": ann.pk, "name": "Ann Lee"},
        "status": "confirmed",
        "waitlist_position": None,
        "cancelled_at": None,
        "attendance": None,
        "checked_in_at": None,
    }
    second = Caller(bob).post(at(lesson, "book"))
    assert second.status_code == 201
    assert (second.json()["status"], second.json()["waitlist_position"]) == ("waitlisted", 1)
    assert refusal(Caller(bob).post(at(lesson, "book"))) == (409, "already_booked")
    assert refusal(Caller(academy.admin()).post(at(lesson, "book"))) == (403, "permission_denied")
    poor = Caller(academy.student(credit_balance=0)).post(at(lesson, "book"))
    assert refusal(poor) == (409, "insufficient_credits")
    late = Caller(ann).post(at(lesson_in(23), "book"))
    assert refusal(late) == (409, "booking_closed")
    assert faults(Caller(ann).post("/bookings/", {})) == ["lesson"]


def test_bookings_are_seen_by_their_student_and_by_who_runs_the_lesson():
    teacher, ann, bob = academy.instructor(), academy.student(), academy.student()
    lesson = lesson_in(48, instructor=teacher)
    hers = academy.confirmed(lesson, ann)
    his = academy.waiting(lesson, bob, 1)
    other = academy.confirmed(lesson_in(50), bob)
    seen = {
        name: {item["id"] for item in Caller(user).get("/bookings/").json()["results"]}
        for name, user in {
            "ann": ann, "bob": bob, "teacher": teacher,
            "admin": academy.admin(), "stranger": academy.student(),
        }.items()
    }  # fmt: skip
    assert seen == {
        "ann": {hers.pk},
        "bob": {his.pk, other.pk},
        "teacher": {hers.pk, his.pk},
        "admin": {hers.pk, his.pk, other.pk},
        "stranger": set(),
    }
    path = f"/bookings/{hers.pk}/"
    assert Caller(ann).get(path).json()["id"] == hers.pk
    for deed in ("", "cancel/", "confirm/", "check-in/", "attendance/"):
        send = Caller(bob).post if deed else Caller(bob).get
        assert refusal(send(path + deed, *([{"status": "late"}] if deed else []))) == (
            404, "not_found",
        )  # fmt: skip
    assert Caller(ann).get(f"/bookings/{2**63}/").status_code == 404
    assert Caller(None).get("/bookings/").status_code == 401


def test_bookings_are_filtered_and_ordered():
    ann = academy.student()
    first, second = lesson_in(48), lesson_in(24)
    for lesson in (first, second):
        academy.confirmed(lesson, ann)
    caller = Caller(ann)

    def found(**query: Any) -> list[int]:
        return [
            item["lesson"]["id"] for item in caller.get("/bookings/", **query).json()["results"]
        ]

    assert found(ordering="lesson__starts_at") == [second.pk, first.pk]
    assert found(lesson=first.session.session_id) == [first.pk]
    assert found(status="cancelled") == []
    assert found(student=ann.pk) == [second.pk, first.pk]
    after = (timezone.now() + timedelta(hours=30)).isoformat()
    assert found(starts_after=after) == [first.pk]
    far = "2026-03-01T00:00:00-21:10"
    assert found(starts_after=far) == [second.pk, first.pk]
    assert faults(caller.get("/bookings/", starts_after="0001-01-01T00:00:00+20:00")) == [
        "starts_after"
    ]
    for name, value in {
        "status": "gone", "student": "x", "starts_after": "soon", "lesson": "\0",
        "page_size": "101", "page": "0",
    }.items():  # fmt: skip
        assert faults(caller.get("/bookings/", **{name: value})) == [name]
    for unusable in ("1e49", "9" * 45, "-1", "1.5"):
        assert faults(caller.get("/bookings/", student=unusable)) == ["student"]


def test_a_list_takes_the_same_statements_however_long_it_is():
    teacher = academy.instructor()
    caller = Caller(teacher)
    counts = []
    for _ in range(3):
        for _ in range(4):
            academy.confirmed(lesson_in(48, instructor=teacher), academy.student())
        counts.append(caller.statements("/bookings/"))
    assert counts == [3, 3, 3]


def test_leaving_gives_the_seat_to_the_first_who_waits():
    teacher, ann, bob = academy.instructor(), academy.student(), academy.student()
    lesson = lesson_in(48, instructor=teacher, capacity=1)
    seat, place = academy.confirmed(lesson, ann), academy.waiting(lesson, bob, 1)
    full = Caller(teacher).post(f"/bookings/{place.pk}/confirm/")
    assert refusal(full) == (409, "lesson_full")
    assert refusal(Caller(bob).post(f"/bookings/{place.pk}/confirm/")) == (
        403, "permission_denied",
    )  # fmt: skip
    queue = Caller(teacher).get(at(lesson, "waitlist")).json()
    assert [item["id"] for item in queue["results"]] == [place.pk]
    left = Caller(ann).post(f"/bookings/{seat.pk}/cancel/")
    assert (left.status_code, left.json()["status"]) == (200, "cancelled")
    assert left.json()["cancelled_at"]
    again = Caller(ann).post(f"/bookings/{seat.pk}/cancel/")
    assert refusal(again) == (409, "already_cancelled")
    assert Caller(bob).get(f"/bookings/{place.pk}/").json()["status"] == "confirmed"
    listed = Caller(teacher).get(at(lesson, "bookings")).json()
    assert [(item["id"], item["status"]) for item in listed["results"]] == [
        (place.pk, "confirmed"), (seat.pk, "cancelled"),
    ]  # fmt: skip
    only = Caller(teacher).get(at(lesson, "bookings"), status="cancelled").json()
    assert only["count"] == 1
    assert refusal(Caller(bob).get(at(lesson, "bookings"))) == (403, "permission_denied")


def test_who_came_is_recorded_by_staff_and_by_the_student_in_time():
    teacher, ann = academy.instructor(), academy.student()
    lesson = lesson_in(0.1, instructor=teacher)
    booking = academy.confirmed(lesson, ann)
    checked = Caller(ann).post(f"/bookings/{booking.pk}/check-in/")
    assert (checked.status_code, checked.json()["attendance"]) == (200, "present")
    assert checked.json()["checked_in_at"]
    assert refusal(Caller(ann).post(at(lesson, "check-in"))) == (409, "already_checked_in")
    recorded = Caller(teacher).post(f"/bookings/{booking.pk}/attendance/", {"status": "late"})
    assert recorded.json()["attendance"] == "late"
    by_student = {"student": ann.pk, "status": "excused"}
    assert Caller(teacher).post(at(lesson, "attendance"), by_student).json()["attendance"] == (
        "excused"
    )
    assert Caller(ann).post(at(lesson, "attendance"), by_student).status_code == 403
    unknown = by_student | {"student": 10**12}
    assert refusal(Caller(teacher).post(at(lesson, "attendance"), unknown)) == (404, "not_found")
    wrong = Caller(teacher).post(at(lesson, "attendance"), {"status": "gone"})
    assert set(faults(wrong)) == {"student", "status"}
    early = academy.confirmed(lesson_in(5), ann)
    assert refusal(Caller(ann).post(f"/bookings/{early.pk}/check-in/")) == (
        409, "check_in_closed",
    )  # fmt: skip


def test_feedback_is_given_once_by_those_who_were_there():
    ann = academy.student()
    lesson = lesson_in(-2)
    AttendanceFactory.create(booking=academy.confirmed(lesson, ann), status="late")
    caller = Caller(ann)
    for bad in (0.9, 5.01, 4.123, "x", None, True, "NaN", "1e400"):
        assert faults(caller.post(at(lesson, "feedback"), {"rating": bad})) == ["rating"]
    answer = caller.post(at(lesson, "feedback"), {"rating": "4.25", "comment": "Good"})
    assert answer.status_code == 201
    assert (answer.json()["rating"], answer.json()["comment"]) == (4.25, "Good")
    again = caller.post(at(lesson, "feedback"), {"rating": 5})
    assert refusal(again) == (409, "feedback_given")
    absent = Caller(academy.student()).post(at(lesson, "feedback"), {"rating": 5})
    assert refusal(absent) == (403, "did_not_attend")
    assert Feedback.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_eight_people_who_book_at_once_get_two_seats_and_six_places():
    lesson = lesson_in(48, capacity=2)
    students = [academy.student() for _ in range(8)]
    barrier = Barrier(len(students), timeout=60)

    def book(student: User) -> int:
        caller = Caller(student)
        try:
            barrier.wait()
            return int(caller.post(at(lesson, "book")).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(students)) as pool:
        assert list(pool.map(book, students)) == [201] * 8
    assert Booking.objects.confirmed().count() == 2
    positions = Booking.objects.waiting().values_list("waitlist_position", flat=True)
    assert list(positions) == [1, 2, 3, 4, 5, 6]


def test_every_address_says_what_it_is_for():
    caller = Caller(academy.admin())
    lesson = lesson_in(48)
    booking = academy.confirmed(lesson, academy.student())
    for path in (
        *(f"/lessons/{lesson.pk}/{deed}" for deed in ("", "book/", "check-in/", "feedback/")),
        *(f"/bookings/{booking.pk}/{deed}" for deed in ("", "cancel/", "confirm/", "check-in/")),
        "/agent-sessions/recover/", "/agent-sessions/time-out/", "/credits/", "/calendar/",
        "/contest-sessions/", "/progress/", "/projects/", "/semesters/", "/sessions/s-1/accept/",
    ):  # fmt: skip
        assert caller.client.options(f"/api/v1{path}").status_code == 200, path
