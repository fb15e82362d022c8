"""The door to everything that can be done with a run: plan, start, pause, resume, cancel, retry."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine import budget, plan, rehearse
from migrations_tools.engine.clock import database_time
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.fingerprint import differences, fingerprint
from migrations_tools.engine.limits import short_transaction
from migrations_tools.engine.transitions import change_state, record_action
from migrations_tools.engine.worker import Progress as WorkProgress
from migrations_tools.engine.worker import Worker, sealed, settle_stopped
from migrations_tools.evidence_language import in_evidence_language
from migrations_tools.exceptions import CarryoverError, PlanDrift, TransitionRefused, UnknownRun
from migrations_tools.models import Batch, Run
from migrations_tools.services import policies
from migrations_tools.services.actors import require
from migrations_tools.services.queueing import (
    Options,
    new_run,
    queue_run,
    refuse_before_dependencies,
    refuse_while_active,
)
from migrations_tools.services.rehearsal import (
    dry_run,
    end_abandoned_rehearsals,
    end_if_abandoned,
    plan_run,
)
from migrations_tools.services.retry import retry_run
from migrations_tools.states import (
    RUN_TRANSITIONS,
    STATE_SENTENCES,
    WRITING_KINDS,
    BatchState,
    RunKind,
    RunState,
)
from migrations_tools.told import told

__all__ = [
    "begin",
    "cancel_run",
    "dry_run",
    "end_abandoned_rehearsals",
    "get_run",
    "pause_run",
    "plan_run",
    "resume_run",
    "retry_run",
    "start_run",
    "work_run",
]


def get_run(reference: str) -> Run:
    """The run that a UUID (any case) or ``last`` names; raises UnknownRun."""
    if reference == "last":
        run = Run.objects.all().newest_writing()
        if run is None:
            raise UnknownRun(_("There is no run yet; “datamigrate list” shows what can be run."))
        return run
    try:
        run = Run.objects.filter(pk=uuid.UUID(reference)).first()
    except ValueError:
        run = None
    if run is None:
        raise UnknownRun(
            _("There is no run “%(reference)s”; “datamigrate status” shows the runs.")
            % {"reference": reference},
            run=reference,
        )
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
    trial: bool = False,
    requested: Run | None = None,
    progress: rehearse.Progress = lambda keys: None,
) -> Run | None:
    """Queue an apply run; None where there is nothing to do.

    Without ``planned`` a plan is made first, and what changes from then on is a conflict of its
    key. A given plan whose code, options, schema or evidence drifted is refused with PlanDrift,
    unless ``accept_drift`` gives a reason. Raises PolicyRefused where something has to come first,
    and leaves the run awaiting approval where a policy asks for it; a ``trial``, which will be
    rolled back, needs neither. ``requested`` is the run as it waits for a worker.
    """
    require(acting_user, "run", surface=surface)
    end_abandoned_rehearsals()
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
    run = requested or new_run(definition, RunKind.APPLY, acting_user, options, tuning)
    run.plan, run.reason = planned, reason
    context = RunContext.of(run)
    if not plan.anything_selected(context) and not plan.anything_outstanding(context):
        return None
    run.fingerprint = planned.fingerprint if made_now else fingerprint(context)
    drift = drift_of_plan(planned, run, accept_drift)
    if not trial:
        policies.refuse_unprepared(run, run.fingerprint)
    waits = policies.needs_approval(name) and not trial
    with transaction.atomic():
        if waits:
            policies.await_approval(run, acting_user, surface)
        else:
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


def drift_of_plan(planned: Run, run: Run, accept_drift: str) -> list[str]:
    """How ``run``, whose fingerprint tells what is there now, differs from what its plan saw.

    Raises PlanDrift where it does, unless ``accept_drift`` gives a reason.
    """
    if planned.definition != run.definition or planned.kind != RunKind.PLAN:
        drift = [f"Run {planned.pk} is no plan of {run.definition}."]
    else:
        drift = differences(planned.fingerprint, run.fingerprint)
    if drift and not accept_drift:
        raise PlanDrift(
            _(
                "The plan %(planned)s no longer fits: %(drift)s Plan again, or accept "
                "the drift with a reason."
            )
            % {"planned": planned.pk, "drift": " ".join(map(told, drift))},
            differences=drift,
        )
    return drift


@in_evidence_language
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
    """Take a queued run into work; nothing where another worker did.

    One whose code, options or schema changed while it waited needs a person's attention instead.
    """
    _refuse_records(run)
    with short_transaction():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        drift = _drift(locked) if locked.state == RunState.QUEUED else []
        if drift:
            change_state(
                locked,
                RunState.NEEDS_ATTENTION,
                action="stop",
                acting_user=locked.actor,
                surface="worker",
                reason=f"It is not as it was queued: {' '.join(drift)}"[:500],
            )
        elif locked.state == RunState.QUEUED:
            change_state(
                locked,
                RunState.RUNNING,
                action="start",
                acting_user=locked.actor,
                surface="worker",
                started_at=Now(),
            )
    run.refresh_from_db()


def _refuse_records(run: Run) -> None:
    """Plans and dry runs keep nothing: whoever broke off in one starts anew."""
    if run.kind not in WRITING_KINDS:
        raise TransitionRefused(
            _(
                "Run %(run)s is of the kind %(kind)s, which keeps nothing: it cannot be "
                "paused or resumed, make it anew."
            )
            % {"run": run.pk, "kind": run.get_kind_display()},
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
    asked = _ask(
        run, RunState.CANCELLING, RunState.CANCELLED, "cancel", acting_user, surface, reason
    )
    if asked.state == RunState.CANCELLING and asked.kind not in WRITING_KINDS:
        end_if_abandoned(asked)
    return asked


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


#: What `tune_run` may change: keys of a batch, seconds that one should take, workers to call.
TUNABLE = ("batch_size", "target_seconds", "workers")
MOST_TUNED = 1_000_000


def tune_run(run: Run, tuning: Options, *, acting_user: User, surface: str) -> Run:
    """Change how a run works. Workers read it again with the next batch."""
    require(acting_user, "run", surface=surface, run=run)
    _refuse_records(run)
    unknown = sorted(set(tuning) - set(TUNABLE))
    if not tuning or unknown or not all(0 < value <= MOST_TUNED for value in tuning.values()):
        raise CarryoverError(
            _(
                "A run is tuned by %(tunable)s: one of them at least, each above 0 and "
                "at most %(most_tuned)s."
            )
            % {"tunable": ", ".join(TUNABLE), "most_tuned": f"{MOST_TUNED:,}"},
            code="bad_tuning",
        )
    with transaction.atomic():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        locked.tuning = {**locked.tuning, **tuning}
        locked.save(update_fields=["tuning"])
        record_action(
            locked, action="tune", acting_user=acting_user, surface=surface, details=dict(tuning)
        )
    return locked


def resume_run(
    run: Run, *, acting_user: User, surface: str, accept_drift: str = "", reason: str = ""
) -> Run:
    """Put a paused or stopped run to work again, with a new error budget.

    A run that is running already is joined. Code, options or schema that changed since it
    started are refused with PlanDrift, unless ``accept_drift`` gives a reason.
    """
    require(acting_user, "run", surface=surface, run=run)
    _refuse_records(run)
    with transaction.atomic():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.state in {RunState.RUNNING, RunState.THROTTLED, RunState.QUEUED}:
            return locked
        if RunState.RUNNING not in _next_states(locked) or locked.state == RunState.COMPLETED:
            raise TransitionRefused(
                _("Run %(run)s is %(state)s and cannot be resumed. %(state_sentences)s")
                % {
                    "run": run.pk,
                    "state": locked.get_state_display(),
                    "state_sentences": _(STATE_SENTENCES[locked.state]),
                },
                run=str(run.pk),
                state=locked.state,
            )
        _refuse_drift(locked, accept_drift)
        locked.tuning["forgiven"] = budget.quarantined_so_far(locked)
        Batch.objects.filter(run=locked).exclude(state=BatchState.DONE).update(losses=0)
        change_state(
            locked,
            RunState.RUNNING,
            action="resume",
            acting_user=acting_user,
            surface=surface,
            reason=accept_drift or reason,
            tuning=locked.tuning,
            started_at=locked.started_at or database_time(),
        )
    return locked


def _next_states(run: Run) -> frozenset[str]:
    return RUN_TRANSITIONS[run.state]


def _drift(run: Run) -> list[str]:
    """How code, options and schema differ from what the run was made with, in sentences.

    Without evidence: the run itself changes what is selected.
    """
    if run.kind != RunKind.APPLY:  # a rollback looks at the columns written only
        return []
    return differences(run.fingerprint, fingerprint(RunContext.of(run), evidence=False))


def _refuse_drift(run: Run, accept_drift: str) -> None:
    drift = _drift(run)
    if drift and not accept_drift:
        raise PlanDrift(
            _(
                "Run %(run)s cannot go on as it began: %(drift)s Cancel it and run anew, "
                "or accept the drift with a reason."
            )
            % {"run": run.pk, "drift": " ".join(map(told, drift))},
            differences=drift,
        )
