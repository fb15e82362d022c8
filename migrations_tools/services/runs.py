"""Actions on runs: plan, start, pause, resume, cancel, retry, roll back."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.options import parse_options
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine import budget, plan, rehearse
from migrations_tools.engine.claim import AGAIN
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.fingerprint import differences, fingerprint, image_columns
from migrations_tools.engine.limits import short_transaction
from migrations_tools.engine.side import close_side_connection
from migrations_tools.engine.transitions import change_state, record_action
from migrations_tools.engine.worker import Progress as WorkProgress
from migrations_tools.engine.worker import Worker, sealed, settle_stopped
from migrations_tools.exceptions import (
    ActiveRun,
    CarryoverError,
    DependencyUnfinished,
    PlanDrift,
    TransitionRefused,
    UnknownRun,
)
from migrations_tools.models import Batch, LedgerEntry, Run
from migrations_tools.selectors.summary import counts_of
from migrations_tools.services.actors import require
from migrations_tools.states import (
    RUN_TRANSITIONS,
    STATE_SENTENCES,
    WRITING_KINDS,
    BatchState,
    Outcome,
    RunKind,
    RunState,
    VerificationState,
)

#: Keys of one batch that drives quarantined keys again.
RETRY_BATCH_KEYS = 500

Options = Mapping[str, Any]


def get_run(reference: str) -> Run:
    """The run that a UUID (any case) or ``last`` names; raises UnknownRun."""
    if reference == "last":
        run = Run.objects.all().newest_writing()
        if run is None:
            raise UnknownRun("There is no run yet; “datamigrate list” shows what can be run.")
        return run
    try:
        run = Run.objects.filter(pk=uuid.UUID(reference)).first()
    except ValueError:
        run = None
    if run is None:
        raise UnknownRun(
            f"There is no run “{reference}”; “datamigrate status” shows the runs.", run=reference
        )
    return run


def plan_run(
    name: str,
    *,
    acting_user: User,
    surface: str,
    options: Options | None = None,
    tuning: Options | None = None,
    progress: rehearse.Progress = lambda keys: None,
) -> Run | None:
    """Forecast a run; None where there is nothing to do."""
    require(acting_user, "run", surface=surface)
    definition = get_definition(name)
    refuse_while_active(definition)
    refuse_before_dependencies(definition)
    run = _new_run(definition, RunKind.PLAN, acting_user, options, tuning)
    context = RunContext.of(run)
    if not plan.anything_selected(context):
        return None
    store_rehearsal(run, acting_user, surface)
    with Rehearsal(run, acting_user, surface):
        run.fingerprint = fingerprint(context)
        run.report = plan.forecast(context, progress)
        run.save(update_fields=["fingerprint", "report"])
    return run


def dry_run(
    name: str,
    *,
    acting_user: User,
    surface: str,
    options: Options | None = None,
    tuning: Options | None = None,
    progress: rehearse.Progress = lambda keys: None,
) -> Run | None:
    """Execute everything and keep nothing but the record; None where there is nothing to do."""
    require(acting_user, "run", surface=surface)
    definition = get_definition(name)
    refuse_while_active(definition)
    refuse_before_dependencies(definition)
    run = _new_run(definition, RunKind.DRY_RUN, acting_user, options, tuning)
    context = RunContext.of(run)
    if not plan.anything_selected(context):
        return None
    store_rehearsal(run, acting_user, surface)
    with Rehearsal(run, acting_user, surface):
        run.fingerprint = fingerprint(context)
        rehearse.rehearse(context, limit=run.tuning.get("limit"), progress=progress)
        counts = counts_of(run)
        summary = {**counts, "total": sum(counts["outcomes"].values())}
        run.report = {
            "risks": definition.risks(summary),
            "recommendations": definition.recommendations(summary),
        }
        run.save(update_fields=["fingerprint", "report"])
    return run


def start_run(
    name: str,
    *,
    acting_user: User,
    surface: str,
    options: Options | None = None,
    tuning: Options | None = None,
    planned: Run | None = None,
    accept_drift: str = "",
    reason: str = "",
    progress: rehearse.Progress = lambda keys: None,
) -> Run | None:
    """Queue an apply run; None where there is nothing to do.

    Without ``planned`` a plan is made first, and what changes from then on is a conflict of its
    key. A given plan whose code, options, schema or evidence drifted is refused with PlanDrift,
    unless ``accept_drift`` gives a reason.
    """
    require(acting_user, "run", surface=surface)
    definition = get_definition(name)
    refuse_while_active(definition)
    refuse_before_dependencies(definition)
    made_now = planned is None
    if planned is None:
        planned = plan_run(
            name,
            acting_user=acting_user,
            surface=surface,
            options=options,
            tuning=tuning,
            progress=progress,
        )
        if planned is None:
            return None
    else:
        options = options or planned.options
        tuning = {**planned.tuning, **(tuning or {})}
    run = _new_run(definition, RunKind.APPLY, acting_user, options, tuning)
    run.plan, run.reason = planned, reason
    context = RunContext.of(run)
    if not plan.anything_selected(context) and not plan.anything_outstanding(context):
        return None
    run.fingerprint = planned.fingerprint if made_now else fingerprint(context)
    drift = _plan_drift(planned, run)
    if drift and not accept_drift:
        raise PlanDrift(
            f"The plan {planned.pk} no longer fits: {' '.join(drift)} Plan again, or accept the "
            "drift with a reason.",
            differences=drift,
        )
    with transaction.atomic():
        queue_run(run, acting_user, surface, accept_drift)
        if drift:
            record_action(
                run,
                action="accept_drift",
                acting_user=acting_user,
                surface=surface,
                reason=accept_drift,
                details={"differences": drift},
            )
    return run


def _plan_drift(planned: Run, run: Run) -> list[str]:
    if planned.definition != run.definition or planned.kind != RunKind.PLAN:
        return [f"Run {planned.pk} is no plan of {run.definition}."]
    return differences(planned.fingerprint, run.fingerprint)


def _new_run(
    definition: type[DataMigration],
    kind: str,
    acting_user: User,
    options: Options | None,
    tuning: Options | None,
) -> Run:
    """An unsaved run; raises InvalidOption."""
    parse_options(definition.options, options or {})
    return Run(
        definition=definition.name,
        version=definition.version,
        kind=kind,
        options={name.replace("-", "_"): value for name, value in (options or {}).items()},
        tuning={name: value for name, value in (tuning or {}).items() if value is not None},
        columns=image_columns(definition),
        tables=[model._meta.db_table for model in definition.written_models()],
        actor=acting_user,
    )


def store_rehearsal(run: Run, acting_user: User, surface: str) -> None:
    """Save a new plan or dry run and put it to work."""
    with transaction.atomic():
        run.save(force_insert=True)
        change_state(run, RunState.QUEUED, action="queue", acting_user=acting_user, surface=surface)
        change_state(
            run,
            RunState.RUNNING,
            action="start",
            acting_user=acting_user,
            surface=surface,
            started_at=timezone.now(),
        )


def lock_queue() -> None:
    """Let nobody else queue a run until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('carryover queue', 0))")


def queue_run(run: Run, acting_user: User, surface: str, reason: str = "") -> None:
    """Save and queue a run that will write: one per definition and per written table."""
    lock_queue()
    refuse_while_active(get_definition(run.definition))
    run.save(force_insert=True)
    change_state(
        run,
        RunState.QUEUED,
        action="queue",
        acting_user=acting_user,
        surface=surface,
        reason=run.reason or reason,
    )


def refuse_before_dependencies(definition: type[DataMigration]) -> None:
    """Refuse to plan or run what depends on a migration that still has something to do."""
    for name in definition.depends_on:
        dependency = get_definition(name)
        waiting = Run(definition=name, version=dependency.version, kind=RunKind.PLAN)
        if plan.anything_selected(RunContext.of(waiting)):
            raise DependencyUnfinished(
                f"{definition.name} builds on {name}, which is not done: run “datamigrate run "
                f"{name}” first.",
                dependency=name,
            )


def refuse_while_active(definition: type[DataMigration]) -> None:
    """Refuse a second run of the definition, or one that writes a table another is writing."""
    tables = {model._meta.db_table for model in definition.written_models()}
    for active in Run.objects.all().active():
        shared = sorted(tables & set(active.tables))
        if active.definition == definition.name or shared:
            what = "is" if active.definition == definition.name else f"writes {shared[0]} and is"
            raise ActiveRun(
                f"Run {active.pk} of {active.definition} {what} {active.get_state_display()}. "
                f"{STATE_SENTENCES[active.state]} To go on with it: datamigrate resume {active.pk}",
                run=str(active.pk),
            )


class Rehearsal:
    """Ends a plan or dry run: completed, or cancelled with the reason it broke off."""

    def __init__(self, run: Run, acting_user: User, surface: str) -> None:
        self.run = run
        self.who: dict[str, Any] = {"acting_user": acting_user, "surface": surface}

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        close_side_connection()
        with transaction.atomic():
            if error is None:
                change_state(
                    self.run,
                    RunState.COMPLETED,
                    action="complete",
                    finished_at=timezone.now(),
                    **self.who,
                )
                return
            reason = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)[:500]
            change_state(
                self.run,
                RunState.CANCELLING,
                action="break_off",
                reason=reason,
                **self.who,
            )
            change_state(
                self.run,
                RunState.CANCELLED,
                action="cancel",
                reason=reason,
                **self.who,
            )


def work_run(
    run: Run,
    *,
    progress: WorkProgress = lambda run, keys: None,
    seconds: float | None = None,
    stopping: Callable[[], bool] = lambda: False,
) -> Run:
    """Work on a queued or running run in this process until it stands still.

    Ends between two batches after ``seconds``, or when ``stopping`` says so; the run goes on
    with whoever works on it next.
    """
    begin(run)
    return Worker(run, progress, stopping).work(seconds)


def begin(run: Run) -> None:
    """Take a queued run into work; nothing where another worker did."""
    _refuse_records(run)
    with short_transaction():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.state == RunState.QUEUED:
            change_state(
                locked,
                RunState.RUNNING,
                action="start",
                acting_user=locked.actor,
                surface="worker",
                started_at=timezone.now(),
            )
    run.refresh_from_db()


def _refuse_records(run: Run) -> None:
    """Plans and dry runs keep nothing: whoever broke off in one starts anew."""
    if run.kind not in WRITING_KINDS:
        raise TransitionRefused(
            f"Run {run.pk} is of the kind {run.get_kind_display()}, which keeps nothing: it cannot "
            "be paused or resumed, make it anew.",
            run=str(run.pk),
            state=run.state,
        )


def pause_run(run: Run, *, acting_user: User, surface: str, reason: str = "") -> Run:
    """Ask the run to pause; it does within one batch."""
    require(acting_user, "run", surface=surface, run=run)
    _refuse_records(run)
    return _ask(run, RunState.PAUSING, RunState.PAUSED, "pause", acting_user, surface, reason)


def cancel_run(run: Run, *, acting_user: User, surface: str, reason: str = "") -> Run:
    """Ask the run to stop for good; it does within one batch."""
    require(acting_user, "run", surface=surface, run=run)
    return _ask(
        run, RunState.CANCELLING, RunState.CANCELLED, "cancel", acting_user, surface, reason
    )


def _ask(
    run: Run, asked: str, done: str, action: str, acting_user: User, surface: str, reason: str
) -> Run:
    """From a working state, or with a batch in hand: ask, and settle at once if none is."""
    with short_transaction():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        working = locked.state in {RunState.RUNNING, RunState.THROTTLED, RunState.PAUSING}
        in_hand = Batch.objects.filter(run=locked, state=BatchState.RUNNING).exists()
        target = asked if (working or in_hand) and locked.state != asked else done
        if locked.state != asked:
            change_state(
                locked,
                target,
                action=action,
                acting_user=acting_user,
                surface=surface,
                reason=reason,
                **sealed(locked, target),
            )
    return settle_stopped(locked) or locked


def resume_run(
    run: Run, *, acting_user: User, surface: str, accept_drift: str = "", reason: str = ""
) -> Run:
    """Put a paused or stopped run to work again, with a new error budget.

    A run that is running already is joined. Code, options or schema that changed since it
    started are refused with PlanDrift, unless ``accept_drift`` gives a reason.
    """
    require(acting_user, "run", surface=surface, run=run)
    _refuse_records(run)
    if run.state in {RunState.RUNNING, RunState.THROTTLED, RunState.QUEUED}:
        return run
    with transaction.atomic():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if RunState.RUNNING not in _next_states(locked) or locked.state == RunState.COMPLETED:
            raise TransitionRefused(
                f"Run {run.pk} is {locked.get_state_display()} and cannot be resumed. "
                f"{STATE_SENTENCES[locked.state]}",
                run=str(run.pk),
                state=locked.state,
            )
        if locked.kind == RunKind.APPLY:
            _refuse_drift(locked, accept_drift)
        locked.tuning["forgiven"] = budget.quarantined_so_far(locked)
        change_state(
            locked,
            RunState.RUNNING,
            action="resume",
            acting_user=acting_user,
            surface=surface,
            reason=accept_drift or reason,
            tuning=locked.tuning,
        )
    return locked


def _next_states(run: Run) -> frozenset[str]:
    return RUN_TRANSITIONS[run.state]


def _refuse_drift(run: Run, accept_drift: str) -> None:
    # without evidence: the run itself changes what is selected
    now = fingerprint(RunContext.of(run), evidence=False)
    drift = differences(run.fingerprint, now)
    if drift and not accept_drift:
        raise PlanDrift(
            f"Run {run.pk} cannot go on as it began: {' '.join(drift)} Cancel it and run anew, or "
            "accept the drift with a reason.",
            differences=drift,
        )


def retry_run(run: Run, keys: Sequence[str], *, acting_user: User, surface: str) -> Run | None:
    """Drive quarantined keys again, these or all; None where none is quarantined."""
    require(acting_user, "run", surface=surface, run=run)
    with transaction.atomic():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.kind != RunKind.APPLY or locked.state != RunState.COMPLETED:
            raise TransitionRefused(
                f"Run {run.pk} ({locked.get_kind_display()}) is "
                f"{locked.get_state_display()}: only completed apply runs can be retried.",
                run=str(run.pk),
                state=locked.state,
            )
        waiting = quarantined_keys(locked)
        unknown = sorted(set(keys) - {key for _, key in waiting})
        if unknown:
            raise CarryoverError(
                f"Key {unknown[0]} is not quarantined in run {run.pk}.", code="not_quarantined"
            )
        chosen = [(step, key) for step, key in waiting if not keys or key in set(keys)]
        if not chosen:
            return None
        refuse_while_active(get_definition(locked.definition))
        _cut_again(locked, chosen)
        change_state(
            locked,
            RunState.RUNNING,
            action="retry",
            acting_user=acting_user,
            surface=surface,
            reason=f"{len(chosen)} quarantined keys",
            finished_at=None,
            verification_state=VerificationState.NONE,
            key_ranges=locked.key_ranges,
        )
    return locked


def quarantined_keys(run: Run) -> list[tuple[int, str]]:
    """Step and key of everything whose newest attempt is quarantined."""
    newest = (
        LedgerEntry.objects.filter(run=run)
        .order_by("step", "key", "-attempt")
        .distinct("step", "key")
        .values_list("step", "key", "outcome")
    )
    return [(step, key) for step, key, outcome in newest if outcome == Outcome.QUARANTINED]


def _cut_again(run: Run, chosen: Sequence[tuple[int, str]]) -> None:
    """Batches of exactly these keys; recomputed steps follow once they are done."""
    definition = get_definition(run.definition)
    for step in sorted({step for step, _ in chosen}):
        keys = [key for own, key in chosen if own == step]
        number = Batch.objects.filter(run=run, step=step).count()
        for place in range(0, len(keys), RETRY_BATCH_KEYS):
            number += 1
            part = keys[place : place + RETRY_BATCH_KEYS]
            Batch.objects.create(
                run=run, step=step, number=number, sweep=AGAIN, keys=part, size=len(part)
            )
    for index, found in enumerate(definition.steps):
        if found.recomputed and str(index) in run.key_ranges:
            run.key_ranges[str(index)].update(again=True, closed=False)
