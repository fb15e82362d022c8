"""Lines of waiting bookings, numbered from 1 without gaps."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import F
from django.db.models.fields.json import KeyTextTransform

from migrations_tools.definitions import Apply, Outcome, Step, TouchedSource, Unchanged, Update
from sessions_app.data_migrations.lessons.bookings import UNDECIDED
from sessions_app.data_migrations.lessons.links import in_order
from sessions_app.data_migrations.lessons.values import UnreadableError, decimal_number, word
from sessions_app.models import Booking, Lesson

_LAST = Decimal("Infinity")


@dataclass(frozen=True, slots=True)
class Waiter:
    """A waiting booking: as the engine reads it, and where it belongs in the line."""

    booking: Booking
    place: tuple[Any, ...]


class WaitlistStep(Step):
    """Lines are numbered anew: by (position, time of booking) of the old rows, those without a
    position behind them, undecided ones behind those; who joined here comes last, in the order
    in which they stand (lessons.md "Migration").
    """

    source = TouchedSource(Lesson)
    writes = [Booking]
    derived = {Booking: ["waitlist_position"]}
    counted = False
    recomputed = True

    def load(self, rows: Sequence[Any]) -> Mapping[int, Sequence[Waiter]]:
        lines: dict[int, list[Waiter]] = defaultdict(list)
        for booking in (
            Booking.objects.waiting()
            .filter(lesson__in=[row.pk for row in rows])
            .annotate(
                key=F("legacy_rows__key"),
                said=KeyTextTransform("status", "legacy_rows__document"),
                position=KeyTextTransform("waitlist_position", "legacy_rows__document"),
            )
            .select_for_update(no_key=True, of=["self"])
        ):
            lines[booking.lesson_id].append(Waiter(booking, place_of(booking)))
        return lines

    def transform(self, row: Any, lines: Mapping[int, Sequence[Waiter]]) -> Outcome:
        line = sorted(lines.get(row.pk, ()), key=lambda waiter: waiter.place)
        changes = [
            Update(waiter.booking, waitlist_position=number)
            for number, waiter in enumerate(line, start=1)
            if waiter.booking.waitlist_position != number
        ]
        return Apply(changes) if changes else Unchanged()


def place_of(booking: Any) -> tuple[Any, ...]:
    """Sorts the waiters of a lesson; ``key``, ``said`` and ``position`` are of the old row."""
    if booking.key is None:
        return (2, booking.waitlist_position, booking.created_at, booking.pk)
    document = {"said": booking.said, "position": booking.position}
    try:
        position = decimal_number(document, "position")
    except UnreadableError:
        position = None
    is_undecided = word(document, "said") in UNDECIDED
    return (
        int(is_undecided),
        _LAST if position is None or is_undecided else position,
        booking.created_at,
        in_order(booking.key),
    )
