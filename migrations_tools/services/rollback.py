"""Rolling a run back: refused before the first write, or done as a run of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import suppress

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine import rehearse
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.fingerprint import schema_of
from migrations_tools.engine.limits import lease_seconds
from migrations_tools.engine.worker import settle_stopped
from migrations_tools.exceptions import (
    CarryoverError,
    JournalDamaged,
    SchemaDrift,
    TransitionRefused,
)
from migrations_tools.models import Batch, LedgerEntry, RetentionRecord, Run
from migrations_tools.services.actors import require
from migrations_tools.services.queueing import lock_queue, queue_run
from migrations_tools.services.rehearsal import rehearsing
from migrations_tools.services.runs import cancel_run
from migrations_tools.states import ACTIVE_STATES, BatchState, Outcome, RunKind, RunState
from migrations_tools.told import told
from migrations_tools.verification.journal import journal_damage


def roll_back_run(
    run: Run,
    *,
    acting_user: User,
    surface: str,
    reason: str,
    force: bool = False,
    keys: Sequence[str] = (),
) -> Run | None:
    """Queue the rollback of ``run``; None where nothing is left to take back.

    A run still at work is stopped first. Conflicts stay unless ``force``, which may be for some
    ``keys`` of an earlier rollback only; a repeated rollback without it decides nothing anew.
    Raises JournalDamaged or SchemaDrift before the first write.
    """
    require(acting_user, "rollback", surface=surface, run=run)
    refuse_without_reason(reason)
    refuse_other_keys(run, keys, force=force)
    rollback = new_rollback(run, RunKind.ROLLBACK, acting_user, force, reason, keys)
    return queue_rollback(run, rollback, acting_user=acting_user, surface=surface)


def refuse_without_reason(reason: str) -> None:
    if not reason.strip():
        raise CarryoverError(
            _("A rollback needs a reason: it stays in the history."), code="reason_missing"
        )


def refuse_other_keys(run: Run, keys: Sequence[str], *, force: bool) -> None:
    """Keys are named that are in conflict since the newest rollback, to be taken back by force."""
    newest = run.children.filter(kind=RunKind.ROLLBACK, state=RunState.COMPLETED)
    rollback = newest.order_by("-created_at", "-id").first()
    conflicts = LedgerEntry.objects.filter(
        run=rollback, outcome=Outcome.CONFLICT, key__in=keys
    ).values_list("key", flat=True)
    wrong = sorted(set(keys) - set(conflicts if force else ()))
    if wrong:
        raise CarryoverError(
            _(
                "Key %(wrong)s is not in conflict after a rollback of run %(run)s, or "
                "force is missing."
            )
            % {"wrong": wrong[0], "run": run.pk},
            code="not_in_conflict",
            key=wrong[0],
        )


def queue_rollback(run: Run, rollback: Run, *, acting_user: User, surface: str) -> Run | None:
    """Queue a rollback that is not stored yet, or that waits for a worker; else as above."""
    force = bool(rollback.tuning["force"])
    run = _stopped(run, acting_user, surface)
    if nothing_left(run, force):
        return None
    _refuse_unsafe(run)
    with transaction.atomic():
        lock_queue()
        run.refresh_from_db()
        if nothing_left(run, force):  # another rollback was faster
            return None
        queue_run(rollback, acting_user, surface)
    return rollback


def rehearse_rollback(
    run: Run, *, acting_user: User, surface: str, force: bool = False
) -> Run | None:
    """What a rollback would do, counted by doing it and keeping nothing."""
    require(acting_user, "rollback", surface=surface, run=run)
    refuse_unrehearsable(run)
    if nothing_left(run, force):
        return None
    rehearsal = new_rollback(run, RunKind.DRY_RUN, acting_user, force)
    try_undoing(run, rehearsal, acting_user=acting_user, surface=surface)
    return rehearsal


def try_undoing(run: Run, rehearsal: Run, *, acting_user: User, surface: str) -> None:
    """Carry out the dry run of a rollback that is not stored yet, or that waits for a worker."""
    _refuse_unsafe(run)
    with rehearsing(rehearsal, acting_user, surface):
        rehearse.rehearse_undo(RunContext.of(rehearsal))


def refuse_unrehearsable(run: Run) -> None:
    """A run at work cannot be taken back for trial, nor one that wrote nothing by its nature."""
    if run.state in ACTIVE_STATES:
        raise TransitionRefused(
            _(
                "Run %(run)s is %(state)s: pause and cancel it first, or roll it back "
                "for real, which stops it."
            )
            % {"run": run.pk, "state": run.get_state_display()},
            run=str(run.pk),
            state=run.state,
        )
    refuse_other_kinds(run)


def new_rollback(
    run: Run, kind: str, acting_user: User, force: bool, reason: str = "", keys: Sequence[str] = ()
) -> Run:
    """An unsaved rollback of `run`, or the rehearsal of one."""
    return Run(
        definition=run.definition,
        version=run.version,
        kind=kind,
        options=run.options,
        tuning={"force": force} | ({"keys": list(keys)} if keys else {}),
        counted_steps=run.counted_steps,
        columns=run.columns,
        tables=run.tables,
        fingerprint={"schema": run.fingerprint.get("schema", {})},
        actor=acting_user,
        reason=reason,
        parent=run,
    )


def refuse_other_kinds(run: Run) -> None:
    if run.kind != RunKind.APPLY:
        raise TransitionRefused(
            _("Run %(run)s is of the kind %(kind)s: only apply runs can be rolled back.")
            % {"run": run.pk, "kind": run.get_kind_display()},
            run=str(run.pk),
            state=run.state,
        )


def nothing_left(run: Run, force: bool) -> bool:
    if run.state == RunState.ROLLED_BACK:
        return True
    return run.state == RunState.PARTIALLY_ROLLED_BACK and not force


def _stopped(run: Run, acting_user: User, surface: str) -> Run:
    """The run, standing still: one at work is cancelled and waited for, a lease at most."""
    refuse_other_kinds(run)
    run.refresh_from_db()
    if run.state in ACTIVE_STATES:
        with suppress(TransitionRefused):  # it came to its end first: nothing is left to stop
            run = cancel_run(
                run, acting_user=acting_user, surface=surface, reason="to be rolled back"
            )
        run.refresh_from_db()
        until = time.monotonic() + 2 * lease_seconds() + 10
        while run.state in ACTIVE_STATES and time.monotonic() < until:
            time.sleep(0.2)
            run.refresh_from_db()
            run = settle_stopped(run) or run
    if run.state in ACTIVE_STATES | {RunState.PLANNED, RunState.AWAITING_APPROVAL}:
        raise TransitionRefused(
            _("Run %(run)s is %(state)s and cannot be rolled back now.")
            % {"run": run.pk, "state": run.get_state_display()},
            run=str(run.pk),
            state=run.state,
        )
    return run


def _refuse_unsafe(run: Run) -> None:
    """Purged or damaged journal, or columns that changed: found before the first write."""
    if RetentionRecord.objects.filter(run=run, kind=RetentionRecord.Kind.PURGE).exists():
        raise JournalDamaged(
            _("The journal of run %(run)s was purged; it can no longer be rolled back.")
            % {"run": run.pk},
            code="journal_purged",
        )
    damage = journal_damage(run)
    if damage:
        raise JournalDamaged(
            _("The journal of run %(run)s is damaged, nothing was rolled back: %(damage)s")
            % {"run": run.pk, "damage": " ".join(map(told, damage[:5]))},
            ranges=damage,
        )
    drift = _written_columns_changed(run)
    if drift:
        raise SchemaDrift(
            _("Columns that run %(run)s wrote have changed, nothing was rolled back: %(drift)s")
            % {"run": run.pk, "drift": " ".join(map(told, drift))},
            differences=drift,
        )


def _written_columns_changed(run: Run) -> list[str]:
    """Columns written by the run whose type is another now."""
    definition = get_definition(run.definition)
    now = schema_of(definition.written_models())
    then = run.fingerprint.get("schema", {})
    written = {label: set(columns) for label, columns in run.columns.items()}
    touched = _touched_models(run)
    found = []
    for label, columns in then.items():
        if label not in touched:
            continue
        for column in sorted(written.get(label, set()) & columns.keys()):
            present = now.get(label, {}).get(column)
            if present != columns[column]:
                found.append(f"{label}.{column} was {columns[column]}, now {present or 'gone'}.")
    return found


def _touched_models(run: Run) -> set[str]:
    # the batch in which the close took shared objects away counts nothing
    done = Batch.objects.filter(run=run, state=BatchState.DONE).exclude(counts={})
    return {
        label for counts in done.values_list("counts", flat=True) for label in counts["changes"]
    }
