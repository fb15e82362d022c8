"""Bookings. What depends on other rows is worked out from the staged rows themselves, so that
neither batches nor workers make a difference.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, NamedTuple

from django.db import connection
from django.utils.translation import gettext_noop

from migrations_tools.definitions import (
    Apply,
    Ensure,
    Insert,
    Outcome,
    Reject,
    RowSource,
    Step,
    Update,
    Warning_,
    build,
)
from sessions_app.data_migrations.lessons.links import (
    as_told,
    became,
    compare,
    in_order,
    linked,
    people,
)
from sessions_app.data_migrations.lessons.values import Warnings, instant_or_none, word, zone_of
from sessions_app.legacy_imports.lessons import PEOPLE
from sessions_app.models import Booking, BookingStatus, LegacyBooking, Lesson

_CONFIRMED: Final = BookingStatus.CONFIRMED.value
_WAITLISTED: Final = BookingStatus.WAITLISTED.value
_CANCELLED: Final = BookingStatus.CANCELLED.value

#: Words of ``status`` → status. One that only waits for an answer gets in line.
STATUSES: Final = {
    "confirmed": _CONFIRMED,
    "waitlisted": _WAITLISTED,
    "pending": _WAITLISTED,
    "": _WAITLISTED,
    "cancelled": _CANCELLED,
    "canceled": _CANCELLED,
}
#: Words whose bookings stand at the end of the line, whatever their position.
UNDECIDED: Final = ("pending", "")

#: Added to the key of a staged row: its place in the line until the last step numbers the line.
PROVISIONAL: Final = 10**12

_LATEST: Final = datetime.max.replace(tzinfo=UTC)


class Rival(NamedTuple):
    """A staged booking beside others of its lesson; ``student`` is the account, ``document`` has
    status and time of booking only.
    """

    key: str
    lesson_key: str
    student: int
    document: Mapping[str, Any]


@dataclass(slots=True)
class BookingFacts:
    """``lessons`` → key, key of the session, capacity; by legacy id. ``repeated`` and
    ``beyond`` are keys of rows: later ones of a student, and those without a seat left.
    ``active`` → for each lesson and student the active booking that stands here already.
    """

    zone: tzinfo
    lessons: Mapping[str, tuple[Any, ...]]
    people: Mapping[str, int]
    repeated: Collection[str]
    beyond: Collection[str]
    active: Mapping[tuple[int, int], int]
    linked: Mapping[int, Booking]


class BookingStep(Step):
    """Each row becomes a booking. Waiting ones get their place in the line in a later step, which
    looks at the lessons that are shared here.
    """

    source = RowSource(LegacyBooking, key="key")
    writes = [Lesson, Booking, LegacyBooking]
    shares = {Lesson: [("session",)]}

    def load(self, rows: Sequence[Any]) -> BookingFacts:
        zone = zone_of(self.options.source_tz)
        keys = {row.lesson_key for row in rows} - {None}
        lessons = became(Lesson, keys, "pk", "session_id", "capacity")
        rivals = rivals_of({key: capacity for key, (_, _, capacity) in lessons.items()})
        repeated = later_ones(rivals, zone)
        students = people({row.student_key for row in rows} - {None})
        standing = Booking.objects.active().filter(
            lesson__in=[pk for pk, *_ in lessons.values()], student__in=students.values()
        )
        return BookingFacts(
            zone=zone,
            lessons=lessons,
            people=students,
            repeated=repeated,
            beyond=without_seat(rivals, lessons, repeated, zone),
            active={
                (lesson, student): pk
                for lesson, student, pk in standing.values_list("lesson_id", "student_id", "pk")
            },
            linked=linked(Booking, rows, "booking_id"),
        )

    def transform(self, row: Any, facts: BookingFacts) -> Outcome:
        warnings: Warnings = []
        values = booking_values(row, facts, warnings)
        if row.booking_id is not None:
            return compare(facts.linked.get(row.booking_id), values)
        if values["status"] != _WAITLISTED:
            booking = build(Booking, **values)
            return Apply([Insert(booking), Update(row, booking=booking)], warnings)
        booking = build(Booking, waitlist_position=PROVISIONAL + row.id, **values)
        lesson = Ensure(Lesson, session=facts.lessons[row.lesson_key][1])
        return Apply([lesson, Insert(booking), Update(row, booking=booking)], warnings)


def booking_values(row: Any, facts: BookingFacts, warnings: Warnings) -> dict[str, Any]:
    """What the row says, beside its rivals. Raises Reject where it points nowhere."""
    if row.lesson_key not in facts.lessons:
        raise Reject(
            "lesson_missing",
            gettext_noop("Booking %(key)s: there is no lesson %(lesson_key)s.")
            % {"key": row.key, "lesson_key": row.lesson_key},
        )
    if row.student_key not in facts.people:
        raise Reject(
            "student_missing",
            gettext_noop("Booking %(key)s: there is nobody %(student_key)s.")
            % {"key": row.key, "student_key": row.student_key},
        )
    lesson, student = facts.lessons[row.lesson_key][0], facts.people[row.student_key]
    said = word(row.document, "status")
    if said not in STATUSES:
        raise Reject(
            "unknown_status",
            gettext_noop("Booking %(key)s has the status “%(said)s”.")
            % {"key": row.key, "said": said},
        )
    status = STATUSES[said]
    standing = facts.active.get((lesson, student), row.booking_id)
    if status != _CANCELLED and (row.key in facts.repeated or standing != row.booking_id):
        status = _CANCELLED
        warnings.append(
            Warning_(
                "duplicate_booking",
                gettext_noop("Booking %(key)s repeats an earlier one; cancelled.")
                % {"key": row.key},
            )
        )
    elif said in UNDECIDED:
        warnings.append(
            Warning_(
                "pending_booking",
                gettext_noop("Booking %(key)s was undecided; it is last in line.")
                % {"key": row.key},
            )
        )
    elif status == _CONFIRMED and row.key in facts.beyond:
        warnings.append(
            Warning_(
                "overbooked",
                gettext_noop("Booking %(key)s is beyond the capacity; it stays confirmed.")
                % {"key": row.key},
            )
        )
    created_at = instant_or_none(row.document, "created_at", facts.zone, warnings)
    cancelled_at = None
    if status == _CANCELLED:
        cancelled_at = instant_or_none(row.document, "cancelled_at", facts.zone, warnings)
    values = {
        "lesson_id": lesson,
        "student_id": student,
        "status": status,
        "cancelled_at": cancelled_at,
        "created_at": created_at,
    }
    return as_told(values, row, row.booking_id)


# Reading every row of every lesson would be too much: only lessons with more confirmed rows than
# seats, and people with several rows that are not cancelled, are looked at one by one. Rows whose
# shape is at fault take nobody's seat.
_RIVALS: Final = """
    SELECT key, lesson_key, user_id, status, created_at FROM (
        SELECT b.key, b.lesson_key, i.user_id, l.capacity,
            b.document ->> 'status' AS status, b.document ->> 'created_at' AS created_at,
            count(*) OVER (PARTITION BY b.lesson_key, i.user_id) AS of_student,
            count(*) FILTER (WHERE b.document ->> 'status' ILIKE '%%confirmed%%')
                OVER (PARTITION BY b.lesson_key) AS confirmed
        FROM unnest(%s::text[], %s::integer[]) AS l (key, capacity)
        JOIN sessions_app_legacybooking b ON b.lesson_key = l.key
        JOIN sessions_app_legacyidentity i ON i.kind = %s AND i.legacy_id = b.student_key
        WHERE coalesce(b.document ->> 'status', '') !~* 'cancel'
            AND coalesce(jsonb_typeof(b.document -> 'status'), '') NOT IN ('array', 'object')
            AND coalesce(jsonb_typeof(b.document -> 'created_at'), '') NOT IN ('array', 'object')
    ) rows WHERE of_student > 1 OR confirmed > capacity
"""


def rivals_of(capacities: Mapping[str, int]) -> list[Rival]:
    """Rows that may be too many: of one student, or of a lesson (capacity by legacy id)."""
    if not capacities:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_RIVALS, [list(capacities), list(capacities.values()), PEOPLE])
        return [
            Rival(key, lesson, student, {"status": status, "created_at": created_at})
            for key, lesson, student, status, created_at in cursor.fetchall()
        ]


def later_ones(rivals: Iterable[Rival], zone: tzinfo) -> set[str]:
    """Keys of the active rows of each lesson and student but the earliest."""
    groups: dict[tuple[str, int], list[Rival]] = defaultdict(list)
    for rival in rivals:
        if STATUSES.get(word(rival.document, "status"), _CANCELLED) != _CANCELLED:
            groups[rival.lesson_key, rival.student].append(rival)
    return {later.key for group in groups.values() for later in _in_order(group, zone)[1:]}


def without_seat(
    rivals: Iterable[Rival],
    lessons: Mapping[str, tuple[Any, ...]],
    repeated: Collection[str],
    zone: tzinfo,
) -> set[str]:
    """Keys of the confirmed rows of each lesson beyond its capacity."""
    groups: dict[str, list[Rival]] = defaultdict(list)
    for rival in rivals:
        if rival.key not in repeated and word(rival.document, "status") == _CONFIRMED:
            groups[rival.lesson_key].append(rival)
    return {
        late.key
        for lesson_key, group in groups.items()
        for late in _in_order(group, zone)[lessons[lesson_key][2] :]
    }


def _in_order(rivals: Iterable[Rival], zone: tzinfo) -> list[Rival]:
    """By the time of booking, those without one last, then by id."""
    return sorted(
        rivals,
        key=lambda rival: (
            instant_or_none(rival.document, "created_at", zone, []) or _LATEST,
            in_order(rival.key),
        ),
    )
