"""Data migrations as a part of ``migrate``: small ones at once, large ones only when done."""

from __future__ import annotations

from django.contrib.auth.models import User

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.throttle import standing_orders
from migrations_tools.exceptions import DataMigrationUnfinished
from migrations_tools.models import Run
from migrations_tools.selectors.completion import (
    newest_completed,
    sources_are_empty,
    waiting_keys,
)
from migrations_tools.services import rollback, runs, verification
from migrations_tools.services.actors import system_user
from migrations_tools.services.queueing import refuse_while_active
from migrations_tools.states import RunKind, RunState, Surface, VerificationState


def carry_over_in_migrate(name: str, *, largest: int) -> Run | None:
    """Do what is left of a data migration, if it has at most ``largest`` keys; the run, if any.

    Raises DataMigrationUnfinished where more are left, where the run did not come to its end, and
    where its result is not verified.
    """
    definition = get_definition(name)
    if sources_are_empty(definition):
        return None
    waiting = waiting_keys(definition)
    if waiting or Run.objects.all().active().filter(definition=name).exists():
        refuse_while_active(definition)
    if waiting > largest:
        raise DataMigrationUnfinished(
            f"{name} has {waiting:,} keys to carry over, more than the {largest:,} that migrate "
            f"does by itself. Run “datamigrate run {name}” and “datamigrate verify {name}”, then "
            "migrate again.",
            migration=name,
            keys=waiting,
        )
    actor = system_user()
    run = _carry_over(definition, actor) if waiting else newest_completed(definition)
    if run is not None and run.verification_state != VerificationState.PASSED:
        _verify(run, actor, largest)
    return run


def _carry_over(definition: type[DataMigration], actor: User) -> Run | None:
    held = standing_orders()
    if held:
        raise DataMigrationUnfinished(
            f"{definition.name} cannot be carried over now: {held}. Migrate again when runs may "
            "work.",
            migration=definition.name,
        )
    asked = Run.objects.filter(
        definition=definition.name, kind=RunKind.APPLY, state=RunState.AWAITING_APPROVAL
    ).first()
    if asked is not None:
        raise _unapproved(asked)
    run = runs.start_run(
        definition.name, acting_user=actor, surface=Surface.MIGRATE, reason="schema migration"
    )
    if run is None:
        return None
    run = runs.work_run(run)
    if run.state == RunState.AWAITING_APPROVAL:
        raise _unapproved(run)
    if run.state != RunState.COMPLETED:
        raise DataMigrationUnfinished(
            f"Run {run.pk} of {definition.name} is {run.get_state_display()}: "
            f"{run.state_reason or 'see datamigrate status'}. Go on with “datamigrate resume "
            f"{run.pk}”, then migrate again.",
            migration=definition.name,
            run=str(run.pk),
        )
    return run


def _unapproved(run: Run) -> DataMigrationUnfinished:
    return DataMigrationUnfinished(
        f"Run {run.pk} of {run.definition} waits for a second person: “datamigrate approve "
        f"{run.pk}” (or cancel it, if the data changed since), then migrate again.",
        migration=run.definition,
        run=str(run.pk),
    )


def _verify(run: Run, actor: User, largest: int) -> None:
    """Verify a small run here; a larger one is for a person to verify."""
    keys = run.ledger.count()
    if keys > largest:
        raise DataMigrationUnfinished(
            f"Run {run.pk} of {run.definition} ({keys:,} keys) is not verified: “datamigrate "
            f"verify {run.pk}”, then migrate again.",
            migration=run.definition,
            run=str(run.pk),
        )
    if not verification.verify_run(run, acting_user=actor, surface=Surface.MIGRATE)["ok"]:
        raise DataMigrationUnfinished(
            f"The verification of run {run.pk} of {run.definition} failed: “datamigrate verify "
            f"{run.pk}” names the rows.",
            migration=run.definition,
            run=str(run.pk),
        )


def take_back_in_migrate(name: str, *, reason: str) -> None:
    """Roll every standing run back, the newest first.

    Raises DataMigrationUnfinished where rows stay that people changed.
    """
    actor = system_user()
    standing = Run.objects.standing().filter(definition=name, kind=RunKind.APPLY)
    for asked in standing.filter(state=RunState.AWAITING_APPROVAL):
        runs.cancel_run(asked, acting_user=actor, surface=Surface.MIGRATE, reason=reason)
    for run in standing.order_by("-created_at", "-id"):
        undoing = rollback.roll_back_run(
            run, acting_user=actor, surface=Surface.MIGRATE, reason=reason
        )
        if undoing is not None:
            undoing = runs.work_run(undoing)
        run.refresh_from_db()
        if run.state != RunState.ROLLED_BACK:
            raise DataMigrationUnfinished(
                f"Run {run.pk} of {name} is {run.get_state_display()}: rows that people changed "
                "since stay. “datamigrate status” lists them; decide on each, or roll back with "
                f"--force, then migrate again: datamigrate rollback {run.pk} --force",
                migration=name,
                run=str(run.pk),
            )
