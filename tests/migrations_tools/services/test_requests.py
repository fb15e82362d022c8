"""Plans, dry runs, runs and rollbacks that are left to the workers."""

from __future__ import annotations

from typing import Any

import pytest

from migrations_tools.exceptions import (
    ActiveRun,
    InvalidOption,
    PermissionRefused,
    PlanDrift,
    TransitionRefused,
)
from migrations_tools.models import RowChange, Run, Transition
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.policies import PolicyRefused
from migrations_tools.services.requests import (
    MOST_TRIES,
    NOTHING_TO_DO,
    PlanUsed,
    request_rollback,
    request_run,
    requests_wait,
    work_on_request,
)
from migrations_tools.services.verification import verify_run
from migrations_tools.states import RunKind, RunState, Surface
from tests.migrations_tools.engine.test_running import stage
from tests.migrations_tools.people import person
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)

APPLY, DRY_RUN, PLAN = RunKind.APPLY, RunKind.DRY_RUN, RunKind.PLAN


@pytest.fixture
def who() -> dict[str, Any]:
    return {"acting_user": person("olga", "run", "rollback"), "surface": Surface.ADMIN}


def asked(kind: str, who: dict[str, Any], **arguments: Any) -> Run:
    run = request_run("carry_orders", kind, **who, **arguments)
    assert run is not None
    assert run.state == RunState.PLANNED
    return run


def taken_up() -> Run:
    run = work_on_request()
    assert run is not None
    run.refresh_from_db()
    return run


def finished(who: dict[str, Any]) -> Run:
    asked(APPLY, who)
    return runs.work_run(taken_up())


def test_plans_and_dry_runs_are_made_by_whoever_takes_them_up(who: dict[str, Any]) -> None:
    stage(3)
    for kind in (PLAN, DRY_RUN):
        made = asked(kind, who, options={"prefix": "N"}, tuning={"limit": 2})
        assert requests_wait()
        done = taken_up()
        assert (done.pk, done.kind, done.state) == (made.pk, kind, RunState.COMPLETED)
        assert (done.actor, summarise(done)["outcomes"]["applied"]) == (who["acting_user"], 2)
    assert not requests_wait()
    assert work_on_request() is None
    assert not Order.objects.exists()


def test_a_run_gets_its_plan_and_is_queued(who: dict[str, Any]) -> None:
    stage(3)
    made = asked(APPLY, who, reason="at last", options={"prefix": "N"})
    queued = taken_up()
    assert (queued.pk, queued.state, queued.reason) == (made.pk, RunState.QUEUED, "at last")
    assert queued.plan is not None
    assert queued.plan.report["outcomes"]["applied"] == 3
    assert runs.work_run(queued).state == RunState.COMPLETED
    assert set(Order.objects.values_list("number", flat=True)) == {"NA0", "NA1", "NA2"}
    told = Transition.objects.filter(run=queued).exclude(surface=Surface.WORKER)
    assert [(row.action, row.actor, row.surface) for row in told] == [
        ("request", who["acting_user"], Surface.ADMIN),
        ("queue", who["acting_user"], Surface.ADMIN),
    ]


def test_a_plan_is_run_as_it_was_made(who: dict[str, Any]) -> None:
    stage(3)
    plan = asked(PLAN, who, options={"prefix": "N"})
    with pytest.raises(TransitionRefused):
        asked(APPLY, who, planned=plan)
    run = asked(APPLY, who, planned=taken_up())
    assert (run.plan_id, run.options) == (plan.pk, {"prefix": "N"})
    assert taken_up().plan_id == plan.pk


def test_a_second_request_for_a_run_is_told_of_the_first(who: dict[str, Any]) -> None:
    stage(3)
    first = asked(APPLY, who)
    with pytest.raises(ActiveRun, match="olga asked for this run already") as refused:
        asked(APPLY, who, options={"prefix": "N"})
    assert refused.value.fields["run"] == str(first.pk)
    asked(PLAN, who)  # of which nothing is kept
    runs.cancel_run(first, **who)
    assert asked(APPLY, who).pk != first.pk


def test_what_needs_no_look_is_refused_at_once(who: dict[str, Any]) -> None:
    assert request_run("carry_orders", PLAN, **who) is None
    stage(1)
    with pytest.raises(InvalidOption):
        asked(PLAN, who, options={"colour": "red"})
    stranger = {**who, "acting_user": person("stranger")}
    with pytest.raises(PermissionRefused):
        asked(PLAN, stranger)
    asked(APPLY, who)
    taken_up()
    with pytest.raises(ActiveRun):
        asked(APPLY, who)
    assert Run.objects.filter(kind=APPLY).count() == 1


def test_a_plan_that_no_longer_fits_is_refused_at_once(who: dict[str, Any]) -> None:
    stage(2)
    asked(PLAN, who)
    plan = taken_up()
    first = asked(APPLY, who, planned=plan)
    with pytest.raises(PlanUsed, match="olga asked for the plan") as used:
        asked(APPLY, who, planned=plan)
    assert used.value.fields == {"run": str(first.pk), "state": "planned"}
    runs.cancel_run(first, **who)
    stage(1)
    with pytest.raises(PlanDrift, match="no longer fits"):
        asked(APPLY, who, planned=plan)
    drifted = asked(APPLY, who, planned=plan, accept_drift="one more will do")
    assert runs.work_run(taken_up()).state == RunState.COMPLETED
    assert Run.objects.filter(kind=APPLY).count() == 2
    assert request_run("carry_orders", APPLY, planned=plan, **who) is None
    back = request_rollback(drifted, reason="a mistake", **who)
    assert back is not None
    runs.work_run(taken_up())
    assert asked(APPLY, who, planned=plan, accept_drift="again").plan == plan


def test_content_that_takes_long_to_read_is_left_to_the_worker(
    who: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(2)
    asked(PLAN, who)
    plan = taken_up()
    stage(1)
    monkeypatch.setattr("migrations_tools.engine.plan.MOST_KEYS", 1)
    asked(APPLY, who, planned=plan)
    refused = taken_up()
    assert refused.state == RunState.CANCELLED
    assert "2 keys then, 3 now" in refused.state_reason


def test_policies_are_told_at_once(who: dict[str, Any], settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {"carry_orders": ["dry_run", "approval"]}
    stage(2)
    with pytest.raises(PolicyRefused) as refused:
        asked(APPLY, who)
    assert refused.value.code == "dry_run_required"
    assert not Run.objects.exists()
    asked(DRY_RUN, who)
    taken_up()
    asked(PLAN, who)
    plan = taken_up()
    asked(APPLY, who, planned=plan)
    assert taken_up().state == RunState.AWAITING_APPROVAL
    with pytest.raises(PlanUsed, match="awaiting approval"):
        asked(APPLY, who, planned=plan)


def test_what_cannot_be_done_is_cancelled_with_the_reason(who: dict[str, Any]) -> None:
    stage(2)
    late = asked(APPLY, who)
    first = runs.start_run("carry_orders", **who)  # from a terminal, meanwhile
    assert first is not None
    runs.work_run(first)
    taken_up()
    third = asked(PLAN, who) if stage(1) else None
    assert third is not None
    runs.cancel_run(third, **who)
    assert work_on_request() is None
    first.refresh_from_db()
    late.refresh_from_db()
    assert (first.state, late.state) == (RunState.COMPLETED, RunState.CANCELLED)
    assert late.state_reason == NOTHING_TO_DO
    assert Order.objects.count() == 2


def test_a_rollback_and_its_dry_run_are_left_to_workers(who: dict[str, Any]) -> None:
    stage(2)
    run = finished(who)
    tried = request_rollback(run, dry_run=True, reason="", **who)
    assert tried is not None
    assert (taken_up().pk, Order.objects.count()) == (tried.pk, 2)
    tried.refresh_from_db()
    assert (tried.state, summarise(tried)["outcomes"]["restored"]) == (RunState.COMPLETED, 2)
    back = request_rollback(run, reason="a mistake", **who)
    assert back is not None
    with pytest.raises(TransitionRefused, match="olga asked"):
        request_rollback(run, reason="again", **who)
    assert runs.work_run(taken_up()).state == RunState.COMPLETED
    run.refresh_from_db()
    assert (run.state, Order.objects.count()) == (RunState.ROLLED_BACK, 0)
    assert request_rollback(run, reason="again", **who) is None


def test_a_damaged_journal_cancels_the_rollback_that_was_asked_for(who: dict[str, Any]) -> None:
    stage(2)
    run = finished(who)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "migrations_tools.services.rollback.journal_damage", lambda run: ["Range 1 is gone."]
        )
        back = request_rollback(run, reason="a mistake", **who)
        assert back is not None
        refused = taken_up()
    assert refused.state == RunState.CANCELLED
    assert "Range 1 is gone." in refused.state_reason
    assert RowChange.objects.filter(run=run).exists()
    assert Order.objects.count() == 2


def test_a_mistake_in_a_definition_does_not_keep_others_waiting(who: dict[str, Any]) -> None:
    stage(1)
    broken, sound = asked(PLAN, who), asked(PLAN, who)
    Run.objects.filter(pk=broken.pk).update(definition="gone_for_good")
    assert taken_up().state == RunState.CANCELLED
    assert (taken_up().pk, requests_wait()) == (sound.pk, False)


def test_a_run_that_was_asked_for_before_its_plan_was_made_passes_its_verification(
    who: dict[str, Any],
) -> None:
    stage(3)
    run = finished(who)
    assert run.plan is not None
    assert run.created_at < run.plan.created_at
    assert verify_run(run, **who)["ok"]


def test_what_ends_its_workers_is_cancelled_after_five_of_them(
    who: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage(1)
    run = asked(APPLY, who)

    def die(*args: Any, **kwargs: Any) -> None:
        raise SystemExit  # as little of the worker goes on as of a killed one

    monkeypatch.setattr(runs, "start_run", die)
    for _ in range(MOST_TRIES):
        with pytest.raises(SystemExit):
            work_on_request()
    assert taken_up() == run
    run.refresh_from_db()
    assert run.state == RunState.CANCELLED
    assert run.state_reason.startswith("5 workers ended")
    assert work_on_request() is None
