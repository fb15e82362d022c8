"""Rows that end their worker each time: a crash below Python, or memory that runs out."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from migrations_tools.engine.deaths import CAUTIOUS_LOSSES, MOST_LOSSES
from migrations_tools.models import Batch, Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.testing import assert_sound
from tests.faults.forks import Deed, Forks
from tests.faults.shop import (
    BATCH,
    ORDERS,
    assert_as_before,
    cut_connection,
    go_on,
    queued,
    state_of,
    undoing,
    working,
)
from tests.faults.test_abandoned_rehearsals import wait_until_its_session_ended
from tests.migrations_tools.engine.test_running import actor, stage
from tests.migrations_tools.services.test_reviews import decide, decisions, unsure
from tests.shop.data_migrations import OrderStep
from tests.shop.models import Order

pytestmark = pytest.mark.fault_long

KILLED = -signal.SIGKILL


@pytest.fixture(autouse=True)
def short_leases(forks: Forks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARRYOVER_LEASE_SECONDS", "0.3")


def dying_at(run: Run, *numbers: str, place: str = "transform") -> Deed:
    """A worker that these orders kill (SIGKILL, as the kernel does) in ``transform`` or `load``."""
    return dying(lambda: runs.work_run(run), *numbers, place=place)


def dying(deed: Deed, *numbers: str, place: str = "transform") -> Deed:
    """What somebody does whom these orders kill."""

    def work() -> None:
        real = getattr(OrderStep, place)

        def deadly(step: OrderStep, given: Any, *more: Any) -> Any:
            rows = given if place == "load" else [given]
            if any(row.number in numbers for row in rows):
                os.kill(os.getpid(), signal.SIGKILL)
            return real(step, given, *more)

        setattr(OrderStep, place, deadly)
        deed()

    return work


def deaths(forks: Forks, work: Deed, most: int = 10) -> int:
    """How many workers it costs until one comes to the end."""
    for died in range(most):
        code = forks.start(work).wait()
        if code == 0:
            return died
        assert code == KILLED
        wait_until_its_session_ended()
    raise AssertionError("they die again and again")


@pytest.mark.parametrize(
    ("numbers", "place", "expected"),
    [
        (("A4",), "transform", CAUTIOUS_LOSSES + 1),
        (("A3", "A5"), "transform", CAUTIOUS_LOSSES + 2),  # of one batch
        (("A4",), "load", CAUTIOUS_LOSSES + 1),
    ],
)
def test_a_row_that_kills_its_worker_is_quarantined_and_the_others_go_on(
    numbers: tuple[str, ...], place: str, expected: int, forks: Forks
) -> None:
    run = queued()
    assert deaths(forks, dying_at(run, *numbers, place=place)) == expected
    run.refresh_from_db()
    summary = summarise(run)
    assert summary["state"] == "completed"
    assert summary["codes"] == {"worker_died": len(numbers)}
    assert summary["outcomes"]["applied"] == ORDERS - len(numbers)
    assert not Order.objects.filter(number__in=numbers).exists()
    assert_sound(run)
    runs.retry_run(run, [], **actor())  # what killed the workers is mended
    runs.work_run(run)
    assert Order.objects.count() == ORDERS
    assert_sound(run)
    runs.work_run(undoing(run))
    assert_as_before()


def test_a_decision_that_kills_its_worker_is_open_again_and_the_others_are_carried_out(
    forks: Forks,
) -> None:
    run, _ = unsure(4)
    decision_run = decide(run, "accepted")
    assert deaths(forks, dying_at(decision_run, "A1")) == CAUTIOUS_LOSSES + 1
    decision_run.refresh_from_db()
    assert summarise(decision_run)["codes"] == {"worker_died": 1}
    assert Order.objects.count() == 3
    assert sorted(decisions(run).values()) == ["accepted", "accepted", "accepted", "open"]
    assert_sound(decision_run)


def test_a_batch_that_loses_every_worker_without_a_key_to_blame_stops_the_run(
    forks: Forks,
) -> None:
    run = queued(batch_size=ORDERS)
    for _ in range(MOST_LOSSES):
        forks.killed(working(run), "locked:1")
    go_on(run)
    assert state_of(run) == "needs_attention"
    run.refresh_from_db()
    assert run.state_reason.startswith("Batch 1 of step 1 lost its worker 5 times in a row")
    assert not run.ledger.exists()
    runs.resume_run(run, **actor())
    assert state_of(go_on(run)) == "completed"
    assert_sound(run)


def test_a_batch_that_its_worker_gave_back_has_lost_nobody(forks: Forks) -> None:
    run = queued(batch_size=ORDERS)
    forks.killed(working(run), "locked:1")
    worker = forks.stopped(working(run), "locked:1")
    assert Batch.objects.get(run=run).losses == 1
    cut_connection(run)
    worker.go_on()
    assert worker.wait() == 0
    assert state_of(run) == "completed"
    assert Batch.objects.filter(run=run, losses__gt=0).count() == 0
    assert_sound(run)


@pytest.mark.parametrize("rehearse", [runs.plan_run, runs.dry_run])
def test_a_row_that_kills_its_plan_is_known_to_the_third_one(
    rehearse: Callable[..., Run | None], forks: Forks
) -> None:
    stage(ORDERS)
    tuning = {"batch_size": BATCH}
    plan = partial(rehearse, "carry_orders", tuning=tuning, **actor())
    assert deaths(forks, dying(plan, "A4", "A9")) == 4  # two of each row
    done = Run.objects.get(state="completed")
    summary = summarise(done)
    assert summary["codes"] == {"worker_died": 2}
    assert summary["outcomes"]["applied"] == ORDERS - 2
    assert Run.objects.filter(state="cancelled").count() == 4
    assert not Order.objects.exists()
    again = plan()  # what killed the process is mended
    assert again is not None
    assert summarise(again)["outcomes"]["applied"] == ORDERS
