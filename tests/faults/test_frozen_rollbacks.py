"""A rollback's worker frozen past its lease: another takes over, and nothing is undone twice."""

from __future__ import annotations

import time

import pytest

from migrations_tools.models import Batch
from migrations_tools.services import runs
from tests.faults.forks import Forks
from tests.faults.shop import assert_finished, queued_rollback, working
from tests.shop.models import Order

pytestmark = pytest.mark.fault_long


@pytest.mark.parametrize("name", ["claimed", "locked", "written", "before_done", "before_commit"])
def test_a_frozen_rollback_is_taken_over_and_writes_nothing_when_it_wakes(
    name: str, forks: Forks
) -> None:
    rollback = queued_rollback()
    frozen = forks.stopped(working(rollback), f"{name}:2")
    (held,) = Batch.objects.filter(run=rollback, state="running")
    time.sleep(1.2)
    runs.work_run(rollback)
    assert_finished(rollback)
    frozen.go_on()
    assert frozen.wait() == 0
    assert_finished(rollback)
    taken = Batch.objects.get(pk=held.pk)
    assert (taken.fencing, taken.attempts) == (held.fencing + 1, 2)
    assert taken.owner != held.owner
    assert Order.history.filter(history_type="-").count() == Order.history.count() // 2
