"""``migrate`` and guarded code beside runs that wait, stand in part, or were never finished."""

from __future__ import annotations

from typing import Any

import pytest

from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run
from migrations_tools.selectors.completion import waiting_keys
from migrations_tools.services import governor, policies, rollback, runs
from migrations_tools.services.actors import system_user
from tests.migrations_tools.people import person
from tests.migrations_tools.test_operations import backwards, forwards, stage
from tests.shop.data_migrations import CarryOrders
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)

WHO: dict[str, Any] = {"surface": "command"}


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), **WHO}


def start(name: str = "carry_orders") -> Run:
    run = runs.start_run(name, **actor())
    assert run is not None
    return run


def test_what_a_rollback_took_back_beside_conflicts_waits_again() -> None:
    stage(3)
    run = runs.work_run(start())
    assert waiting_keys(CarryOrders) == 0
    Order.objects.filter(number="B1").update(total="99")
    back = rollback.roll_back_run(run, reason="a test", **actor())
    assert back is not None
    runs.work_run(back)
    run.refresh_from_db()
    assert run.state == "partially_rolled_back"
    assert waiting_keys(CarryOrders) == 2
    forwards()
    assert waiting_keys(CarryOrders) == 0
    assert Order.objects.count() == 3


def test_another_run_of_the_same_tables_holds_up_only_what_has_something_to_do() -> None:
    stage(2)
    forwards()
    Order.objects.filter(number="B1").update(note="")
    other = start("revise_orders")
    forwards()
    assert Run.objects.filter(definition="carry_orders", kind="apply").count() == 1
    stage(1)
    with pytest.raises(CarryoverError, match=f"datamigrate resume {other.pk}"):
        forwards()
    runs.work_run(other)
    forwards()
    assert Order.objects.count() == 3


def test_a_half_finished_run_is_named_and_its_end_is_verified() -> None:
    stage(3)
    half = start()
    runs.pause_run(half, **actor())
    with pytest.raises(CarryoverError, match=f"datamigrate resume {half.pk}"):
        forwards()
    runs.work_run(runs.resume_run(half, **actor()))
    forwards()
    half.refresh_from_db()
    assert (half.state, half.verification_state) == ("completed", "passed")
    assert Run.objects.filter(kind="apply").count() == 1


def test_migrate_asks_once_for_an_approval_and_goes_on_after_it(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"*": ["approval"]}
    stage(2)
    for _ in range(2):
        with pytest.raises(CarryoverError, match=r"datamigrate approve"):
            forwards()
    (run,) = Run.objects.filter(kind="apply")
    assert run.state == "awaiting_approval"
    policies.approve_run(run, acting_user=person("second", "approve"), **WHO)
    runs.work_run(run)
    forwards()
    run.refresh_from_db()
    assert (run.state, run.verification_state) == ("completed", "passed")


def test_backwards_cancels_a_run_that_nobody_approved(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"*": ["approval"]}
    stage(2)
    run = start()
    backwards()
    run.refresh_from_db()
    assert run.state in {"cancelled", "rolled_back"}


def test_migrate_does_not_hang_while_all_runs_are_stopped() -> None:
    stage(2)
    governor.stop_all_runs(reason="month-end closing", **actor())
    with pytest.raises(CarryoverError, match="all runs are stopped: month-end closing"):
        forwards()
    assert not Run.objects.exists()
    governor.let_runs_go(**actor())
    forwards()
    assert Order.objects.count() == 2


def test_backwards_and_forwards_in_turn_end_where_they_began() -> None:
    stage(3)
    for _ in range(2):
        forwards()
        assert Order.objects.count() == 3
        backwards()
        assert not Order.objects.exists()
        assert waiting_keys(CarryOrders) == 3
    backwards()
    assert Run.objects.filter(kind="rollback").count() == 2


def test_an_interrupted_rollback_is_named_by_migrate_backwards() -> None:
    stage(3)
    forwards()
    (run,) = Run.objects.filter(kind="apply")
    back = rollback.roll_back_run(run, reason="a test", **actor())
    assert back is not None
    runs.pause_run(back, **actor())
    with pytest.raises(CarryoverError, match=f"datamigrate resume {back.pk}"):
        backwards()
    runs.work_run(runs.resume_run(back, **actor()))
    backwards()
    assert not Order.objects.exists()
