"""Which of several staged rows counts that stand for one thing. It is worked out from the rows
themselves, so that neither batches nor workers make a difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple


class Known(NamedTuple):
    """A staged row among those of the same thing. The greatest ``rank`` counts."""

    key: str
    thing: Any
    rank: tuple[Any, ...]


def newest(rows: Iterable[Known]) -> tuple[dict[Any, str], set[Any]]:
    """For each thing the key of the row that counts, and the things with several rows."""
    best: dict[Any, Known] = {}
    several = set()
    for row in rows:
        other = best.setdefault(row.thing, row)
        if other.key != row.key:
            several.add(row.thing)
            best[row.thing] = max(other, row, key=lambda each: each.rank)
    return {thing: row.key for thing, row in best.items()}, several
