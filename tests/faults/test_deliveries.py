"""The same message delivered twice at once, and again after the run is completed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from migrations_tools import tasks
from migrations_tools.models import LedgerEntry, RowChange, Run
from tests.faults.forks import Forks
from tests.faults.shop import assert_finished, queued, queued_rollback, working

pytestmark = [pytest.mark.usefixtures("forks"), pytest.mark.fault_long]


def records() -> tuple[int, int]:
    return LedgerEntry.objects.count(), RowChange.objects.count()


@pytest.mark.parametrize("begin", [queued, queued_rollback])
def test_a_message_delivered_twice_at_once_and_again_does_its_work_once(
    begin: Callable[[], Run], forks: Forks
) -> None:
    run = begin()
    message = str(run.pk)
    first = forks.start(lambda: tasks.work_slice(message, 1), "written:stop:1")
    first.wait_until_stopped()
    second = forks.start(lambda: tasks.work_slice(message, 1))
    assert second.wait() == 0  # the seat is taken
    assert Run.objects.get(pk=run.pk).state == "running"
    first.go_on()
    assert first.wait() == 0
    assert_finished(run)
    before = records()
    assert forks.start(lambda: tasks.work_slice(message, 1)).wait() == 0
    assert records() == before
    assert_finished(run)


@pytest.mark.parametrize("begin", [queued, queued_rollback])
def test_workers_that_come_at_once_share_the_batches(
    begin: Callable[[], Run], forks: Forks
) -> None:
    run = begin()
    workers = [forks.start(working(run)) for _ in range(3)]
    assert [worker.wait() for worker in workers] == [0, 0, 0]
    assert_finished(run)
