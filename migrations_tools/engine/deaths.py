"""A key that ends its worker each time – a crash below Python, memory that runs out – is set aside.

Nobody is left to classify such an error. So the batch counts the leases that ran out one after the
other. From `CAUTIOUS_LOSSES` on its keys are taken one by one, each noted as a suspect before; the
one whose worker did not come back to strike it off is quarantined by the next worker.

A plan or dry run that dies is not begun again by itself. The next one of the same data migration
takes the keys that were in hand one by one, and the one after it knows the key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from django.db.models import Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_noop

from migrations_tools.definitions.base import Step
from migrations_tools.definitions.sources import Items, KeyRange
from migrations_tools.engine.ledger import Entry
from migrations_tools.engine.selection import Selection
from migrations_tools.engine.side import side_connection
from migrations_tools.engine.sql import table_of
from migrations_tools.exceptions import CarryoverError, LeaseLost
from migrations_tools.models import Batch, Run
from migrations_tools.states import WRITING_KINDS, BatchState, Outcome, RunState

#: Leases lost in a row after which a batch takes its keys one by one.
CAUTIOUS_LOSSES = 2
#: Leases lost in a row, no key being the cause, after which the run stops for a person.
MOST_LOSSES = 5

WORKER_DIED = "worker_died"

#: Why a plan or dry run is cancelled whose process is gone.
PROCESS_ENDED = gettext_noop("Its process ended before it did; make it anew.")


def refuse_after_losses(batch: Batch, losses: int) -> None:
    """Raise what stops the run where ``batch`` lost too many workers."""
    if losses >= MOST_LOSSES:
        raise CarryoverError(
            gettext_noop(
                "Batch %(number)s of step %(step)s lost its worker %(losses)s times in a "
                "row, and no single key was the cause. Find out what ended the workers, "
                "then resume."
            )
            % {"number": batch.number, "step": batch.step + 1, "losses": losses},
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
            gettext_noop("Its worker died while it had this key in hand."),
            source_digest=digest,
        )
        for key, digest in zip(items.keys, items.digests, strict=True)
        if key in deadly
    ]
    return items.without(deadly)


def deaths_in_rehearsal(run: Run) -> list[Batch]:
    """What earlier plans and dry runs had in hand when they died, since one came to its end."""
    rehearsals = Run.objects.filter(definition=run.definition, parent=None).exclude(
        kind__in=WRITING_KINDS
    )
    done = rehearsals.filter(state=RunState.COMPLETED).order_by("-created_at")
    died = rehearsals.filter(
        state=RunState.CANCELLED,
        state_reason=PROCESS_ENDED,
        created_at__gt=Coalesce(
            Subquery(done.values("created_at")[:1]), datetime.min.replace(tzinfo=UTC)
        ),
    )
    return list(Batch.objects.filter(run__in=died, state=BatchState.OPEN).order_by("pk"))


def be_careful(batch: Batch, step: Step, selection: Selection, deaths: Sequence[Batch]) -> None:
    """Let a batch of a rehearsal take its keys one by one where earlier ones died of them."""
    deaths = [death for death in deaths if death.step == batch.step]
    if not deaths:
        return
    batch.suspects = sorted({key for death in deaths for key in death.suspects or ()}) or None
    keys = step.source.keys(selection)
    mine = step.source.within(keys, _range_of(batch), "k")
    if any(step.source.within(mine, _range_of(death), "k").exists() for death in deaths):
        batch.losses = CAUTIOUS_LOSSES


def _range_of(batch: Batch) -> KeyRange:
    if batch.keys is not None:
        return KeyRange(keys=batch.keys)
    return KeyRange(batch.after_key, batch.last_key)


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
