"""Every planned key has one outcome, and the counters say what the ledger says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from migrations_tools.engine.worker import Worker
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Batch, Run
from migrations_tools.services import runs
from migrations_tools.services.verification import verify_definition
from tests.migrations_tools.verification.shop import (
    actor,
    carry,
    execute,
    failed,
    roll_back,
    stage,
    verified,
)
from tests.shop.models import LegacyNote, LegacyOrder

pytestmark = pytest.mark.django_db(transaction=True)


def test_outcomes_of_every_kind_are_outcomes() -> None:
    stage(3)
    for kind in ("draft", "unsure", "taken", "broken"):
        stage(1, kind=kind)
    stage(1, day=None)
    stage(1, number="A0")
    run = carry()
    answer = verified(run)
    assert answer["ok"], failed(answer)


def test_a_planned_key_without_outcome_is_named() -> None:
    late = stage(6)[2]
    LegacyOrder.objects.filter(pk=late.pk).delete()
    run = carry(tuning={"batch_size": 2})
    late.save(force_insert=True)
    execute("UPDATE shop_legacyorder SET staged_at = now() - interval '1 day'")
    assert failed(verified(run)) == {"key_without_outcome": [str(late.pk)]}
    carry()
    assert verified(run)["ok"]


def test_a_key_that_a_batch_lists_and_has_no_outcome_of_is_named() -> None:
    stage(1)
    (bad,) = stage(1, total="-1")
    run = carry()
    again = runs.retry_run(run, [], **actor())
    assert again is not None
    run = runs.work_run(again)
    assert verified(run)["ok"]
    Batch.objects.filter(run=run, keys__isnull=False, step=0).update(
        keys=[str(bad.pk), "forgotten"]
    )
    assert failed(verified(run)) == {"key_without_outcome": ["forgotten"]}


def test_rows_staged_after_the_run_began_wait_for_the_next_one() -> None:
    LegacyNote.objects.bulk_create(LegacyNote(customer=f"c{n}", text="x") for n in range(5))
    run = carry("gather_notes")
    LegacyNote.objects.create(customer="c2b", text="late")
    answer = verified(run)
    assert answer["ok"], failed(answer)
    LegacyNote.objects.update(staged_at="2020-01-01T00:00Z")
    assert failed(verified(run)) == {"key_without_outcome": ["c2b"]}


def test_a_limited_run_answers_for_the_keys_it_reached() -> None:
    stage(10)
    run = carry(tuning={"batch_size": 2, "limit": 4})
    answer = verified(run)
    assert answer["ok"], failed(answer)
    assert verify_definition("carry_orders", **actor())["ok"]


def test_counters_that_lie_are_found() -> None:
    stage(4)
    run = carry()
    batch = Batch.objects.get(run=run, step=0)
    batch.counts["outcomes"]["applied"] = 3
    batch.counts["changes"]["shop.order"]["insert"] = 5
    batch.save()
    assert failed(verified(run)) == {"counts_differ": ["shop.order insert", "step 0 applied"]}


def test_keys_driven_again_are_counted_once() -> None:
    stage(3)
    stage(2, day=None)
    run = carry()
    LegacyOrder.objects.filter(day=None).update(day="2025-05-01")
    again = runs.retry_run(run, [], **actor())
    assert again is not None
    run = runs.work_run(again)
    answer = verified(run)
    assert answer["ok"], failed(answer)


def test_a_run_that_has_not_ended_is_not_verified() -> None:
    stage(4)
    run = runs.start_run("carry_orders", **actor(), tuning={"batch_size": 2})
    assert run is not None
    answer = verified(run)
    assert failed(answer).keys() >= {"run_unfinished", "nothing_examined"}


def interrupted(ask: Callable[..., Run]) -> Run:
    """A run that was asked to stop after its first batch."""
    stage(6)
    run = runs.start_run("carry_orders", **actor(), tuning={"batch_size": 2})
    assert run is not None
    runs.begin(run)

    def once(run: Run, keys: int) -> None:
        if not asked(run):
            ask(run, **actor())

    return Worker(run, once).work()


def asked(run: Run) -> bool:
    return Batch.objects.filter(run=run, state="done").count() > 1


def test_a_cancelled_run_answers_for_what_it_did() -> None:
    run = interrupted(runs.cancel_run)
    assert run.state == "cancelled"
    answer = verified(run)
    assert answer["ok"], failed(answer)
    assert verify_definition("carry_orders", **actor())["ok"]
    rollback = roll_back(run)
    for subject in (rollback, run):
        answer = verified(subject)
        assert answer["ok"], failed(answer)


def test_a_paused_run_is_unfinished_and_one_cancelled_from_there_is_not() -> None:
    run = interrupted(runs.pause_run)
    assert failed(verified(run)) == {"run_unfinished": [str(run.pk)]}
    run = runs.cancel_run(run, **actor())
    answer = verified(run)
    assert answer["ok"], failed(answer)


def test_a_missing_batch_is_a_gap() -> None:
    stage(6)
    run = carry(tuning={"batch_size": 2})
    batch = Batch.objects.get(run=run, step=0, number=2)
    Batch.objects.filter(pk=batch.pk).update(after_key="0")
    assert set(failed(verified(run))) == {"batch_gap"}


def test_plans_and_dry_runs_wrote_nothing_to_verify() -> None:
    stage(2)
    plan = runs.plan_run("carry_orders", **actor())
    assert plan is not None
    with pytest.raises(CarryoverError) as refusal:
        verified(plan)
    assert refusal.value.code == "not_verifiable"


def test_a_rollback_that_forgot_a_batch_is_found() -> None:
    stage(4)
    run = carry(tuning={"batch_size": 2})
    rollback = roll_back(run)
    forgotten = Batch.objects.filter(run=rollback, undoes__isnull=False).first()
    assert forgotten is not None
    Batch.objects.filter(pk=forgotten.pk).update(undoes=None)
    assert set(failed(verified(rollback))) == {"batch_gap"}


def test_verifying_a_definition_that_never_ran_looks_at_nothing_and_fails() -> None:
    answer = verify_definition("gather_notes", **actor())
    assert failed(answer) == {"nothing_examined": ["verification"]}
    assert answer["run"] is None
    assert not Run.objects.exists()


def test_a_check_that_had_nothing_to_look_at_fails_unless_it_may() -> None:
    stage(1, kind="draft")
    run = carry()
    assert failed(verified(run)) == {
        "nothing_examined": ["order_missing", "number_differs"],
        "order_missing": [],
        "number_differs": [],
    }


def test_verifying_a_definition_looks_at_all_its_standing_runs() -> None:
    stage(3)
    first = carry()
    stage(2)
    second = carry()
    answer = verify_definition("carry_orders", **actor())
    assert answer["ok"], failed(answer)
    examined = {check["code"]: check["examined"] for check in answer["checks"]}
    assert examined["key_without_outcome"] == 5 + 2  # two day books beside the orders
    for run in (first, second):
        run.refresh_from_db()
        assert run.verification_state == "passed"
    roll_back(second)
    execute("UPDATE shop_order SET total = 1 WHERE number = 'A0'")
    answer = verify_definition("carry_orders", **actor())
    assert set(failed(answer)) == {"row_differs"}
