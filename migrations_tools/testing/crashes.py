"""A definition under faults: processes killed at every fail-point, and two at once."""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, connections
from django.db.models import F

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine import failpoints, side
from migrations_tools.engine.failpoints import BATCH_FAILPOINTS, CLOSE_FAILPOINTS
from migrations_tools.models import Batch, Run
from migrations_tools.services import runs
from migrations_tools.states import BatchState, RunState
from migrations_tools.testing.reversal import started, undoing
from migrations_tools.testing.snapshots import Snapshot, differences, take_snapshot
from migrations_tools.testing.soundness import assert_sound

Deed = Callable[[], object]

#: Seconds after which nobody waits for a later batch any more: there is none.
OVERTAKING_SECONDS = 3.0

#: Fail-points that a rollback does not pass: it transforms nothing and shares nothing.
_ONLY_FORWARDS = {"transformed", "ensured"}


def assert_crash_safe(
    name: str,
    *,
    options: Mapping[str, Any] | None = None,
    batch_size: int = 2,
    edit: Deed | None = None,
) -> None:
    """Run ``name`` on the staged rows again and again, each time with another fault.

    A clean run tells what is right. Then a process is killed (SIGKILL) at every fail-point of a
    batch and of the close, in the run and in its rollback, and another goes on; two processes work
    at once; a later batch is done before the first one; batches have other sizes. Each time the
    result is that of the clean run, the rollback restores what was there, and both are sound
    (`assert_sound`). ``edit`` changes rows as a person would, beside the worker of a last run: it
    must end, and be sound.

    Stage rows for at least two batches of ``batch_size`` keys. Raises AssertionError with what
    was lost, doubled or wrong. Needs a system with ``fork``.
    """
    trial = _Trial(get_definition(name), options, batch_size)
    trial.expect_the_same("in a clean run", trial.clean)
    trial.expect_the_same("with one batch", runs.work_run, batch_size=1_000_000)
    for point in (*BATCH_FAILPOINTS, *CLOSE_FAILPOINTS):
        trial.expect_the_same(f"killed at “{point}”", partial(_killed, point))
    trial.expect_the_same("with two workers", _doubled)
    trial.expect_the_same("with the first batch last", _reordered)
    if edit is not None:
        trial.edited(edit)


@dataclass
class _Trial:
    definition: type[DataMigration]
    options: Mapping[str, Any] | None
    batch_size: int
    result: Snapshot | None = None

    def clean(self, run: Run) -> None:
        runs.work_run(run)
        self.result = take_snapshot(self.definition)

    def expect_the_same(
        self, what: str, work: Callable[[Run], object], batch_size: int | None = None
    ) -> None:
        """Run and roll back, both under the same fault; the data is right each time."""
        before = take_snapshot(self.definition)
        run = started(self.definition.name, self.options, batch_size or self.batch_size)
        work(run)
        self._settled(run, what)
        assert self.result is not None  # noqa: S101 - the clean run comes first
        _compare(f"{self.definition.name} {what}", self.result, take_snapshot(self.definition))
        back = undoing(run)
        if work == self.clean:
            runs.work_run(back)
        else:
            work(back)
        self._settled(back, f"taken back {what}")
        _compare(
            f"{self.definition.name} taken back {what}", before, take_snapshot(self.definition)
        )

    def edited(self, edit: Deed) -> None:
        """Rows change while a worker stands before its second batch."""
        run = started(self.definition.name, self.options, self.batch_size)
        _beside(run, 2, edit)
        self._settled(run, "with rows changed meanwhile")

    def _settled(self, run: Run, what: str) -> None:
        run.refresh_from_db()
        if run.state not in {RunState.COMPLETED, RunState.ROLLED_BACK}:
            raise AssertionError(
                f"{self.definition.name} {what} is {run.get_state_display()}: {run.state_reason}"
            )
        try:
            assert_sound(run)
        except AssertionError as error:
            raise AssertionError(f"{self.definition.name} {what}: {error}") from error


def _compare(what: str, expected: Snapshot, found: Snapshot) -> None:
    wrong = differences(expected, found)
    if wrong:
        raise AssertionError(f"{what}: " + "; ".join(wrong[:10]))


def _killed(point: str, run: Run) -> None:
    """A process works on the run, and is killed at the fail-point; then another one goes on."""
    if run.parent_id is not None and point in _ONLY_FORWARDS:
        runs.work_run(run)
        return
    count = 1 if point in CLOSE_FAILPOINTS else 2
    status = _wait(_forked(lambda: runs.work_run(run), f"{point}:kill:{count}"))
    if not os.WIFSIGNALED(status) or os.WTERMSIG(status) != signal.SIGKILL:
        raise AssertionError(
            f"the worker did not come to “{point}” a second time: stage more rows, or use smaller "
            "batches"
        )
    _go_on(run)


def _go_on(run: Run) -> None:
    """Another worker, once the dead one's lease is over."""
    Batch.objects.filter(run=run, state=BatchState.RUNNING).update(
        lease_until=F("lease_until") - timedelta(days=1)
    )
    run.refresh_from_db()
    if run.state != RunState.COMPLETED:
        runs.work_run(run)


def _doubled(run: Run) -> None:
    """Two processes at once, as when a message is delivered twice; and once more at the end."""
    for child in [_forked(lambda: runs.work_run(run), "") for _ in range(2)]:
        if _wait(child):
            raise AssertionError("one of two workers failed; its error is printed above")
    run.refresh_from_db()
    runs.work_run(run)


def _reordered(run: Run) -> None:
    """One process stands before its first batch while another does a later one."""

    def overtake() -> None:
        until = time.monotonic() + OVERTAKING_SECONDS
        done = Batch.objects.filter(run=run, state=BatchState.DONE)
        runs.work_run(run, stopping=lambda: done.exists() or time.monotonic() > until)

    _beside(run, 1, overtake)


def _beside(run: Run, batch: int, deed: Deed) -> None:
    """Do ``deed`` while a process that works on the run stands (SIGSTOP) before that batch."""
    child = _forked(lambda: runs.work_run(run), f"claimed:stop:{batch}")
    _, status = os.waitpid(child, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        raise AssertionError(f"the worker did not come to batch {batch}: stage more rows")
    try:
        deed()
    finally:
        os.kill(child, signal.SIGCONT)
        status = _wait(child)
    if status:
        raise AssertionError("a worker failed that others overtook; its error is printed above")
    run.refresh_from_db()
    if run.state not in {RunState.COMPLETED, RunState.ROLLED_BACK}:
        runs.work_run(run)


def _forked(deed: Deed, failpoint: str) -> int:
    """A process of its own, with connections of its own, that does one thing and ends."""
    connection.close()
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.environ[failpoints.VARIABLE] = failpoint
        failpoints.reset()
        side.close_side_connection()
        deed()
        status = 0
    except BaseException:  # noqa: BLE001 - whatever it is, this process ends here
        traceback.print_exc()
    finally:
        connections.close_all()
        os._exit(status)


def _wait(child: int) -> int:
    return os.waitpid(child, 0)[1]
