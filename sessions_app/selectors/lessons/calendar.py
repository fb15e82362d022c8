"""Lessons as events of a calendar: FullCalendar's objects, and an iCalendar text (RFC 5545)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import AnonymousUser, User
from django.utils.translation import gettext as _

from sessions_app.lesson_errors import FieldFault, InvalidFields
from sessions_app.models import SessionStatus
from sessions_app.selectors.lessons.items import LessonItem
from sessions_app.selectors.lessons.listing import lessons_between
from sessions_app.selectors.lessons.viewers import Clock, system_clock

#: A calendar shows at most a leap year at once, and at most this many lessons of it.
LONGEST_RANGE: Final = timedelta(days=366)
MOST_EVENTS: Final = 5_000

#: A feed holds what lies between these around the present.
FEED_BEHIND: Final = timedelta(days=90)
FEED_AHEAD: Final = timedelta(days=270)

_LINE_OCTETS: Final = 75  # RFC 5545, 3.1
_STATUS: Final = {SessionStatus.CANCELLED: "CANCELLED"}  # all others take place: CONFIRMED


def calendar_events(
    user: User | AnonymousUser, *, start: datetime, end: datetime
) -> list[dict[str, Any]]:
    """Event objects of FullCalendar for what ``user`` sees from ``start`` to before ``end``.

    Instants are ISO 8601 with offset. Raises InvalidFields for an empty or too long range.
    """
    if not timedelta() < end - start <= LONGEST_RANGE:
        raise InvalidFields(
            [
                FieldFault(
                    "end", "out_of_range", _("A calendar shows up to 366 days after its start.")
                )
            ]
        )
    return [_event(item) for item in lessons_between(user, start, end, most=MOST_EVENTS)]


def icalendar_feed(user: User | AnonymousUser, *, clock: Clock = system_clock) -> str:
    """What ``user`` sees of the last 90 and the next 270 days, as an iCalendar text."""
    now = clock()
    items = lessons_between(user, now - FEED_BEHIND, now + FEED_AHEAD, most=MOST_EVENTS)
    return icalendar(items, now)


def icalendar(items: list[LessonItem], now: datetime) -> str:
    """An iCalendar object: lines of at most 75 octets that end with CRLF, times in UTC.

    The id of an event stays the same, so that a calendar replaces what it has.
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Carryover//Lessons//EN"]
    for item in items:
        lines += _component(item, now)
    lines.append("END:VCALENDAR")
    return "".join(f"{part}\r\n" for line in lines for part in _folded(line))


def _event(item: LessonItem) -> dict[str, Any]:
    return {
        "id": item.session_id,
        "title": item.title,
        "start": item.starts_at.isoformat(),
        "end": item.ends_at.isoformat(),
        "extendedProps": {
            "status": item.status,
            "delivery": item.delivery,
            "location": item.location,
            "meeting_link": item.meeting_link,
            "semester": item.semester.name,
            "instructor": item.instructor.name if item.instructor else None,
            "capacity": item.capacity,
            "confirmed_bookings": item.confirmed_bookings,
            "own_booking": item.own_booking.status if item.own_booking else None,
        },
    }


def _component(item: LessonItem, now: datetime) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{_text(item.session_id)}@carryover"
    yield f"DTSTAMP:{_instant(now)}"
    yield f"DTSTART:{_instant(item.starts_at)}"
    yield f"DTEND:{_instant(item.ends_at)}"
    yield f"LAST-MODIFIED:{_instant(item.updated_at)}"
    yield f"SUMMARY:{_text(item.title)}"
    if item.description:
        yield f"DESCRIPTION:{_text(item.description)}"
    if item.location:
        yield f"LOCATION:{_text(item.location)}"
    if item.meeting_link:
        yield f"URL:{_without_control(item.meeting_link)}"
    yield f"STATUS:{_STATUS.get(SessionStatus(item.status), 'CONFIRMED')}"
    yield "END:VEVENT"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    """A TEXT value (RFC 5545, 3.3.11); of control characters only line breaks and tabs stay."""
    lines = value.replace("\r\n", "\n").replace("\r", "\n")
    kept = _without_control(lines, but="\n\t")
    for letter, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\n", "\\n")):
        kept = kept.replace(letter, escaped)
    return kept


def _without_control(value: str, *, but: str = "") -> str:
    return "".join(
        letter for letter in value if letter in but or unicodedata.category(letter) != "Cc"
    )


def _folded(line: str) -> Iterator[str]:
    """The line in pieces of at most 75 octets, never cut within a character; all but the first
    begin with a space.
    """
    piece, octets = "", 0
    for letter in line:
        width = len(letter.encode())
        if octets + width > _LINE_OCTETS:
            yield piece
            piece, octets = " ", 1
        piece += letter
        octets += width
    yield piece
