"""Claiming batches: the next one, taking over expired leases, finishing and giving back.

The database is the queue. All times are the database's; a lease is renewed by the heartbeat.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import F, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from migrations_tools.engine.clock import database_clock
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.cutting import DECIDED, Idle, cut_batch, cut_undo_batch
from migrations_tools.engine.deaths import refuse_after_losses
from migrations_tools.engine.limits import lease_seconds, short_transaction
from migrations_tools.engine.seal import batch_digest
from migrations_tools.engine.sql import table_of
from migrations_tools.exceptions import LeaseLost
from migrations_tools.models import Batch, Run
from migrations_tools.states import WORKING_STATES, WRITING_KINDS, BatchState, RunKind


@dataclass(frozen=True)
class Owner:
    """A worker: host, process, and a number of its own."""

    name: str

    @classmethod
    def here(cls) -> Owner:
        return cls(f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}")


def expired_batches(run: Run) -> QuerySet[Batch]:
    """Batches whose owner let the lease run out."""
    return Batch.objects.filter(run=run, state=BatchState.RUNNING, lease_until__lt=database_clock())


def terminate_expired(run: Run) -> None:
    """End the backends of owners whose lease ran out, and wait until they are gone.

    A client that froze in the middle of a COPY holds its locks past every time-out.
    """
    for pid, started in expired_batches(run).values_list("backend_pid", "backend_start"):
        end_backend(pid, started)


def end_backend(pid: int | None, started: Any, wait_seconds: float = 10.0) -> None:
    """Terminate the backend that ``pid`` and its start time name, unless it is our own."""
    if pid is None or started is None:
        return
    query = (
        "SELECT {what} FROM pg_stat_activity "
        "WHERE pid = %s AND backend_start = %s AND pid <> pg_backend_pid()"
    )
    until = time.monotonic() + wait_seconds
    with connection.cursor() as cursor:
        cursor.execute(query.format(what="pg_terminate_backend(pid)"), [pid, started])
        while time.monotonic() < until:
            cursor.execute(query.format(what="1"), [pid, started])
            if cursor.fetchone() is None:
                return
            time.sleep(0.05)


def claim_batch(context: RunContext, owner: Owner, size: int) -> Batch | Idle:
    """The next batch for this worker, owned under a lease, or why there is none.

    Refreshes ``context.run``.
    """
    terminate_expired(context.run)
    with short_transaction():
        run = Run.objects.select_for_update(no_key=True).get(pk=context.run.pk)
        context.run = run
        if run.state not in WORKING_STATES or run.kind not in WRITING_KINDS:
            return Idle.STOPPED
        batch = _waiting_batch(run)
        if batch is None:
            cut = (
                cut_undo_batch(context, size)
                if run.kind == RunKind.ROLLBACK
                else cut_batch(context, size)
            )
            if isinstance(cut, Idle):
                return cut
            batch = cut
        return _own(batch, owner)


def _waiting_batch(run: Run) -> Batch | None:
    """A batch given back, or one whose lease ran out."""
    now = database_clock()
    batch = (
        Batch.objects.filter(run=run)
        .filter(
            Q(state=BatchState.OPEN) & (Q(not_before__isnull=True) | Q(not_before__lte=now))
            | Q(state=BatchState.RUNNING, lease_until__lt=now)
        )
        .order_by("step", "number")
        .first()
    )
    if batch is not None and batch.sweep == DECIDED:
        # all its batches were cut at once; a step starts when the one before it is done
        unfinished = Batch.objects.filter(run=run, step__lt=batch.step)
        if unfinished.exclude(state=BatchState.DONE).exists():
            return None
    return batch


def _own(batch: Batch, owner: Owner) -> Batch:
    """Compare-and-set the owner; the fencing number rises, and so do losses where one died."""
    losses = batch.losses + (batch.state == BatchState.RUNNING)
    refuse_after_losses(batch, losses)
    backend = RawSQL(
        "(SELECT backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid())", []
    )
    changed = Batch.objects.filter(pk=batch.pk, fencing=batch.fencing).update(
        state=BatchState.RUNNING,
        owner=owner.name,
        fencing=F("fencing") + 1,
        attempts=F("attempts") + 1,
        losses=losses,
        lease_until=database_clock() + Value(timedelta(seconds=lease_seconds())),
        backend_pid=RawSQL("pg_backend_pid()", []),
        backend_start=backend,
        not_before=None,
        started_at=Now(),
    )
    if not changed:
        raise LeaseLost(f"Batch {batch.pk} was claimed by another worker.")
    batch.refresh_from_db()
    return batch


def finish_batch(batch: Batch, counts: dict[str, Any], size: int, seconds: float) -> None:
    """Last statement of the data transaction: done, if this worker still owns the batch."""
    digest = batch_digest(batch)
    changed = Batch.objects.filter(
        pk=batch.pk, owner=batch.owner, fencing=batch.fencing, state=BatchState.RUNNING
    ).update(
        state=BatchState.DONE,
        counts=counts,
        size=size,
        seconds=seconds,
        digest=digest,
        lease_until=None,
        finished_at=Now(),
        error="",
    )
    if not changed:
        raise LeaseLost(
            f"Batch {batch.pk} was taken over by another worker while this one stood still; "
            "nothing was written here."
        )


def refuse_stale_owner(cursor: Any, batch: Batch) -> None:
    """Hold the batch as ours for the transaction of ``cursor``; raises LeaseLost if it is not.

    For what a batch commits apart from its data: its digest must not change after a take-over.
    """
    cursor.execute(
        f"SELECT 1 FROM {table_of(Batch)} WHERE id = %s AND owner = %s AND fencing = %s "
        "AND state = %s FOR SHARE",
        [batch.pk, batch.owner, batch.fencing, BatchState.RUNNING],
    )
    if cursor.fetchone() is None:
        raise LeaseLost(f"Batch {batch.pk} was taken over by another worker.")


def own_batch_again(batch: Batch) -> bool:
    """After a cut connection: whether the commit went through.

    Waits, under a lock on the batch row, for the old transaction to end.
    """
    connection.close()
    with short_transaction():
        stored = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    return (
        stored.state == BatchState.DONE
        and stored.owner == batch.owner
        and stored.fencing == batch.fencing
    )


def give_back(batch: Batch, error: str, delay_seconds: float) -> bool:
    """Open the batch again for any worker, after a delay; False where it is ours no more."""
    changed = Batch.objects.filter(
        pk=batch.pk, owner=batch.owner, fencing=batch.fencing, state=BatchState.RUNNING
    ).update(
        state=BatchState.OPEN,
        owner="",
        losses=0,
        suspects=batch.suspects,
        lease_until=None,
        not_before=database_clock() + Value(timedelta(seconds=delay_seconds)),
        error=error,
    )
    return bool(changed)


def renew_lease(batch: Batch) -> bool:
    """Heartbeat: put the lease off; False where the batch is ours no more."""
    changed = Batch.objects.filter(
        pk=batch.pk, owner=batch.owner, fencing=batch.fencing, state=BatchState.RUNNING
    ).update(lease_until=database_clock() + Value(timedelta(seconds=lease_seconds())))
    return bool(changed)
