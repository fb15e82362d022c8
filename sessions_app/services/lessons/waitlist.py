"""Seats and the queue for them. Callers hold the lock on the lesson."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import connection

from sessions_app.models import Booking, Lesson
from sessions_app.services.lessons.common import write_changes

#: The first waiters get the free seats; the others move up, without gaps. Positions are unique
#: at the end of the transaction only, so that one statement can move a queue.
_SETTLE: Final = """
UPDATE sessions_app_booking AS b
SET status = CASE WHEN line.place <= %(free)s THEN 'confirmed' ELSE 'waitlisted' END,
    waitlist_position = CASE WHEN line.place > %(free)s THEN line.place - %(free)s END
FROM (
    SELECT id, row_number() OVER (ORDER BY waitlist_position) AS place
    FROM sessions_app_booking WHERE lesson_id = %(lesson)s AND status = 'waitlisted'
) AS line
WHERE b.id = line.id AND (line.place <= %(free)s OR line.place - %(free)s <> b.waitlist_position)
RETURNING b.id, b.status = 'confirmed'
"""


def count_confirmed(lesson: Lesson) -> int:
    """Taken seats; those of an old overbooked lesson can be more than it has."""
    return Booking.objects.confirmed().filter(lesson=lesson).count()


def settle_waitlist(lesson: Lesson, *, acting_user: User) -> list[int]:
    """Give free seats to the first waiters and close the gaps behind them.

    The ids of the bookings that got a seat, in no order. Four statements whatever the queue.
    """
    free = max(0, lesson.capacity - count_confirmed(lesson))
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, {"lesson": lesson.pk, "free": free})
        moved = dict(cursor.fetchall())
    promoted = [pk for pk, seated in moved.items() if seated]
    stayed = [pk for pk, seated in moved.items() if not seated]
    write_changes(Booking, promoted, acting_user=acting_user, reason="promoted")
    write_changes(Booking, stayed, acting_user=acting_user, reason="moved up")
    return promoted
