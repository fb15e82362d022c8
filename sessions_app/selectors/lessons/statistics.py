"""Numbers of many lessons by one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from django.db import connection

#: Reads only what belongs to the page's lessons, each by an index.
_STATISTICS: Final = """
SELECT lesson.id, booked.*, rated.average::float8
FROM unnest(%(lessons)s::bigint[]) AS lesson (id)
CROSS JOIN LATERAL (
    SELECT count(*) AS bookings,
           count(*) FILTER (WHERE b.status = 'confirmed') AS confirmed,
           count(*) FILTER (WHERE b.status = 'waitlisted') AS waitlisted,
           count(a.id) AS attendance,
           max(b.id) FILTER (WHERE own) AS own_booking,
           max(b.status) FILTER (WHERE own) AS own_status,
           max(b.waitlist_position) FILTER (WHERE own) AS own_position
    FROM sessions_app_booking b
    LEFT JOIN sessions_app_attendance a ON a.booking_id = b.id
    CROSS JOIN LATERAL (
        SELECT b.student_id = %(viewer)s AND b.status <> 'cancelled' AS own
    ) AS mine
    WHERE b.lesson_id = lesson.id
) AS booked
CROSS JOIN LATERAL (
    SELECT avg(f.rating) AS average FROM sessions_app_feedback f WHERE f.lesson_id = lesson.id
) AS rated
"""


class LessonStatistics(NamedTuple):
    """Counts of a lesson's bookings (cancelled ones included), of those with a seat, of waiters
    and of attendance records; the mean rating, 1–5; the viewer's own active booking.
    """

    bookings: int
    confirmed: int
    waitlisted: int
    attendance: int
    own_booking: int | None
    own_status: str
    own_position: int | None
    average_rating: float | None


def statistics_of(lessons: Sequence[int], viewer_id: int) -> dict[int, LessonStatistics]:
    """By id, one entry for every lesson; one query, none where there are no lessons."""
    if not lessons:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(_STATISTICS, {"lessons": list(lessons), "viewer": viewer_id})
        return {row[0]: LessonStatistics(*row[1:]) for row in cursor.fetchall()}
