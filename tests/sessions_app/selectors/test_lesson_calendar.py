"""Calendars: FullCalendar's events, and iCalendar as RFC 5545 has it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sessions_app.lesson_errors import InvalidFields
from sessions_app.models import SessionStatus
from sessions_app.selectors.lessons import calendar_events, get_lesson, icalendar, icalendar_feed
from tests.sessions_app import academy
from tests.sessions_app.academy import HOUR, NOW, TICK, at_now

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_an_event_has_what_a_calendar_shows():
    teacher, student = academy.instructor(first_name="Nora", last_name="H"), academy.student()
    lesson = academy.lesson("Passing", instructor=teacher, location="Pitch 2", capacity=5)
    academy.confirmed(lesson, student)
    (event,) = calendar_events(student, start=NOW, end=NOW + 7 * DAY)
    assert event == {
        "id": lesson.session.session_id,
        "title": "Passing",
        "start": "2026-03-03T12:00:00+00:00",
        "end": "2026-03-03T13:00:00+00:00",
        "extendedProps": {
            "status": "scheduled",
            "delivery": "on_site",
            "location": "Pitch 2",
            "meeting_link": None,
            "semester": lesson.semester.name,
            "instructor": "Nora H",
            "capacity": 5,
            "confirmed_bookings": 1,
            "own_booking": "confirmed",
        },
    }


def test_events_reach_into_the_range_and_are_in_order():
    admin = academy.admin()
    for title, starts_in in (
        ("inside", 5 * HOUR),
        ("reaches out", 10 * HOUR - TICK),
        ("reaches in", -HOUR + TICK),
        ("over", -HOUR),
        ("after", 10 * HOUR),
    ):
        academy.lesson(title, starts_in=starts_in)
    events = calendar_events(admin, start=NOW, end=NOW + 10 * HOUR)
    assert [event["title"] for event in events] == ["reaches in", "inside", "reaches out"]


@pytest.mark.parametrize("length", [timedelta(), -DAY, 366 * DAY + TICK])
def test_a_range_that_is_empty_or_too_long_is_refused(length):
    with pytest.raises(InvalidFields) as refused:
        calendar_events(academy.admin(), start=NOW, end=NOW + length)
    assert [fault.field for fault in refused.value.faults] == ["end"]


def test_a_leap_year_is_shown():
    assert calendar_events(academy.admin(), start=NOW, end=NOW + 366 * DAY) == []


def test_a_feed_holds_the_last_90_and_the_next_270_days():
    admin = academy.admin()
    for title, days in (("old", -92), ("past", -89), ("next", 269), ("far", 271)):
        academy.lesson(title, starts_in=days * DAY)
    feed = icalendar_feed(admin, clock=at_now)
    assert [line for line in feed.split("\r\n") if line.startswith("SUMMARY")] == [
        "SUMMARY:past",
        "SUMMARY:next",
    ]


def test_a_feed_is_an_icalendar_object():
    lesson = academy.lesson("Passing", location="Pitch 2", capacity=5)
    feed = icalendar_feed(academy.student(), clock=at_now)
    modified = lesson.session.updated_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    assert feed.split("\r\n") == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Carryover//Lessons//EN",
        "BEGIN:VEVENT",
        f"UID:{lesson.session.session_id}@carryover",
        "DTSTAMP:20260301T120000Z",
        "DTSTART:20260303T120000Z",
        "DTEND:20260303T130000Z",
        f"LAST-MODIFIED:{modified}",
        "SUMMARY:Passing",
        "LOCATION:Pitch 2",
        "STATUS:CONFIRMED",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def unfolded(text: str) -> list[str]:
    return text.replace("\r\n ", "").split("\r\n")


def sample(**changed: object):
    lesson = academy.lesson()
    item = get_lesson(academy.admin(), lesson.session.session_id)
    return replace(item, **changed)  # type: ignore[arg-type]  # fields of the item


def test_texts_are_escaped_so_that_they_end_no_line_and_begin_no_component():
    item = sample(title="a;b,c\\d\nEND:VEVENT\r\nX\rY\x00\x1b", description="")
    assert "SUMMARY:a\\;b\\,c\\\\d\\nEND:VEVENT\\nX\\nY" in unfolded(icalendar([item], NOW))


@pytest.mark.parametrize("text", ["x" * 300, "تمرير " * 60, "🏟" * 90, "x" * 67])
def test_lines_have_at_most_75_octets_and_are_cut_between_characters(text):
    text = text.strip()
    feed = icalendar([sample(title=text)], NOW)
    assert all(len(line.encode()) <= 75 for line in feed.split("\r\n"))
    assert f"SUMMARY:{text}" in unfolded(feed)


def test_marks_that_join_letters_and_set_directions_stay():
    text = "می\u200cخواهم \u200fA"
    assert f"SUMMARY:{text}" in unfolded(icalendar([sample(title=text)], NOW))


def test_a_cancelled_lesson_is_told_as_cancelled_and_a_link_as_address():
    item = sample(status=SessionStatus.CANCELLED, meeting_link="https://meet.example.com/a,b;c")
    lines = unfolded(icalendar([item], NOW))
    assert "STATUS:CANCELLED" in lines
    assert "URL:https://meet.example.com/a,b;c" in lines


def test_times_are_told_in_utc_whatever_their_offset():
    starts_at = datetime.fromisoformat("2026-03-05T01:00:00+03:00")
    item = sample(starts_at=starts_at, ends_at=starts_at + HOUR)
    assert "DTSTART:20260304T220000Z" in unfolded(icalendar([item], NOW))
