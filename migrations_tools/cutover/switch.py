"""The switch that a domain asks for every read and write."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

from django.db import connection, transaction

from migrations_tools.cutover import carried, comparing
from migrations_tools.cutover.believed import current
from migrations_tools.cutover.keys import CutoverKey
from migrations_tools.cutover.stages import RULES, Rules, Side
from migrations_tools.engine.sql import table_of
from migrations_tools.models.cutover import Cutover

T = TypeVar("T")


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
        if rules.reads is Side.LEGACY or self.key.forced_to_legacy():
            return Side.LEGACY
        if rules.by_percentage and _share_of(subject) >= cutover.read_percentage:
            return Side.LEGACY
        return Side.NEW

    def write(
        self,
        *,
        legacy: Callable[[T | None], T],
        new: Callable[[T | None], T],
        source_key: str | None = None,
    ) -> T:
        """Write to the sides of the stage, the authoritative one first, in one transaction.

        Each side gets what the other one answered, or None where it comes first. The answer is
        that of the authoritative side; an error of either side undoes both. The stage cannot
        change meanwhile. ``source_key`` is the key of the data migration that both sides are
        written for: it then waits for no run, unless it did before (`carried`).
        """
        sides = {Side.LEGACY: legacy, Side.NEW: new}
        definition = self.key.definition
        with transaction.atomic():
            order = RULES[self.held_stage()].writes
            both = len(order) > 1
            keeps = both and source_key is not None and carried.is_carried(definition, source_key)
            answer = sides[order[0]](None)
            if both:
                sides[order[1]](answer)
            if keeps and source_key is not None:
                carried.remember_carried(definition, source_key)
        return answer

    def writes_both(self) -> bool:
        """Whether what is written in this transaction goes to both sides; holds the stage."""
        return len(RULES[self.held_stage()].writes) > 1

    def held_stage(self) -> str:
        """The stage as it is, held until the transaction ends; for what is done in some only.

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
