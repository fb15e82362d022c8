"""Attendance: one for each booking."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext_noop

from migrations_tools.definitions import (
    Apply,
    Conflict,
    Insert,
    Outcome,
    Reject,
    RowSource,
    Skip,
    Step,
    Update,
    Warning_,
    build,
)
from sessions_app.data_migrations.lessons.links import compare, in_order, linked
from sessions_app.data_migrations.lessons.newest import Known, newest
from sessions_app.data_migrations.lessons.values import (
    Warnings,
    instant_or_none,
    word,
    zone_of,
)
from sessions_app.legacy_imports.lessons import PEOPLE
from sessions_app.models import (
    Attendance,
    AttendanceStatus,
    LegacyAttendance,
)

_EARLIEST: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class AttendanceFacts:
    """``bookings`` → booking by key of the row; ``counts`` and ``several`` as of `newest`;
    ``standing`` → the attendance that a booking has here already.
    """

    zone: tzinfo
    bookings: Mapping[str, int]
    counts: Mapping[int, str]
    several: Collection[int]
    standing: Mapping[int, int]
    linked: Mapping[int, Attendance]


class AttendanceStep(Step):
    """Each row becomes the attendance of its booking; of several rows the newest."""

    source = RowSource(LegacyAttendance, key="key")
    writes = [Attendance, LegacyAttendance]

    def load(self, rows: Sequence[Any]) -> AttendanceFacts:
        zone = zone_of(self.options.source_tz)
        found = attendance_of_same_bookings([row.id for row in rows])
        bookings = {key: booking for key, booking, _ in found}
        counts, several = newest(
            Known(key, booking, (_checked_in(document, zone), in_order(key)))
            for key, booking, document in found
            if _attendance_status(document)
        )
        standing = Attendance.objects.filter(booking__in=set(bookings.values()))
        return AttendanceFacts(
            zone=zone,
            bookings=bookings,
            counts=counts,
            several=several,
            standing=dict(standing.values_list("booking_id", "pk")),
            linked=linked(Attendance, rows, "attendance_id"),
        )

    def transform(self, row: Any, facts: AttendanceFacts) -> Outcome:
        warnings: Warnings = []
        booking = facts.bookings.get(row.key)
        if booking is None:
            raise Reject(
                "booking_missing",
                gettext_noop("Attendance %(key)s: there is no booking %(booking_key)s.")
                % {"key": row.key, "booking_key": row.booking_key},
            )
        said = word(row.document, "status")
        if said not in AttendanceStatus.values:
            raise Reject(
                "unknown_status",
                gettext_noop("Attendance %(key)s has the status “%(said)s”.")
                % {"key": row.key, "said": said},
            )
        values = {
            "booking_id": booking,
            "status": said,
            "checked_in_at": instant_or_none(row.document, "check_in_time", facts.zone, warnings),
        }
        if row.attendance_id is not None:
            return compare(facts.linked.get(row.attendance_id), values)
        if facts.counts.get(booking) != row.key:
            return Skip(
                "older_attendance",
                gettext_noop("A newer row is about the booking of %(key)s.") % {"key": row.key},
            )
        if booking in facts.standing:
            return Conflict(
                "attendance_exists",
                gettext_noop("The booking of attendance %(key)s has one here already.")
                % {"key": row.key},
            )
        if booking in facts.several:
            warnings.append(
                Warning_(
                    "several_attendance",
                    gettext_noop("Of several rows the newest counts: %(key)s.") % {"key": row.key},
                )
            )
        attendance = build(Attendance, **values)
        return Apply([Insert(attendance), Update(row, attendance=attendance)], warnings)


# The booking that a row names, or where it names none that of its person in its lesson, an active
# one before a cancelled one – for these rows and for all others of the same bookings.
_SAME_BOOKINGS: Final = """
    WITH mine AS MATERIALIZED (
        SELECT booking_key, lesson_key, student_key FROM sessions_app_legacyattendance
        WHERE id = ANY(%(ids)s)
    ),
    named AS MATERIALIZED (
        SELECT lb.key, lb.lesson_key, lb.student_key
        FROM mine JOIN sessions_app_legacybooking lb ON lb.key = mine.booking_key
        UNION
        SELECT lb.key, mine.lesson_key, mine.student_key
        FROM mine LEFT JOIN sessions_app_legacybooking lb
            ON lb.lesson_key = mine.lesson_key AND lb.student_key = mine.student_key
        WHERE mine.booking_key IS NULL
    ),
    rows AS (
        SELECT * FROM sessions_app_legacyattendance WHERE booking_key IN (SELECT key FROM named)
        UNION ALL
        SELECT * FROM sessions_app_legacyattendance
        WHERE booking_key IS NULL
            AND (lesson_key, student_key) IN (SELECT lesson_key, student_key FROM named)
    )
    SELECT a.key, coalesce(direct.id, meant.id), a.document ->> 'status',
        a.document ->> 'check_in_time'
    FROM rows a
    LEFT JOIN LATERAL (
        SELECT b.id FROM sessions_app_legacybooking lb
        JOIN sessions_app_booking b ON b.id = lb.booking_id WHERE lb.key = a.booking_key
    ) direct ON true
    LEFT JOIN LATERAL (
        SELECT b.id FROM sessions_app_legacylesson ll
        JOIN sessions_app_legacyidentity i ON i.kind = %(people)s AND i.legacy_id = a.student_key
        JOIN sessions_app_booking b ON b.lesson_id = ll.lesson_id AND b.student_id = i.user_id
        WHERE a.booking_key IS NULL AND ll.key = a.lesson_key
        ORDER BY b.status = 'cancelled', b.created_at DESC, b.id LIMIT 1
    ) meant ON true
    WHERE coalesce(direct.id, meant.id) IS NOT NULL
"""


def attendance_of_same_bookings(ids: Sequence[int]) -> list[tuple[str, int, dict[str, Any]]]:
    """Key, booking, and what counts of the document: of these rows and their rivals."""
    with connection.cursor() as cursor:
        cursor.execute(_SAME_BOOKINGS, {"ids": list(ids), "people": PEOPLE})
        return [
            (key, booking, {"status": status, "check_in_time": time})
            for key, booking, status, time in cursor.fetchall()
        ]


def _attendance_status(document: Mapping[str, Any]) -> bool:
    return word(document, "status") in AttendanceStatus.values


def _checked_in(document: Mapping[str, Any], zone: tzinfo) -> datetime:
    return instant_or_none(document, "check_in_time", zone, []) or _EARLIEST
