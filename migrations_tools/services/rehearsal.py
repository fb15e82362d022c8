"""Plans and dry runs: everything is executed and nothing kept but the run's own record."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine import plan, rehearse
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.fingerprint import fingerprint
from migrations_tools.engine.side import close_side_connection
from migrations_tools.engine.transitions import change_state
from migrations_tools.models import Run
from migrations_tools.selectors.summary import counts_of
from migrations_tools.services.actors import require
from migrations_tools.services.queueing import (
    Options,
    new_run,
    refuse_before_dependencies,
    refuse_while_active,
)
from migrations_tools.states import RunKind, RunState


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
    run = new_run(definition, RunKind.PLAN, acting_user, options, tuning)
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
    run = new_run(definition, RunKind.DRY_RUN, acting_user, options, tuning)
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
