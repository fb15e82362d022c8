"""The switch that a domain asks for every read and write."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connection, transaction

from migrations_tools.cutover import comparing
from migrations_tools.cutover.keys import CutoverKey
from migrations_tools.cutover.stages import RULES, Rules, Side
from migrations_tools.engine.sql import table_of
from migrations_tools.models.cutover import Cutover

T = TypeVar("T")

#: Seconds for which a process believes what it read of a cutover, for reads.
BELIEVED_SECONDS = 5.0

_OFF_WORDS = frozenset({"0", "false", "no", "off"})
_believed: dict[str, tuple[float, Cutover]] = {}


def current(key: str) -> Cutover:
    """The cutover as it was at most five seconds ago; one that nobody began is off."""
    known = _believed.get(key)
    now = time.monotonic()
    if known is not None and now - known[0] < BELIEVED_SECONDS:
        return known[1]
    found = Cutover.objects.filter(key=key).first() or Cutover(key=key)
    _believed[key] = (now, found)
    return found


def forget(key: str) -> None:
    """Read the cutover again: it was changed here."""
    _believed.pop(key, None)


def forced_to_legacy(key: CutoverKey) -> bool:
    """Whether the environment forces reads of the old system, as in an emergency."""
    return os.environ.get(key.environment, "").strip().lower() in _OFF_WORDS


class Switch:
    """Routes the operations of one cutover key."""

    def __init__(self, key: CutoverKey) -> None:
        self.key = key

    def read(
        self,
        operation: str,
        *,
        legacy: Callable[[], T],
        new: Callable[[], T],
        subject: str = "",
        clean: Callable[[T], Any] = lambda answer: answer,
    ) -> T:
        """The answer of the side that the stage reads.

        ``subject`` – a person, say – decides who belongs to the share that reads the new side. In
        shadow both sides are asked; ``clean`` makes comparable JSON of an answer. A difference or
        an error of the new side is stored and never raised.
        """
        cutover = current(self.key.name)
        rules = RULES[cutover.stage]
        if rules.compares:
            return comparing.compared(cutover, operation, subject, legacy, new, clean)
        return new() if self._reads(cutover, rules, subject) is Side.NEW else legacy()

    def _reads(self, cutover: Cutover, rules: Rules, subject: str) -> Side:
        if rules.reads is Side.LEGACY or forced_to_legacy(self.key):
            return Side.LEGACY
        if rules.by_percentage and _share_of(subject) >= cutover.read_percentage:
            return Side.LEGACY
        return Side.NEW

    def write(
        self,
        *,
        legacy: Callable[[T | None], T],
        new: Callable[[T | None], T],
    ) -> T:
        """Write to the sides of the stage, the authoritative one first, in one transaction.

        Each side gets what the other one answered, or None where it comes first. The answer is
        that of the authoritative side; an error of either side undoes both. The stage cannot
        change meanwhile.
        """
        sides = {Side.LEGACY: legacy, Side.NEW: new}
        with transaction.atomic():
            answers: list[T] = []
            for side in RULES[self._held_stage()].writes:
                answers.append(sides[side](answers[0] if answers else None))
        return answers[0]

    def writes_both(self) -> bool:
        """Whether a write made now goes to both sides."""
        return len(RULES[current(self.key.name).stage].writes) == 2

    def _held_stage(self) -> str:
        """The stage as it is, held until the transaction ends.

        A key share: writers do not wait for each other, nor for counted comparisons; only a change
        of the stage waits for them, and they for it.
        """
        while True:
            with connection.cursor() as cursor:
                cursor.execute(
                    f"SELECT stage FROM {table_of(Cutover)} WHERE key = %s FOR KEY SHARE",
                    [self.key.name],
                )
                row = cursor.fetchone()
            if row is not None:
                return str(row[0])
            Cutover.objects.bulk_create([Cutover(key=self.key.name)], ignore_conflicts=True)


def _share_of(subject: str) -> int:
    """A number from 0 to 99, always the same for one subject."""
    return int.from_bytes(hashlib.sha256(subject.encode()).digest()[:4], "big") % 100
