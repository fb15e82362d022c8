"""Lessons in calendars (lessons.md "Calendar")."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from sessions_app.models import Delivery, SemesterStatus
from tests.sessions_app import academy
from tests.sessions_app.api.asking import Caller, faults, refusal

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 3, 1, 9, tzinfo=UTC)
MARCH = {"start": "2026-03-01T00:00:00Z", "end": "2026-04-01T00:00:00Z"}


def test_an_event_is_an_object_of_fullcalendar():
    teacher = academy.instructor(first_name="Nora", last_name="Haddad")
    lesson = academy.lesson(
        starts_at=DAY, instructor=teacher, location="Hall 1", semester=academy.semester(name="S1")
    )
    student = academy.student()
    academy.confirmed(lesson, student)
    answer = Caller(student).get("/calendar/", **MARCH)
    assert answer.json() == [
        {
            "id": lesson.session.session_id,
            "title": "Passing",
            "start": "2026-03-01T09:00:00+00:00",
            "end": "2026-03-01T10:00:00+00:00",
            "extendedProps": {
                "status": "scheduled",
                "delivery": "on_site",
                "location": "Hall 1",
                "meeting_link": None,
                "semester": "S1",
                "instructor": "Nora Haddad",
                "capacity": 20,
                "confirmed_bookings": 1,
                "own_booking": "confirmed",
            },
        }
    ]


def test_the_edges_are_days_or_instants():
    academy.lesson(starts_at=DAY)
    caller = Caller(academy.admin())

    def count(start: str, end: str) -> int:
        return len(caller.get("/calendar/", start=start, end=end).json())

    assert count("2026-03-01", "2026-03-02") == 1
    assert count("2026-03-01T12:59:59", "2026-03-02") == 1  # local: 09:59:59 in UTC
    assert count("2026-03-01T13:00:00+03:00", "2026-03-02") == 0
    assert count("2026-02-01", "2026-03-01T09:00:00Z") == 0
    assert count("2026-03-01T00:00:00+23:00", "2026-03-01T00:00:00-23:00") == 1
    for start, end, fields in (
        ("", "2026-03-02", ["start"]),
        ("soon", "", ["start", "end"]),
        ("2026-03-02", "2026-03-01", ["end"]),
        ("2026-03-02", "2026-03-02", ["end"]),
        ("2026-03-02", "2027-03-04", ["end"]),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", ["start", "end"]),
    ):
        assert faults(caller.get("/calendar/", start=start, end=end)) == fields


def test_both_calendars_show_what_the_list_shows():
    soon = timezone.now() + timedelta(days=2)
    link: dict[str, Any] = {
        "delivery": Delivery.VIRTUAL,
        "meeting_link": "https://meet.example.com/a",
    }
    academy.lesson("Seen", starts_at=soon, **link)
    draft = academy.semester(status=SemesterStatus.DRAFT)
    academy.lesson("Hidden", starts_at=soon, semester=draft)
    edges = {
        "start": timezone.now().isoformat(),
        "end": (timezone.now() + timedelta(days=9)).isoformat(),
    }
    for user, titles in ((academy.student(), ["Seen"]), (academy.admin(), ["Hidden", "Seen"])):
        caller = Caller(user)
        events = caller.get("/calendar/", **edges).json()
        assert sorted(event["title"] for event in events) == titles
        feed = caller.get("/calendar.ics").content.decode()
        summaries = [line for line in feed.splitlines() if line.startswith("SUMMARY:")]
        assert sorted(summaries) == [f"SUMMARY:{title}" for title in titles]
        assert ("meet.example.com" in feed) == ("Hidden" in titles)
    for path in ("/calendar/", "/calendar.ics"):
        assert refusal(Caller(None).get(path)) == (401, "not_authenticated")


def test_the_feed_is_folded_and_escaped_text_of_rfc_5545():
    title = "Pass, move; again \\ " + "ä" * 60
    lesson = academy.lesson(title, starts_at=timezone.now() + timedelta(days=1))
    caller = Caller(academy.admin())
    answer = caller.client.get("/api/v1/calendar.ics", headers={"Accept": "text/calendar"})
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    lines = answer.content.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCALENDAR"
    assert lines[-2:] == [b"END:VCALENDAR", b""]
    assert max(map(len, lines)) <= 75
    unfolded = answer.content.replace(b"\r\n ", b"").decode()
    assert "SUMMARY:Pass\\, move\\; again \\\\ " + "ä" * 60 + "\r\n" in unfolded
    assert f"UID:{lesson.session.session_id}@carryover\r\n" in unfolded


def test_calendars_take_the_same_statements_however_much_is_in_them():
    caller = Caller(academy.admin())
    counts, made = [], 0
    for size in (1, 10, 50):
        for _ in range(made, size):
            academy.lesson(starts_at=DAY)
        made = size
        counts.append(caller.statements("/calendar/", **MARCH))
        assert len(caller.get("/calendar/", **MARCH).json()) == size
    assert counts == [3, 3, 3]
