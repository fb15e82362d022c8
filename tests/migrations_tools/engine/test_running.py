"""Runs from plan to rollback on the test shop."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from migrations_tools.definitions import build
from migrations_tools.engine.cutting import AGAIN
from migrations_tools.engine.side import side_connection
from migrations_tools.engine.write import assign_keys, copy_rows
from migrations_tools.exceptions import ActiveRun, PlanDrift, TransitionRefused
from migrations_tools.models import Batch, LedgerEntry, RowChange, Run, Transition
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from tests.shop.models import Customer, DayBook, LegacyNote, LegacyOrder, Order

pytestmark = pytest.mark.django_db(transaction=True)

DAY = datetime.date(2025, 5, 1)


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), "surface": "command"}


def stage(count: int, **values: Any) -> list[LegacyOrder]:
    """Legacy orders, three to a day."""
    start = LegacyOrder.objects.count()
    return LegacyOrder.objects.bulk_create(
        LegacyOrder(
            **{
                "number": f"A{start + n}",
                "day": DAY + datetime.timedelta(days=n // 3),
                "total": "10.50",
                **values,
            }
        )
        for n in range(count)
    )


def carry(name: str = "carry_orders", **arguments: Any) -> dict[str, Any]:
    run = runs.start_run(name, **actor(), **arguments)
    assert run is not None
    return summarise(runs.work_run(run))


def test_every_row_is_carried_over_with_history_journal_and_ledger() -> None:
    stage(9, line="one line")
    summary = carry()
    assert summary["state"] == "completed"
    assert summary["outcomes"]["applied"] == summary["total"] == 9
    assert summary["changes"] == {
        "shop.daybook": {"insert": 3, "update": 3, "delete": 0},
        "shop.legacyorder": {"insert": 0, "update": 9, "delete": 0},
        "shop.order": {"insert": 9, "update": 0, "delete": 0},
        "shop.orderline": {"insert": 9, "update": 0, "delete": 0},
    }
    assert Order.objects.count() == Order.history.count() == 9
    assert list(DayBook.objects.values_list("orders", flat=True)) == [3, 3, 3]
    assert set(Order.history.values_list("history_change_reason", flat=True)) == {
        f"run {summary['run']}"
    }
    assert all(LegacyOrder.objects.values_list("order_id", flat=True))
    assert LedgerEntry.objects.filter(outcome="applied", step=0, run=summary["run"]).count() == 9
    inserts = RowChange.objects.filter(run=summary["run"], operation="insert", model="shop.order")
    assert inserts.count() == 9
    assert list(
        Transition.objects.filter(run=summary["run"]).values_list("from_state", "to_state")
    ) == [("planned", "queued"), ("queued", "running"), ("running", "completed")]


def test_a_second_run_finds_nothing_to_do_and_a_later_row_is_a_delta() -> None:
    stage(4)
    carry()
    before = Run.objects.count()
    assert runs.start_run("carry_orders", **actor()) is None
    assert Run.objects.count() == before
    stage(1)
    assert carry()["total"] == 1


def test_groups_are_never_split() -> None:
    LegacyNote.objects.bulk_create(
        LegacyNote(customer=f"c{n % 7}", text=f"note {n}") for n in range(30)
    )
    summary = carry("gather_notes", tuning={"batch_size": 2})
    assert summary["outcomes"]["applied"] == 7
    assert summary["warnings"] == {"repeated": 7}
    assert Customer.objects.count() == 7
    assert runs.start_run("gather_notes", **actor()) is None
    LegacyNote.objects.create(customer="c1", text="late")
    assert carry("gather_notes")["outcomes"]["unchanged"] == 1


def test_outcomes_of_every_kind_are_counted_and_named() -> None:
    stage(3)
    stage(1, kind="draft")
    stage(1, kind="unsure")
    stage(1, kind="taken")
    stage(1, kind="broken")
    stage(1, day=None)
    stage(1, total="many")
    stage(1, number="A0")
    stage(1, total="-5")
    summary = carry()
    assert summary["outcomes"] == {
        "applied": 4,
        "unchanged": 0,
        "skipped": 1,
        "review": 1,
        "conflict": 1,
        "gone": 0,
        "quarantined": 4,
        "restored": 0,
    }
    assert summary["codes"] == {
        "check_violation": 1,
        "draft_order": 1,
        "duplicate_value": 1,
        "no_day": 1,
        "taken": 1,
        "transform_error": 1,
    }
    assert summary["warnings"] == {"bad_total": 1}
    problems = {(problem["outcome"], problem["code"]) for problem in summary["problems"]}
    assert ("applied", "bad_total") in problems
    assert ("quarantined", "duplicate_value") in problems
    assert Order.objects.count() == 4


def test_a_dry_run_predicts_the_counts_and_writes_nothing() -> None:
    stage(20)
    stage(1, number="A3")
    stage(1, kind="draft")
    predicted = runs.dry_run("carry_orders", **actor())
    assert predicted is not None
    foretold = summarise(predicted)
    assert foretold["kind"] == "dry_run"
    assert Order.objects.count() == DayBook.objects.count() == RowChange.objects.count() == 0
    real = carry()
    for name in ("total", "outcomes", "codes", "warnings", "changes"):
        assert foretold[name] == real[name], name


def test_a_plan_shows_samples_and_is_refused_when_the_data_changed() -> None:
    stage(5)
    planned = runs.plan_run("carry_orders", **actor())
    assert planned is not None
    assert planned.report["outcomes"]["applied"] == 5
    sample = planned.report["samples"][0]
    assert {change["model"] for change in sample["changes"]} >= {"shop.order", "shop.legacyorder"}
    stage(1)
    with pytest.raises(PlanDrift, match="data of OrderStep changed: 5 keys then, 6 now"):
        runs.start_run("carry_orders", planned=planned, **actor())
    run = runs.start_run("carry_orders", planned=planned, accept_drift="it is fine", **actor())
    assert run is not None
    assert Transition.objects.filter(run=run, action="accept_drift", reason="it is fine").exists()
    assert runs.work_run(run).state == "completed"


def test_a_quarantined_key_is_driven_again() -> None:
    stage(3)
    (bad,) = stage(1, total="-1")
    summary = carry()
    assert summary["outcomes"]["quarantined"] == 1
    LegacyOrder.objects.filter(pk=bad.pk).update(total="7")
    run = Run.objects.get(pk=summary["run"])
    again = runs.retry_run(run, [], **actor())
    assert again is not None
    after = summarise(runs.work_run(again))
    assert after["state"] == "completed"
    assert after["outcomes"]["quarantined"] == 0
    assert after["outcomes"]["applied"] == after["total"] == 4
    assert after["problems"] == []
    assert DayBook.objects.get().orders == 4


def test_after_a_retry_totals_are_computed_again_in_batches_of_the_usual_size() -> None:
    stage(30)
    stage(1, total="-1")
    run = Run.objects.get(pk=carry(tuning={"batch_size": 4})["run"])
    LegacyOrder.objects.update(total="7")
    again = runs.retry_run(run, [], **actor())
    assert again is not None
    assert runs.work_run(again).state == "completed"
    totals = Batch.objects.filter(run=run, step=1, sweep=AGAIN).order_by("number")
    assert list(totals.values_list("size", flat=True)) == [4, 4, 2]
    books = DayBook.objects.order_by("day").values_list("orders", flat=True)
    assert list(books) == [4, *[3] * 9]


def test_codes_and_warnings_count_the_newest_attempt_only() -> None:
    stage(1)
    stage(2, total="-1")
    run = Run.objects.get(pk=carry()["run"])
    for _ in range(2):
        again = runs.retry_run(run, [], **actor())
        assert again is not None
        summary = summarise(runs.work_run(again))
        assert summary["outcomes"]["quarantined"] == 2
        assert summary["codes"] == {"check_violation": 2}
    LegacyOrder.objects.update(total="many")
    again = runs.retry_run(run, [], **actor())
    assert again is not None
    summary = summarise(runs.work_run(again))
    assert (summary["codes"], summary["warnings"]) == ({}, {"bad_total": 2})


def test_a_second_run_while_one_is_active_is_refused_with_its_id() -> None:
    stage(3)
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    with pytest.raises(ActiveRun, match=str(run.pk)):
        runs.start_run("carry_orders", **actor())
    with pytest.raises(ActiveRun, match="writes shop_order"):
        runs.plan_run("revise_orders", **actor())


def test_shared_objects_that_nothing_uses_are_removed_at_the_close() -> None:
    stage(1, total="-1")
    summary = carry()
    assert summary["outcomes"]["quarantined"] == 1
    assert DayBook.objects.count() == 0
    assert summary["changes"]["shop.daybook"] == {"insert": 1, "update": 0, "delete": 1}


@pytest.mark.parametrize("kind", ["nonsense", "no_change", "nul", "long_code", "not_json"])
def test_an_answer_that_cannot_be_stored_costs_its_own_row_only(kind: str) -> None:
    stage(2)
    (bad,) = stage(1, kind=kind)
    summary = carry()
    expected = "skipped" if kind == "nul" else "quarantined"
    assert summary["outcomes"]["applied"] == 2
    (problem,) = summary["problems"]
    assert (problem["key"], problem["outcome"]) == (str(bad.pk), expected)


def test_a_plan_that_was_killed_is_no_run_to_resume() -> None:
    stage(3)
    plan = runs.plan_run("carry_orders", **actor())
    assert plan is not None
    Run.objects.filter(pk=plan.pk).update(state="running")
    plan.refresh_from_db()
    with pytest.raises(TransitionRefused, match="make it anew"):
        runs.resume_run(plan, **actor())
    with pytest.raises(TransitionRefused, match="make it anew"):
        runs.work_run(plan)
    assert runs.cancel_run(plan, **actor()).state == "cancelled"
    assert not Order.objects.exists()


def test_columns_left_to_the_database_are_so_row_by_row() -> None:
    then = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    rows: list[Model] = [
        build(LegacyOrder, number="a"),
        build(LegacyOrder, number="b", staged_at=then),
    ]
    with connection.cursor() as cursor:
        assign_keys(cursor, LegacyOrder, rows)
        copy_rows(cursor, LegacyOrder, rows, lambda value: value, then)
    assert LegacyOrder.objects.get(number="b").staged_at == then
    assert LegacyOrder.objects.get(number="a").staged_at > then


def test_a_lost_side_connection_is_opened_again() -> None:
    stage(30)
    with side_connection() as side, side.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    assert carry(tuning={"batch_size": 5})["outcomes"]["applied"] == 30


def test_too_many_quarantined_keys_pause_a_run_only_while_keys_are_left_to_claim() -> None:
    stage(12, total="-1")
    stage(12)
    at_its_end = carry(tuning={"batch_size": 12})
    assert (at_its_end["state"], at_its_end["outcomes"]["quarantined"]) == ("completed", 12)
    in_the_middle = carry(tuning={"batch_size": 11})
    assert (in_the_middle["state"], in_the_middle["outcomes"]["quarantined"]) == ("completed", 12)
    stage(12, total="-1")
    paused = carry(tuning={"batch_size": 11})
    assert (paused["state"], paused["outcomes"]["quarantined"]) == ("paused", 22)
