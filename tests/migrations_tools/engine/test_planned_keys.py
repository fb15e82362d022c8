"""Every key of a plan gets exactly one outcome, whatever became of its row since."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.db.models import BinaryField, Func, TextField, Value
from django.db.models.functions import Cast

from migrations_tools.definitions import RowSource
from migrations_tools.exceptions import PlanDrift
from migrations_tools.models import Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.verification import verify_run
from tests.migrations_tools.engine.test_running import DAY, actor, carry, stage
from tests.migrations_tools.verification.shop import failed, tamper
from tests.shop.data_migrations import ReviseStep
from tests.shop.models import Customer, DayBook, LegacyNote, LegacyOrder, Order

pytestmark = pytest.mark.django_db(transaction=True)


def planned(name: str, **tuning: Any) -> Run:
    run = runs.plan_run(name, tuning=tuning, **actor())
    assert run is not None
    return run


def carry_plan(plan: Run, **tuning: Any) -> dict[str, Any]:
    """The plan run after the data changed; verified."""
    run = runs.start_run(
        plan.definition, planned=plan, tuning=tuning, accept_drift="a test", **actor()
    )
    assert run is not None
    done = runs.work_run(run)
    proof = verify_run(done, **actor())
    assert proof["ok"], failed(proof)
    return summarise(done)


def outcomes(summary: dict[str, Any]) -> dict[str, int]:
    return {name: number for name, number in summary["outcomes"].items() if number}


def orders(count: int) -> list[Order]:
    """Orders without a note, which ``revise_orders`` selects, with keys 10 apart."""
    book = DayBook.objects.create(day=DAY)
    return Order.objects.bulk_create(
        Order(pk=10 * place, number=f"A{place}", day_book=book, total=5)
        for place in range(1, count + 1)
    )


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_a_planned_row_that_left_the_selection_is_a_conflict_and_a_deleted_one_is_gone(
    size: int,
) -> None:
    found = orders(12)
    plan = planned("revise_orders")
    for place in (0, 3, 10):
        Order.objects.filter(pk=found[place].pk).update(note="written by a person")
    for place in (1, 4, 11):
        found[place].delete()
    summary = carry_plan(plan, batch_size=size)
    assert outcomes(summary) == {"applied": 6, "conflict": 3, "gone": 3}
    assert summary["total"] == 12
    assert summary["codes"] == {"changed_since_plan": 3, "gone": 3}
    assert Order.objects.filter(note="written by a person").count() == 3


def test_planned_keys_get_their_outcome_where_nothing_is_selected_any_more() -> None:
    found = orders(5)
    plan = planned("revise_orders")
    found[4].delete()
    Order.objects.update(note="written by a person")
    with pytest.raises(PlanDrift, match="5 keys then, 0 now"):
        runs.start_run("revise_orders", planned=plan, **actor())
    assert outcomes(carry_plan(plan, batch_size=2)) == {"conflict": 4, "gone": 1}


def test_a_limit_counts_planned_keys_that_are_not_selected_any_more() -> None:
    found = orders(10)
    plan = planned("revise_orders", limit=6)
    found[1].delete()
    found[3].delete()
    summary = carry_plan(plan, batch_size=4)
    assert outcomes(summary) == {"applied": 4, "gone": 2}
    assert not Order.objects.get(pk=found[6].pk).note


def test_keys_the_plan_did_not_see_are_carried_over_too() -> None:
    found = orders(3)
    plan = planned("revise_orders")
    found[2].delete()
    late_between(found[0], found[1])
    assert outcomes(carry_plan(plan)) == {"applied": 3, "gone": 1}


def late_between(first: Order, second: Order) -> None:
    """An order that comes to the selection after all others, with a key between theirs."""
    assert first.pk + 1 < second.pk
    Order.objects.create(pk=first.pk + 1, number="late", day_book=second.day_book, total=1)


def test_keys_of_a_plan_that_another_run_took_up_are_no_business_of_this_one() -> None:
    found = orders(6)
    plan = planned("revise_orders")
    assert outcomes(carry_plan(plan, limit=4)) == {"applied": 4}
    found[5].delete()
    second = carry_plan(plan)
    assert outcomes(second) == {"applied": 1, "gone": 1}
    assert runs.start_run("revise_orders", planned=plan, **actor()) is None


def test_a_group_that_is_gone_and_one_that_was_decided_otherwise() -> None:
    LegacyNote.objects.bulk_create(
        LegacyNote(customer=name, text="x", content_hash=name.encode()) for name in "abc"
    )
    plan = planned("gather_notes")
    LegacyNote.objects.filter(customer="c").delete()
    LegacyNote.objects.filter(customer="a").update(content_hash=b"other")
    summary = carry_plan(plan)
    assert outcomes(summary) == {"applied": 1, "conflict": 1, "gone": 1}
    assert Customer.objects.get().email == "b@example.com"


def test_a_key_that_changed_after_the_plan_is_no_longer_carried_over_and_waits() -> None:
    rows = stage(3)
    plan = planned("carry_orders")
    LegacyOrder.objects.filter(pk=rows[1].pk).update(content_hash=b"new")
    assert outcomes(carry_plan(plan)) == {"applied": 2, "conflict": 1}
    assert outcomes(carry()) == {"applied": 1}


def test_a_retried_key_that_left_the_selection_is_a_conflict_and_a_deleted_one_is_gone() -> None:
    found = orders(3)
    Order.objects.update(total=0)
    run = Run.objects.get(pk=carry("name_books")["run"])
    assert summarise(run)["codes"] == {"no_total": 3}
    Order.objects.update(total=7)
    Order.objects.filter(pk=found[0].pk).update(note="written by a person")
    found[1].delete()
    again = runs.retry_run(run, [], **actor())
    assert again is not None
    assert outcomes(summarise(runs.work_run(again))) == {"applied": 1, "conflict": 1, "gone": 1}


def test_a_planned_key_without_outcome_fails_the_verification_of_a_live_source() -> None:
    found = orders(3)
    run = Run.objects.get(pk=carry("revise_orders")["run"])
    lost = str(found[1].pk)
    tamper(
        "migrations_tools_ledgerentry",
        "DELETE FROM migrations_tools_ledgerentry WHERE run_id = %s AND key = %s",
        run.pk,
        lost,
    )
    assert failed(verify_run(run, **actor()))["key_without_outcome"] == [lost]


def test_rows_that_come_to_a_live_source_later_are_not_reported() -> None:
    found = orders(3)
    run = Run.objects.get(pk=carry("revise_orders")["run"])
    late_between(found[0], found[1])
    proof = verify_run(run, **actor())
    assert proof["ok"], failed(proof)


def evidence_source() -> RowSource:
    """Orders by number that the queryset alone selects, with evidence that a plan compares."""
    evidence = Func(Cast("total", TextField()), Value("UTF8"), function="convert_to")
    digest = Func(evidence, function="sha256", output_field=BinaryField())
    selected = Order.objects.filter(note="").annotate(evidence=digest)
    return RowSource(selected, key="number", digest="evidence", remembers=False)


@pytest.mark.parametrize("size", [1, 2, 100])
def test_a_live_source_with_evidence_answers_for_every_planned_key(
    size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ReviseStep, "source", evidence_source())
    found = orders(11)  # A1, A10, A11, A2 … A9 in the order of text
    plan = planned("revise_orders")
    Order.objects.filter(pk=found[0].pk).update(note="assigned by a person")
    Order.objects.filter(pk=found[1].pk).update(total=6)
    found[8].delete()
    found[9].delete()
    summary = carry_plan(plan, batch_size=size)
    assert outcomes(summary) == {"applied": 7, "conflict": 2, "gone": 2}
    named = {problem["key"]: problem["outcome"] for problem in summary["problems"]}
    assert named == {"A1": "conflict", "A2": "conflict", "A9": "gone", "A10": "gone"}
    assert Order.objects.filter(note="").get().number == "A2"
    assert outcomes(carry("revise_orders")) == {"applied": 1}


def test_keys_of_other_runs_may_be_of_another_type() -> None:
    """However the server orders its conditions: no key of another run is cast to a number."""
    for customer in "abcdefgh":
        LegacyNote.objects.create(customer=customer, text="one")
    assert carry("gather_notes")["outcomes"]["applied"] == 8
    with connection.cursor() as cursor:
        cursor.execute("SET enable_indexscan = off")
        cursor.execute("SET enable_bitmapscan = off")
    try:
        stage(3)
        assert carry()["outcomes"]["applied"] == 3
    finally:
        connection.close()
