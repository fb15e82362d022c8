"""Connections cut while a batch is read, written or committed; the worker itself goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from migrations_tools.models import Batch, Run
from tests.faults.forks import Forks
from tests.faults.proxy import CuttingProxy, Moment
from tests.faults.shop import (
    assert_finished,
    cut_connection,
    queued,
    queued_rollback,
    working,
)

pytestmark = pytest.mark.fault_long

#: The words of the last statement of a batch's transaction.
DONE = b"SET \"state\" = 'done'"

MOMENTS = {
    "reading": Moment((), b"FOR NO KEY UPDATE OF"),
    "writing": Moment((), b'COPY "shop_order"'),
    "recording": Moment((), b'INSERT INTO "migrations_tools_ledgerentry"'),
    "finishing": Moment((), DONE),
    "committing": Moment((DONE,), b"COMMIT"),
    "answering": Moment((DONE,), b"COMMIT", answer_lost=True),
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: that of a socket has at most 107 bytes."""
    with TemporaryDirectory(prefix="cut") as name:
        yield Path(name)


@pytest.mark.parametrize("name", MOMENTS)
def test_a_connection_cut_by_the_network_costs_an_attempt_at_most(
    name: str, forks: Forks, folder: Path
) -> None:
    run = queued()
    proxy = CuttingProxy(folder, MOMENTS[name])
    assert forks.start(proxy.through(working(run))).wait() == 0
    proxy.close()
    assert proxy.cuts == 1
    assert_finished(run)
    # a commit whose answer was lost is read back, not guessed and not repeated
    assert _attempts(run) == (1 if name == "answering" else 2)


@pytest.mark.parametrize("name", ["locked", "written", "ledger_written", "before_commit"])
@pytest.mark.parametrize("begin", [queued, queued_rollback])
def test_a_connection_that_the_server_ended_costs_one_attempt(
    begin: Callable[[], Run], name: str, forks: Forks
) -> None:
    run = begin()
    worker = forks.stopped(working(run), f"{name}:2")
    cut_connection(run)
    worker.go_on()
    assert worker.wait() == 0
    assert_finished(run)
    assert _attempts(run) == 2


def _attempts(run: Run) -> int:
    """The most attempts that a batch of the run took."""
    return max(Batch.objects.filter(run=run).values_list("attempts", flat=True))
