"""Leaving to the workers what takes long before a run begins: plans, dry runs, the plan of a run,
the look at a journal before a rollback.

What somebody asks for is stored as a run that is planned; a worker takes it up, and either does it
or cancels it with the reason why it cannot be done. So it has a page from the first moment, and can
be cancelled before it begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from migrations_tools.definitions.registry import get_definition
from migrations_tools.doorbell import ring_for_requests
from migrations_tools.engine import plan
from migrations_tools.engine.advisory import advisory_lock, lock_until_commit
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.fingerprint import fingerprint
from migrations_tools.engine.transitions import change_state, record_action
from migrations_tools.evidence_language import in_evidence_language
from migrations_tools.exceptions import ActiveRun, CarryoverError, TransitionRefused
from migrations_tools.models import Run, Transition
from migrations_tools.services import policies, rehearsal, rollback, runs
from migrations_tools.services.actors import require
from migrations_tools.services.queueing import (
    Options,
    new_run,
    refuse_before_dependencies,
    refuse_while_active,
)
from migrations_tools.states import RunKind, RunState, Surface

log = structlog.get_logger(__name__)

#: The action by which somebody leaves a run to the workers.
REQUEST: Final = "request"
#: The action by which a worker takes a request up.
TAKE_UP: Final = "take_up"
#: Workers that may die of a request before it is cancelled.
MOST_TRIES: Final = 5
#: Why a request is cancelled that finds nothing to do.
NOTHING_TO_DO: Final = gettext_noop("There is nothing to do.")


class PlanUsed(CarryoverError):
    """Somebody asked to run the plan before, and that run waits: for a worker, or for approval."""

    code = "plan_used"


def request_run(
    name: str,
    kind: str,
    *,
    acting_user: User,
    surface: str,
    options: Options | None = None,
    tuning: Options | None = None,
    planned: Run | None = None,
    accept_drift: str = "",
    reason: str = "",
) -> Run | None:
    """Leave a plan, a dry run or an apply run to the workers; None where there is nothing to do.

    Of an apply run without ``planned`` they make the plan first. Raises at once what needs no long
    look: InvalidOption, DependencyUnfinished, ActiveRun – also where one was asked for already –;
    PlanDrift, PolicyRefused, and PlanUsed for a plan that somebody asked to run before.
    """
    require(acting_user, "run", surface=surface)
    definition = get_definition(name)
    refuse_while_active(definition)
    refuse_before_dependencies(definition)
    if planned is not None:
        _refuse_other_plan(planned, name)
        options = options or planned.options
        tuning = {**planned.tuning, **(tuning or {})}
    run = new_run(definition, kind, acting_user, options, tuning)
    run.plan, run.reason = planned, reason
    context = RunContext.of(run)
    if not plan.anything_selected(context) and not plan.anything_outstanding(context):
        return None
    if kind == RunKind.APPLY:
        _refuse_unready(run, accept_drift)
    with transaction.atomic():
        if planned is not None:
            _refuse_used_plan(planned)
        if kind == RunKind.APPLY:
            _refuse_second(name)
        return _request(run, acting_user, surface, reason, {"accept_drift": accept_drift})


def _refuse_unready(run: Run, accept_drift: str) -> None:
    """Refuse now what the worker would: a plan that no longer fits, a policy that is not met.

    Where the plan saw many keys, their content is left to the worker, who reads them all for it.
    Whether a dry run or a rehearsal is of the data of now is the worker's to say, too.
    """
    planned = run.plan
    if planned is None and not policies.policies_of(run.definition):
        return
    now = fingerprint(RunContext.of(run), evidence=planned is not None and _saw_few(planned))
    if planned is not None:
        run.fingerprint = now
        runs.drift_of_plan(planned, run, accept_drift)
    policies.refuse_unprepared(run, now)


def _saw_few(planned: Run) -> bool:
    evidence = planned.fingerprint.get("evidence", {}).values()
    return sum(int(step["keys"]) for step in evidence) <= plan.MOST_KEYS


def _refuse_used_plan(planned: Run) -> None:
    """A plan is asked for once at a time; of two at once the second is told of the first."""
    Run.objects.select_for_update(no_key=True).get(pk=planned.pk)
    waiting = Run.objects.filter(
        plan=planned,
        kind=RunKind.APPLY,
        state__in=[RunState.PLANNED, RunState.AWAITING_APPROVAL],
    ).select_related("actor")
    used = waiting.first()
    if used is not None:
        raise PlanUsed(
            _("%(person)s asked for the plan %(plan)s already: run %(run)s is %(state)s.")
            % {
                "person": used.actor.get_username(),
                "plan": planned.pk,
                "run": used.pk,
                "state": used.get_state_display(),
            },
            run=str(used.pk),
            state=used.state,
        )


def _refuse_second(name: str) -> None:
    """Refuse to ask for a run while another that was asked for waits for a worker."""
    lock_until_commit(f"carryover apply request {name}")
    waiting = Run.objects.filter(definition=name, kind=RunKind.APPLY, state=RunState.PLANNED)
    first = waiting.select_related("actor").order_by("created_at").first()
    if first is not None:
        raise ActiveRun(
            _("%(who)s asked for this run already: run %(run)s waits for a worker.")
            % {"who": first.actor.get_username(), "run": first.pk},
            run=str(first.pk),
        )


def _refuse_other_plan(planned: Run, name: str) -> None:
    fits = planned.definition == name and planned.kind == RunKind.PLAN
    if not fits or planned.state != RunState.COMPLETED:
        raise TransitionRefused(
            _("Run %(planned)s is no finished plan of %(name)s.")
            % {"planned": planned.pk, "name": name},
            run=str(planned.pk),
            state=planned.state,
        )


def request_rollback(
    run: Run,
    *,
    acting_user: User,
    surface: str,
    reason: str,
    force: bool = False,
    keys: Sequence[str] = (),
    dry_run: bool = False,
) -> Run | None:
    """Leave a rollback, or the dry run of one, to the workers; None where nothing is left.

    ``force`` may be for some ``keys`` only, see `rollback.roll_back_run`.
    """
    require(acting_user, "rollback", surface=surface, run=run)
    if dry_run:
        rollback.refuse_unrehearsable(run)
    else:
        rollback.refuse_without_reason(reason)
        rollback.refuse_other_kinds(run)
    if rollback.nothing_left(run, force):
        return None
    rollback.refuse_other_keys(run, keys, force=force)
    kind = RunKind.DRY_RUN if dry_run else RunKind.ROLLBACK
    made = rollback.new_rollback(run, kind, acting_user, force, reason, keys)
    with transaction.atomic():
        held = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        waiting = held.children.filter(kind=kind, state=RunState.PLANNED).first()
        if waiting is not None and not dry_run:
            raise TransitionRefused(
                _("%(user)s asked to roll run %(run)s back already.")
                % {"user": waiting.actor.get_username(), "run": run.pk},
                run=str(waiting.pk),
                state=waiting.state,
            )
        return _request(made, acting_user, surface, reason, {})


def _request(
    run: Run, acting_user: User, surface: str, reason: str, details: dict[str, Any]
) -> Run:
    with transaction.atomic():
        run.save(force_insert=True)
        record_action(
            run,
            action=REQUEST,
            acting_user=acting_user,
            surface=surface,
            reason=reason,
            to_state=RunState.PLANNED,
            details=details,
        )
        ring_for_requests()
    return run


def requests_wait() -> bool:
    """Whether somebody left a run to the workers."""
    return Run.objects.filter(state=RunState.PLANNED).exists()


@in_evidence_language
def work_on_request() -> Run | None:
    """Take up the oldest request that no other worker is at; None where there is none.

    What cannot be done is cancelled with the reason.
    """
    waiting = Run.objects.filter(state=RunState.PLANNED).select_related("parent", "plan")
    for run in waiting.order_by("created_at", "pk"):
        with advisory_lock(f"carryover request {run.pk}") as taken:
            if not taken or not waiting.filter(pk=run.pk).exists():
                continue
            _take_up(run)
            return run
    return None


def _take_up(run: Run) -> None:
    asked = Transition.objects.select_related("actor").filter(run=run, action=REQUEST).latest("id")
    try:
        _refuse_after_deaths(run)
        record_action(run, action=TAKE_UP, acting_user=asked.actor, surface=Surface.WORKER)
        refusal = "" if _carry_out(run, asked) else NOTHING_TO_DO
    except CarryoverError as error:
        refusal = error.message
    except Exception as error:  # a mistake in a definition; the others go on
        log.exception("request failed", run=str(run.pk))
        refusal = f"{type(error).__name__}: {error}"
    if refusal:
        _cancel(run, asked, refusal[:500])


def _refuse_after_deaths(run: Run) -> None:
    """A request that is still planned was left by whoever took it up before: they died of it."""
    if Transition.objects.filter(run=run, action=TAKE_UP).count() >= MOST_TRIES:
        raise CarryoverError(
            _(
                "%(most_tries)s workers ended while they prepared this. Find out why, "
                "then ask again."
            )
            % {"most_tries": MOST_TRIES},
            code="workers_died",
        )


def _carry_out(run: Run, asked: Transition) -> bool:
    """Do it; whether there was anything to do."""
    who: dict[str, Any] = {"acting_user": asked.actor, "surface": asked.surface}
    parent = run.parent
    if parent is not None and run.kind == RunKind.ROLLBACK:
        return rollback.queue_rollback(parent, run, **who) is not None
    if run.kind == RunKind.APPLY:
        drift = asked.details.get("accept_drift", "")
        given = {"options": run.options, "tuning": run.tuning, "planned": run.plan}
        more = {"accept_drift": drift, "reason": run.reason, "requested": run}
        return runs.start_run(run.definition, **given, **more, **who) is not None
    if parent is not None:
        rollback.try_undoing(parent, run, **who)
    elif run.kind == RunKind.PLAN:
        rehearsal.forecast(run, **who)
    else:
        rehearsal.try_out(run, **who)
    return True


def _cancel(run: Run, asked: Transition, refusal: str) -> None:
    """End a request that was not begun; one that broke off at work is ended already."""
    with transaction.atomic():
        held = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if held.state == RunState.PLANNED:
            change_state(
                held,
                RunState.CANCELLED,
                action="refuse",
                acting_user=asked.actor,
                surface=Surface.WORKER,
                reason=refusal,
            )
