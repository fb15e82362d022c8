"""A run and its rollback leave the data as it was."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrations_tools.definitions.registry import get_definition
from migrations_tools.models import Run
from migrations_tools.services import rollback, runs
from migrations_tools.services.actors import system_user
from migrations_tools.states import RunState, Surface
from migrations_tools.testing.snapshots import differences, take_snapshot
from migrations_tools.testing.soundness import assert_sound


def started(name: str, options: Mapping[str, Any] | None, batch_size: int | None = None) -> Run:
    """A queued run of what is staged. Raises AssertionError where there is nothing to do."""
    run = runs.start_run(
        name,
        acting_user=system_user(),
        surface=Surface.COMMAND,
        options=options,
        tuning={"batch_size": batch_size},
    )
    if run is None:
        raise AssertionError(f"{name} has nothing to do: stage some rows first")
    return run


def undoing(run: Run) -> Run:
    """The queued rollback of a run."""
    queued = rollback.roll_back_run(
        run, acting_user=system_user(), surface=Surface.COMMAND, reason="a test"
    )
    if queued is None:
        raise AssertionError(f"run {run.pk} has nothing left to take back")
    return queued


def assert_reversible(name: str, *, options: Mapping[str, Any] | None = None) -> None:
    """Carry everything over, verify, take it back, verify: the data is as before."""
    definition = get_definition(name)
    before = take_snapshot(definition)
    run = runs.work_run(started(name, options))
    if run.state != RunState.COMPLETED:
        raise AssertionError(f"the run is {run.get_state_display()}: {run.state_reason}")
    assert_sound(run)
    if not differences(before, take_snapshot(definition)):
        raise AssertionError(f"{name} changed nothing: a rollback would prove nothing")
    back = runs.work_run(undoing(run))
    assert_sound(back)
    left = differences(before, take_snapshot(definition))
    if left:
        raise AssertionError("the rollback did not restore: " + "; ".join(left[:10]))
