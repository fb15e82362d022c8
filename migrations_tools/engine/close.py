"""Closing a run: unused shared objects go, the batch digests are sealed, the state is final."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import Count
from django.db.models.functions import Now

from migrations_tools.engine.clock import database_clock
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.decided import reopen_rolled_back
from migrations_tools.engine.execute import settle_constraints
from migrations_tools.engine.failpoints import failpoint
from migrations_tools.engine.limits import short_transaction
from migrations_tools.engine.references import delete_unreferenced
from migrations_tools.engine.seal import batch_digest, run_seal
from migrations_tools.engine.statistics import refresh_statistics
from migrations_tools.engine.transitions import change_state
from migrations_tools.engine.write import Written
from migrations_tools.models import Batch, LedgerEntry, RowChange, Run
from migrations_tools.states import (
    WORKING_STATES,
    BatchState,
    Operation,
    Outcome,
    RunKind,
    RunState,
    Surface,
)


def close_run(context: RunContext) -> Run:
    """Close the run in one transaction; a crash leaves it open and is repeated whole.

    Returns the run as stored; does nothing where another worker closed it first.
    """
    with short_transaction():
        run = Run.objects.select_for_update(no_key=True).get(pk=context.run.pk)
        if run.state not in WORKING_STATES | {RunState.PAUSING, RunState.CANCELLING}:
            return run
        failpoint("closing")
        _remove_unused(context, run)
        settle_constraints()
        run.seal = run_seal(run)
        failpoint("sealed")
        change_state(
            run,
            RunState.COMPLETED,
            action="complete",
            acting_user=run.actor,
            surface=Surface.WORKER,
            seal=run.seal,
            finished_at=Now(),
            report={**run.report, "shared": shared_changes(run)},
        )
        if run.kind == RunKind.ROLLBACK:
            _settle_parent(run)
        run.refresh_from_db(fields=["finished_at"])
    failpoint("closed")
    refresh_statistics(LedgerEntry, RowChange)
    return run


def _remove_unused(context: RunContext, run: Run) -> None:
    """Take shared objects that nothing refers to any more away, journaled in a batch of its own."""
    batch = Batch.objects.create(
        run=run,
        step=len(context.steps),
        number=Batch.objects.filter(run=run, step=len(context.steps)).count() + 1,
        state=BatchState.DONE,
        started_at=database_clock(),
        finished_at=database_clock(),
    )
    if remove_unused(run, batch).counts:
        batch.digest = batch_digest(batch)
        batch.save(update_fields=["digest"])
    else:
        batch.delete()


def remove_unused(run: Run, batch: Batch) -> Written:
    """Delete shared objects that a run made, this one or its parent named, and nothing uses."""
    runs = [run] if run.parent is None else [run, run.parent]
    named = (
        RowChange.objects.filter(run__in=runs, key__isnull=True)
        .filter(operation__in=[Operation.INSERT, Operation.USE])
        .values_list("model", "pk_text")
        .distinct()
    )
    by_model: dict[str, list[Any]] = {}
    for label, pk_text in named:
        model = apps.get_model(label)
        by_model.setdefault(label, []).append(model._meta.pk.to_python(pk_text))
    removed = Written()
    with connection.cursor() as cursor:
        for label, pks in by_model.items():
            model = apps.get_model(label)
            number = delete_unreferenced(cursor, run, batch, model, pks)
            if number:
                removed.add(model, "delete", number)
    return removed


def shared_changes(run: Run) -> dict[str, dict[str, int]]:
    """Inserted and deleted shared objects by model: no batch counts them."""
    counted: dict[str, dict[str, int]] = {}
    rows: Iterable[tuple[str, str, int]] = (
        RowChange.objects.filter(run=run, key__isnull=True)
        .exclude(operation=Operation.USE)
        .values_list("model", "operation")
        .annotate(n=Count("id"))
    )
    for label, operation, number in rows:
        counted.setdefault(label, {"insert": 0, "update": 0, "delete": 0})[operation] = number
    return counted


def _settle_parent(run: Run) -> None:
    """The parent is rolled back, wholly or but for the keys that conflict still."""
    parent = Run.objects.select_for_update(no_key=True).get(children=run)
    conflicts = LedgerEntry.objects.filter(run=run, outcome=Outcome.CONFLICT).exists()
    state = RunState.PARTIALLY_ROLLED_BACK if conflicts else RunState.ROLLED_BACK
    reopen_rolled_back(run)
    change_state(
        parent,
        state,
        action="rolled_back",
        acting_user=run.actor,
        surface=Surface.WORKER,
        reason=f"rollback {run.pk}",
    )
