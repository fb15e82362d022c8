"""Runs and rollbacks of the test shop, for workers that something happens to."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection
from django.db.models import F

from migrations_tools.models import Batch, Run
from migrations_tools.services import runs
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.states import BatchState
from migrations_tools.testing import assert_sound
from tests.faults.forks import Deed
from tests.faults.soundness import assert_carried_once, state_of_data
from tests.migrations_tools.engine.test_running import actor, stage

#: Staged orders, and keys of a batch: four batches, and two of the totals of four day books.
ORDERS, BATCH = 12, 3


def queued(count: int = ORDERS, **tuning: Any) -> Run:
    """A queued run of ``count`` newly staged orders."""
    stage(count)
    run = runs.start_run("carry_orders", tuning={"batch_size": BATCH, **tuning}, **actor())
    assert run is not None
    return run


def undoing(run: Run, *, force: bool = False) -> Run:
    """The queued rollback of a run."""
    rollback = roll_back_run(run, reason="a test", force=force, **actor())
    assert rollback is not None
    return rollback


def queued_rollback() -> Run:
    """A queued rollback of a run that carried all orders over."""
    run = runs.work_run(queued())
    assert_carried_once(ORDERS)
    return undoing(run)


def working(run: Run) -> Deed:
    """What a worker does with the run."""
    return partial(runs.work_run, run)


def go_on(run: Run) -> Run:
    """Another worker takes the run to its end, once the lease of a dead one is over."""
    Batch.objects.filter(run=run, state=BatchState.RUNNING).update(
        lease_until=F("lease_until") - timedelta(days=1)
    )
    run.refresh_from_db()
    return runs.work_run(run)


def state_of(run: Run) -> str:
    return Run.objects.values_list("state", flat=True).get(pk=run.pk)


def assert_finished(run: Run) -> None:
    """The run came to a sound end: everything carried over once, or everything as before."""
    run.refresh_from_db()
    assert (run.state, run.state_reason) == ("completed", "")
    assert_sound(run)
    if run.parent is None:
        assert_carried_once(ORDERS)
    else:
        assert_as_before()
        assert state_of(run.parent) == "rolled_back"


def assert_as_before() -> None:
    """Nothing is there but the staged orders, none of them carried over."""
    found = state_of_data()
    assert (found["orders"], found["books"]) == ([], [])
    assert [link for _, link in found["links"] if link is not None] == []


def cut_connection(run: Run) -> None:
    """Terminate the backend that writes the run's batch in hand, and wait until it is gone."""
    (batch,) = Batch.objects.filter(run=run, state=BatchState.RUNNING)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [batch.backend_pid])
        while True:
            cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [batch.backend_pid])
            if cursor.fetchone() is None:
                return
            time.sleep(0.01)
