"""A worker whose clocks jump: leases, ranges and evidence use the database's clock alone."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from migrations_tools.models import Batch, Run
from migrations_tools.services import runs, slices
from migrations_tools.services.verification import verify_run
from tests.faults.forks import Deed, Forks
from tests.faults.shop import assert_finished, queued, queued_rollback
from tests.migrations_tools.engine.test_running import actor

pytestmark = pytest.mark.fault_long

DAY = 86_400.0


def with_jumping_clocks(deed: Deed, jump: float) -> Deed:
    """``deed`` in a process whose wall clocks are ``jump`` seconds off at every other look."""
    real_time = time.time
    off = itertools.cycle([0.0, jump])

    def do() -> None:
        time.time = lambda: real_time() + next(off)
        timezone.now = lambda: datetime.now(UTC) + timedelta(seconds=next(off))
        deed()

    return do


@pytest.mark.parametrize("jump", [DAY, -DAY])
@pytest.mark.parametrize("begin", [queued, queued_rollback])
def test_jumps_of_a_workers_clock_change_nothing(
    begin: Callable[[], Run], jump: float, forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARRYOVER_LEASE_SECONDS", "30")
    began = timezone.now()
    run = begin()

    def work() -> None:
        while slices.work_slice(Run.objects.get(pk=run.pk)):
            pass

    assert forks.start(with_jumping_clocks(work, jump)).wait() == 0
    assert_finished(run)
    assert run.started_at is not None
    assert run.finished_at is not None
    assert began <= run.started_at <= run.finished_at <= timezone.now()
    assert max(Batch.objects.filter(run=run).values_list("attempts", flat=True)) == 1


def test_a_worker_that_lives_in_another_day_takes_over_no_lease_that_holds(
    forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CARRYOVER_LEASE_SECONDS", "30")
    run = queued()
    holder = forks.stopped(lambda: runs.work_run(run), "written:1")
    (held,) = Batch.objects.filter(run=run, state="running")
    other = with_jumping_clocks(lambda: runs.work_run(run, seconds=3), DAY)
    assert forks.start(other).wait() == 0
    held.refresh_from_db()
    assert (held.state, held.fencing, held.attempts) == ("running", 1, 1)
    holder.go_on()
    assert holder.wait() == 0
    assert_finished(run)
    assert verify_run(run, **actor())["ok"]
