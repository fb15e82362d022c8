"""Plans and dry runs: everything is executed, nothing is kept but the run's own record.

All steps run in one transaction, a savepoint per batch, so that later steps read what earlier
ones wrote; it is rolled back at the end. One step without shared objects is rolled back batch
by batch. Interrupted, a rehearsal starts anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from django.apps import apps
from django.db import connection, transaction

from migrations_tools.definitions.sources import KeyRange
from migrations_tools.engine import records
from migrations_tools.engine.close import remove_unused
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.cutting import undo_order
from migrations_tools.engine.deaths import be_careful, deaths_in_rehearsal
from migrations_tools.engine.errors import ErrorClass, classify, is_connection_loss
from migrations_tools.engine.execute import Carried, carry_batch, settle_constraints
from migrations_tools.engine.limits import limit_data_transaction
from migrations_tools.engine.sizing import BatchSizer
from migrations_tools.engine.sql import array_type, pk_column, table_of
from migrations_tools.engine.undo import undo_batch
from migrations_tools.exceptions import RehearsalCancelled
from migrations_tools.models import Batch, Run
from migrations_tools.states import Outcome, RunKind, RunState

#: Keys whose changes a plan shows field by field.
MOST_SAMPLES = 10
#: Tries of a batch whose rows the application holds locked.
MOST_ATTEMPTS = 5

Progress = Callable[[int], None]


def rehearse(
    context: RunContext,
    *,
    sample: Mapping[int, Sequence[str]] | None = None,
    limit: int | None = None,
    progress: Progress = lambda keys: None,
) -> list[dict[str, Any]]:
    """Execute every step on all keys, or on ``sample`` (step → keys); before/after samples.

    ``limit`` bounds the number of source keys over all counted steps.
    """
    steps = context.steps
    apart = len(steps) == 1 and not steps[0].shares
    samples: list[dict[str, Any]] = []
    left = limit if limit else 1 << 31
    deaths = deaths_in_rehearsal(context.run)
    with nullcontext() if apart else _discarded():
        for index, step in enumerate(steps):
            keys = sample.get(index, []) if sample is not None and step.counted else None
            sizer = BatchSizer(fixed=context.run.tuning.get("batch_size"))
            ranges = _ranges(context, index, sizer, keys, step.counted, left)
            for number, (after, last, chosen) in enumerate(ranges, start=1):
                refuse_cancelled(context.run)
                started = time.monotonic()
                with _discarded() if apart else nullcontext():
                    batch = records.open_record(context.run, index, number, after, last, chosen)
                    be_careful(batch, step, context.selection(index), deaths)
                    carried = _carry_patiently(context, batch)
                    if step.counted and len(samples) < MOST_SAMPLES:
                        samples += _samples(batch, carried, MOST_SAMPLES - len(samples))
                seconds = time.monotonic() - started
                records.close_record(batch, carried.entries, carried.counts(), seconds)
                sizer.observe(len(carried.entries), seconds)
                if step.counted:
                    left -= len(carried.entries)
                    progress(len(carried.entries))
        if not apart:
            _rehearse_close(context)
    return samples


def refuse_cancelled(run: Run) -> None:
    """Raises RehearsalCancelled where a person asked the run to stop."""
    state = Run.objects.values_list("state", flat=True).get(pk=run.pk)
    if state in {RunState.CANCELLING, RunState.CANCELLED}:
        raise RehearsalCancelled(f"Run {run.pk} was cancelled.", run=str(run.pk))


def rehearse_undo(context: RunContext) -> None:
    """Take back every batch of the parent run, newest step first, and keep nothing."""
    run = context.run
    with _discarded():
        # triggers that let only a rollback through see one, in this transaction alone
        Run.objects.filter(pk=run.pk).update(kind=RunKind.ROLLBACK)
        for index in reversed(range(len(context.steps))):
            if context.steps[index].recomputed:
                continue
            for number, pk in enumerate(undo_order(run, index), start=1):
                started = time.monotonic()
                undone = Batch.objects.get(pk=pk)
                batch = records.open_record(
                    run, index, number, undone.after_key, undone.last_key or "", None
                )
                batch.undoes = undone
                with transaction.atomic():
                    carried = undo_batch(context, batch)
                seconds = time.monotonic() - started
                records.close_record(batch, carried.entries, carried.counts(), seconds)
        for index, step in enumerate(context.steps):
            if step.recomputed:
                _recompute(context, index)
        _rehearse_close(context)


def _recompute(context: RunContext, index: int) -> None:
    """What a rollback recomputes at its end: totals, positions."""
    ranges = _ranges(context, index, BatchSizer(), None, counted=False, left=0)
    for number, (after, last, chosen) in enumerate(ranges, start=1):
        batch = records.open_record(context.run, index, number, after, last, chosen)
        with transaction.atomic():
            carried = carry_batch(context, batch)
        records.close_record(batch, carried.entries, carried.counts(), 0.0)


def _rehearse_close(context: RunContext) -> None:
    """Count the shared objects that the close of the run would take away."""
    batch = records.open_record(context.run, len(context.steps), 1, None, "", None)
    carried = Carried(written=remove_unused(context.run, batch))
    records.close_record(batch, [], carried.counts(), 0.0)


def _carry_patiently(context: RunContext, batch: Batch) -> Carried:
    """A lock that the application holds for a moment does not end a rehearsal."""
    for attempt in range(1, MOST_ATTEMPTS + 1):
        batch.attempts = attempt
        try:
            with transaction.atomic():
                carried = carry_batch(context, batch)
                settle_constraints()
                return carried
        except Exception as error:
            passing = classify(error) is ErrorClass.TRANSIENT and not is_connection_loss(error)
            if not passing or attempt == MOST_ATTEMPTS:
                raise
            time.sleep(attempt)
    raise AssertionError("unreachable")


@contextmanager
def _discarded() -> Iterator[None]:
    """A transaction that is rolled back at its end."""
    with transaction.atomic(durable=True):
        limit_data_transaction()
        yield
        transaction.set_rollback(True)


def _ranges(
    context: RunContext,
    index: int,
    sizer: BatchSizer,
    sample: Sequence[str] | None,
    counted: bool,
    left: int,
) -> Iterator[tuple[str | None, str, Sequence[str] | None]]:
    """(after, last, keys) of one batch after the other; size as observed so far."""
    if sample is not None:
        place = 0
        while place < len(sample):
            chosen = sample[place : place + sizer.next_size]
            place += len(chosen)
            yield None, chosen[-1], chosen
        return
    step = context.steps[index]
    keys = step.source.keys(context.selection(index))
    upper = keys.order_by("-k").values_list("k", flat=True).first()
    if upper is None:
        return
    after: str | None = None
    while not counted or left > 0:
        most = min(sizer.next_size, left) if counted else sizer.next_size
        found = list(
            step.source.within(keys, KeyRange(after, str(upper)), "k")
            .order_by("k")
            .values_list("k", flat=True)[:most]
        )
        if not found:
            return
        left -= len(found)
        yield after, str(found[-1]), None
        after = str(found[-1])


def _samples(batch: Batch, carried: Carried, most: int) -> list[dict[str, Any]]:
    """Before and after, field by field, of the first applied keys of a batch."""
    keys = [entry.key for entry in carried.entries if entry.outcome == Outcome.APPLIED][:most]
    samples: dict[str, dict[str, Any]] = {key: {"key": key, "changes": []} for key in keys}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT key, model, operation, pk_text, before::text, after::text "
            "FROM migrations_tools_rowchange "
            "WHERE batch_id = %s AND key = ANY(%s) ORDER BY id",
            [batch.pk, keys],
        )
        for key, label, operation, pk_text, before, after in cursor.fetchall():
            samples[key]["changes"].append(
                {
                    "model": label,
                    "operation": operation,
                    "before": before,
                    "after": after or _row_as_json(cursor, label, pk_text),
                }
            )
    return list(samples.values())


def _row_as_json(cursor: Any, label: str, pk_text: str) -> str | None:
    model = apps.get_model(label)
    cursor.execute(
        f"SELECT to_jsonb(t)::text FROM {table_of(model)} t "
        f"WHERE {pk_column(model)} = %s::{array_type(model._meta.pk)[:-2]}",
        [pk_text],
    )
    row = cursor.fetchone()
    return None if row is None else str(row[0])
