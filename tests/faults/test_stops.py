"""Stops in the middle: failed steps, changed or missing definitions, pauses at the last row."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from migrations_tools.definitions import registry
from migrations_tools.exceptions import PlanDrift, TransitionRefused, UnknownDefinition
from migrations_tools.models import Batch, Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.testing import assert_sound
from migrations_tools.testing.soundness import assert_records_sound
from tests.faults.forks import Forks
from tests.faults.shop import (
    ORDERS,
    assert_as_before,
    assert_finished,
    go_on,
    queued,
    state_of,
    undoing,
    working,
)
from tests.faults.test_rollbacks import altered
from tests.migrations_tools.engine.test_running import actor, stage
from tests.migrations_tools.test_datamigrate import datamigrate
from tests.shop.data_migrations import CarryOrders
from tests.shop.models import Order

pytestmark = [pytest.mark.usefixtures("forks"), pytest.mark.fault_long]


def test_no_step_begins_after_one_that_failed_until_it_is_resumed() -> None:
    run = queued()
    runs.work_run(run, stopping=lambda: Order.objects.count() >= 6)
    with altered(
        "ALTER TABLE shop_order RENAME TO shop_order_away",
        "ALTER TABLE shop_order_away RENAME TO shop_order",
    ):
        runs.work_run(run)
        run.refresh_from_db()
        assert run.state == "needs_attention"
        assert "shop_order" in run.state_reason
    assert not Batch.objects.filter(run=run, step=1).exists()
    assert_records_sound(run)
    runs.resume_run(run, **actor())
    runs.work_run(run)
    assert_finished(run)


def test_a_poison_row_is_quarantined_alone_wherever_it_stands(forks: Forks) -> None:
    stage(1, kind="broken")
    stage(5)
    stage(1, total="-1")  # the database refuses it
    run = queued(5)
    assert forks.start(working(run)).wait() == 0
    run.refresh_from_db()
    summary = summarise(run)
    assert (summary["outcomes"]["applied"], summary["outcomes"]["quarantined"]) == (10, 2)
    assert summary["codes"] == {"transform_error": 1, "check_violation": 1}
    assert_sound(run)
    runs.work_run(undoing(run))
    assert_as_before()


def test_a_definition_that_changed_in_the_middle_is_not_resumed_unless_accepted(
    forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued()
    runs.work_run(run, stopping=lambda: Order.objects.count() >= 6)
    runs.pause_run(run, **actor())
    monkeypatch.setattr(CarryOrders, "version", 2)
    run.refresh_from_db()
    with pytest.raises(PlanDrift):
        runs.resume_run(run, **actor())
    assert state_of(run) == "paused"
    assert datamigrate("status", str(run.pk))[1]["outcomes"]["applied"] == 6
    runs.resume_run(run, accept_drift="a mended typing error", **actor())
    runs.work_run(run)
    assert_finished(run)


def test_a_run_whose_definition_is_gone_waits_and_goes_on_when_it_is_back(
    forks: Forks, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = queued()
    forks.killed(working(run), "written:3")
    with monkeypatch.context() as patch:
        patch.delitem(registry._definitions, "carry_orders")
        call_command("worker", "--once")
        for command in (("list",), ("status",), ("health",)):
            assert datamigrate(*command)[0] == 0
        assert datamigrate("status", str(run.pk))[1]["outcomes"]["applied"] == 6
        with pytest.raises(UnknownDefinition):
            runs.work_run(run)
    assert state_of(run) == "running"
    go_on(run)
    assert_finished(run)


#: Where a worker may be at the end of a run: four batches of orders, two of totals, the close.
LAST = ["before_commit:6", "committed:6", "closing:1", "closed:1"]


@pytest.mark.parametrize("point", LAST)
@pytest.mark.parametrize("asked", ["pause", "cancel"])
def test_pause_and_cancel_at_the_last_row_end_in_one_of_both(
    asked: str, point: str, forks: Forks
) -> None:
    run = queued()
    worker = forks.stopped(working(run), point)

    def ask() -> None:
        try:
            deed = runs.pause_run if asked == "pause" else runs.cancel_run
            deed(run, **actor())
        except TransitionRefused:
            assert state_of(run) == "completed"

    person = forks.start(ask)
    if point != "closing:1":  # that worker holds the run
        assert person.wait() == 0
    worker.go_on()
    assert (worker.wait(), person.wait()) == (0, 0)
    assert state_of(run) in {"completed", "paused" if asked == "pause" else "cancelled"}
    if state_of(run) == "paused":
        runs.resume_run(Run.objects.get(pk=run.pk), **actor())
        go_on(run)
    run.refresh_from_db()
    if run.state == "completed":
        assert_finished(run)
    assert run.seal
    assert run.ledger.filter(step=0, outcome="applied").count() == ORDERS
    assert_sound(run)
    runs.work_run(undoing(run))
    assert_as_before()
