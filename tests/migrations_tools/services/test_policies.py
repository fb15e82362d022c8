"""What has to come before a real run."""

from __future__ import annotations

from typing import Any

import pytest

from migrations_tools.exceptions import PermissionRefused, PlanDrift, TransitionRefused
from migrations_tools.models import Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs, trial
from migrations_tools.services.policies import PolicyRefused, approve_run
from tests.migrations_tools.engine.test_running import actor, stage
from tests.migrations_tools.people import person
from tests.shop.data_migrations import CarryOrders
from tests.shop.models import LegacyOrder, Order
from tests.spoiling import RUN_COMPLETED, spoiled

pytestmark = pytest.mark.django_db(transaction=True)


def start(**arguments: Any) -> Run:
    run = runs.start_run("carry_orders", **actor(), **arguments)
    assert run is not None
    return run


def test_without_policies_nothing_comes_before() -> None:
    stage(2)
    assert start().state == "queued"


def test_a_second_person_approves_and_nobody_approves_their_own(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"carry_orders": ["approval"]}
    stage(2)
    asker, second = person("asker", "run", "approve"), person("second", "approve")
    run = runs.start_run("carry_orders", acting_user=asker, surface="command")
    assert run is not None
    assert runs.work_run(run).state == "awaiting_approval"
    assert not Order.objects.exists()
    with pytest.raises(PolicyRefused, match="a second person approves it"):
        approve_run(run, acting_user=asker, surface="command")
    with pytest.raises(PermissionRefused):
        approve_run(run, acting_user=person("third", "run"), surface="command")
    approved = approve_run(run, acting_user=second, surface="command", reason="looked at the plan")
    assert summarise(runs.work_run(approved))["outcomes"]["applied"] == 2
    told = run.transitions.filter(action__in=["ask_approval", "approve"]).order_by("id")
    assert [(item.actor.username, item.reason) for item in told] == [
        ("asker", ""),
        ("second", "looked at the plan"),
    ]
    with pytest.raises(TransitionRefused, match="does not wait for approval"):
        approve_run(run, acting_user=second, surface="command")


def test_a_run_whose_data_changed_is_not_approved(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"*": ["approval"]}
    stage(2)
    run = start()
    stage(1)
    with pytest.raises(PlanDrift, match="Cancel it and run anew"):
        approve_run(run, acting_user=person("second", "approve"), surface="command")
    assert runs.cancel_run(run, **actor()).state == "cancelled"


def test_a_run_that_waits_for_approval_holds_nobody_up(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"carry_orders": ["approval"]}
    stage(2)
    start()
    assert start().state == "awaiting_approval"


def test_a_dry_run_of_the_same_data_comes_first(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"carry_orders": ["dry_run"]}
    stage(2)
    with pytest.raises(PolicyRefused, match="run carry_orders --dry-run") as refused:
        start()
    assert refused.value.code == "dry_run_required"
    runs.dry_run("carry_orders", **actor())
    with pytest.raises(PolicyRefused):
        start(options={"prefix": "X"})
    LegacyOrder.objects.filter(number="A1").delete()
    with pytest.raises(PolicyRefused):
        start()
    runs.dry_run("carry_orders", **actor())
    assert start().state == "queued"


def test_a_dry_run_of_a_part_is_none_of_the_whole(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"carry_orders": ["dry_run"]}
    stage(3)
    runs.dry_run("carry_orders", tuning={"limit": 1}, **actor())
    with pytest.raises(PolicyRefused):
        start()
    assert start(tuning={"limit": 1}).state == "queued"


def test_a_plan_is_run_where_a_dry_run_came_before(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"carry_orders": ["dry_run"]}
    stage(2)
    planned = runs.plan_run("carry_orders", **actor())
    assert planned is not None
    with pytest.raises(PolicyRefused):
        start(planned=planned)
    runs.dry_run("carry_orders", **actor())
    assert start(planned=planned).state == "queued"


def test_the_system_account_is_no_second_person(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"*": ["approval"]}
    stage(1)
    run = runs.start_run("carry_orders", acting_user=person("asker", "run"), surface="command")
    assert run is not None
    with pytest.raises(PolicyRefused, match="CARRYOVER_ACTOR") as refused:
        approve_run(run, **actor())
    assert refused.value.code == "second_person"
    run.refresh_from_db()
    assert run.state == "awaiting_approval"


def test_a_run_whose_code_changed_while_it_waited_is_not_approved(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.CARRYOVER_POLICIES = {"*": ["approval"]}
    stage(1)
    run = start()
    monkeypatch.setattr(CarryOrders, "version", 2)
    with pytest.raises(PlanDrift, match="The code of the definition changed"):
        approve_run(run, acting_user=person("second", "approve"), surface="command")


def test_a_rehearsal_comes_first_and_leaves_nothing_behind(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"carry_orders": ["rehearsal"]}
    stage(5)
    with pytest.raises(PolicyRefused, match="datamigrate rehearse carry_orders"):
        start()
    rehearsed = trial.rehearse_run("carry_orders", keys=3, **actor())
    assert rehearsed is not None
    assert rehearsed.state == "rolled_back"
    assert rehearsed.ledger.filter(step=0).count() == 3
    assert not Order.objects.exists()
    stage(1)  # new rows are no reason to rehearse again
    assert summarise(runs.work_run(start()))["outcomes"]["applied"] == 6


def test_a_rehearsal_with_other_options_does_not_count(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"carry_orders": ["rehearsal"]}
    stage(2)
    trial.rehearse_run("carry_orders", options={"prefix": "X"}, **actor())
    with pytest.raises(PolicyRefused):
        start()


def test_a_rehearsal_that_fails_its_verification_says_so() -> None:
    stage(2)
    by_hand = "UPDATE shop_legacyorder SET order_id = NULL WHERE number = 'A1'"
    with (
        spoiled(RUN_COMPLETED, by_hand),
        pytest.raises(trial.RehearsalFailed, match="did not pass its verification"),
    ):
        trial.rehearse_run("carry_orders", **actor())


def test_nothing_to_do_needs_no_rehearsal() -> None:
    assert trial.rehearse_run("carry_orders", **actor()) is None
