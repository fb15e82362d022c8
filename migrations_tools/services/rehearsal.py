"""Plans and dry runs: everything is executed and nothing kept but the run's own record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.contrib.auth.models import User
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine import plan, rehearse
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.deaths import PROCESS_ENDED
from migrations_tools.engine.fingerprint import fingerprint
from migrations_tools.engine.limits import short_transaction
from migrations_tools.engine.side import close_side_connection
from migrations_tools.engine.transitions import change_state
from migrations_tools.models import Batch, Run
from migrations_tools.selectors.summary import counts_of, spread_of
from migrations_tools.services.actors import require
from migrations_tools.services.queueing import (
    Options,
    new_run,
    refuse_before_dependencies,
    refuse_while_active,
)
from migrations_tools.states import WRITING_KINDS, BatchState, RunKind, RunState, Surface


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
    end_abandoned_rehearsals()
    definition = get_definition(name)
    refuse_while_active(definition)
    refuse_before_dependencies(definition)
    run = new_run(definition, RunKind.PLAN, acting_user, options, tuning)
    if not plan.anything_selected(RunContext.of(run)):
        return None
    forecast(run, acting_user=acting_user, surface=surface, progress=progress)
    return run


def forecast(
    run: Run,
    *,
    acting_user: User,
    surface: str,
    progress: rehearse.Progress = lambda keys: None,
) -> None:
    """Carry out a plan that is not stored yet, or that waits for a worker."""
    context = RunContext.of(run)
    with rehearsing(run, acting_user, surface):
        run.fingerprint = fingerprint(context)
        run.report = plan.forecast(context, progress)
        run.save(update_fields=["fingerprint", "report"])


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
    end_abandoned_rehearsals()
    definition = get_definition(name)
    refuse_while_active(definition)
    refuse_before_dependencies(definition)
    run = new_run(definition, RunKind.DRY_RUN, acting_user, options, tuning)
    if not plan.anything_selected(RunContext.of(run)):
        return None
    try_out(run, acting_user=acting_user, surface=surface, progress=progress)
    return run


def try_out(
    run: Run,
    *,
    acting_user: User,
    surface: str,
    progress: rehearse.Progress = lambda keys: None,
) -> None:
    """Carry out a dry run that is not stored yet, or that waits for a worker."""
    context = RunContext.of(run)
    definition = context.definition
    with rehearsing(run, acting_user, surface):
        run.fingerprint = fingerprint(context)
        rehearse.rehearse(context, limit=run.tuning.get("limit"), progress=progress)
        counts = counts_of(run)
        summary = {**counts, **spread_of(run), "total": sum(counts["outcomes"].values())}
        run.report = {
            "risks": definition.risks(summary),
            "recommendations": definition.recommendations(summary),
        }
        run.save(update_fields=["fingerprint", "report"])


@contextmanager
def rehearsing(run: Run, acting_user: User, surface: str) -> Iterator[None]:
    """Store a plan or dry run, at work for the length of the block, and end it.

    It is completed, or cancelled with the reason it broke off. Meanwhile the session holds a lock
    by which others see that the process is there, see ``end_abandoned_rehearsals``.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", [_sign_of_life(run)])
    try:
        _store(run, acting_user, surface)
        reason = ""
        try:
            yield
        except BaseException as error:
            reason = "interrupted" if isinstance(error, KeyboardInterrupt) else str(error)[:500]
            reason = reason or type(error).__name__
            raise
        finally:
            close_side_connection()
            with transaction.atomic():
                _end(run, reason, acting_user=acting_user, surface=surface)
        rehearse.refuse_cancelled(run)
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_unlock(hashtextextended(%s, 0))", [_sign_of_life(run)]
            )


def _sign_of_life(run: Run) -> str:
    return f"carryover rehearsal {run.pk}"


def _store(run: Run, acting_user: User, surface: str) -> None:
    who: dict[str, Any] = {"acting_user": acting_user, "surface": surface}
    with transaction.atomic():
        if run._state.adding:
            run.save(force_insert=True)
        change_state(run, RunState.QUEUED, action="queue", **who)
        change_state(run, RunState.RUNNING, action="start", started_at=Now(), **who)
        run.refresh_from_db(fields=["started_at"])


def _end(run: Run, broken_off: str, **who: Any) -> None:
    """Complete the run, or cancel it for the reason it broke off or a person's; its batches rest.

    Call it inside a transaction.
    """
    run.refresh_from_db(
        fields=["state", "state_reason"],
        from_queryset=Run.objects.select_for_update(no_key=True),
    )
    if run.state == RunState.RUNNING and not broken_off:
        change_state(run, RunState.COMPLETED, action="complete", finished_at=Now(), **who)
        run.refresh_from_db(fields=["finished_at"])
    if run.state == RunState.RUNNING:
        change_state(run, RunState.CANCELLING, action="break_off", reason=broken_off, **who)
    if run.state == RunState.CANCELLING:
        reason = run.state_reason or broken_off
        change_state(run, RunState.CANCELLED, action="cancel", reason=reason, **who)
    Batch.objects.filter(run=run, state=BatchState.RUNNING).update(
        state=BatchState.OPEN, error=run.state_reason
    )


def end_abandoned_rehearsals() -> None:
    """Cancel every plan and dry run whose process is gone: killed, or cut off from the database."""
    at_work = Run.objects.exclude(kind__in=WRITING_KINDS).filter(
        state__in=[RunState.RUNNING, RunState.CANCELLING]
    )
    for run in at_work:
        end_if_abandoned(run)


def end_if_abandoned(run: Run) -> None:
    """Cancel a plan or dry run unless its process is there still."""
    with short_transaction():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [_sign_of_life(run)]
            )
            (gone,) = cursor.fetchone()
        if gone:
            _end(
                run,
                PROCESS_ENDED,
                acting_user=run.actor,
                surface=Surface.WORKER,
            )
