"""A key that ends its worker each time – a crash below Python, memory that runs out – is set aside.

Nobody is left to classify such an error. So the batch counts the leases that ran out one after the
other. From `CAUTIOUS_LOSSES` on its keys are taken one by one, each noted as a suspect before; the
one whose worker did not come back to strike it off is quarantined by the next worker.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from migrations_tools.definitions.sources import Items
from migrations_tools.engine.ledger import Entry
from migrations_tools.engine.side import side_connection
from migrations_tools.engine.sql import table_of
from migrations_tools.exceptions import CarryoverError, LeaseLost
from migrations_tools.models import Batch
from migrations_tools.states import BatchState, Outcome

#: Leases lost in a row after which a batch takes its keys one by one.
CAUTIOUS_LOSSES = 2
#: Leases lost in a row, no key being the cause, after which the run stops for a person.
MOST_LOSSES = 5

WORKER_DIED = "worker_died"


def refuse_after_losses(batch: Batch, losses: int) -> None:
    """Raise what stops the run where ``batch`` lost too many workers."""
    if losses >= MOST_LOSSES:
        raise CarryoverError(
            f"Batch {batch.number} of step {batch.step + 1} lost its worker {losses} times in a "
            "row, and no single key was the cause. Find out what ended the workers, then resume.",
            code="workers_died",
        )


def set_aside_deadly(batch: Batch, items: Items, entries: list[Entry]) -> Items:
    """Quarantine the keys whose workers died with them in hand; the others."""
    deadly = set(batch.suspects or ())
    if not deadly:
        return items
    entries += [
        Entry(
            key,
            Outcome.QUARANTINED,
            WORKER_DIED,
            "Its worker died while it had this key in hand.",
            source_digest=digest,
        )
        for key, digest in zip(items.keys, items.digests, strict=True)
        if key in deadly
    ]
    return items.without(deadly)


def parts_of(batch: Batch, items: Items) -> Iterator[Items]:
    """``items`` to be carried over together, or one by one where workers died.

    Each single key is noted, committed at once, before it is handed out. Raises LeaseLost.
    """
    if batch.losses < CAUTIOUS_LOSSES:
        yield items
        return
    known = batch.suspects or []
    for place, key in enumerate(items.keys):
        _note(batch, [*known, key], CAUTIOUS_LOSSES)
        yield items.part(place, place + 1)
    _note(batch, known, batch.losses)


def _note(batch: Batch, suspects: Sequence[str], losses: int) -> None:
    with side_connection() as side, side.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table_of(Batch)} SET suspects = %s::jsonb, losses = %s "
            "WHERE id = %s AND owner = %s AND fencing = %s AND state = %s",
            [
                json.dumps(suspects),
                losses,
                batch.pk,
                batch.owner,
                batch.fencing,
                BatchState.RUNNING,
            ],
        )
        if not cursor.rowcount:
            raise LeaseLost(f"Batch {batch.pk} was taken over by another worker.")
