"""Rows that were not written as decided, and rows that others keep locked."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from migrations_tools.definitions import Apply, Outcome, Reject, Update
from migrations_tools.definitions.changes import Change
from migrations_tools.engine import limits, worker
from migrations_tools.models import LedgerEntry, RowChange
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from tests.migrations_tools.engine.test_running import DAY, actor, carry
from tests.shop.data_migrations import ReviseStep
from tests.shop.models import DayBook, Order

pytestmark = pytest.mark.django_db(transaction=True)


def make_orders(number: int) -> list[Order]:
    book = DayBook.objects.create(day=DAY)
    return Order.objects.bulk_create(
        Order(number=f"A{n}", day_book=book, total=n) for n in range(number)
    )


def test_a_row_that_is_not_as_it_was_to_be_is_taken_back_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def transform(self: ReviseStep, row: Order, context: None) -> Outcome:
        return Apply([Update(row, note="revised")], ["noted"], 0.5, "sure")

    def confirm(self: ReviseStep, changes: Sequence[Change]) -> None:
        pks = [change.pk for change in changes if isinstance(change, Update)]
        if Order.objects.filter(pk__in=pks, number="A3", note="revised").exists():
            raise Reject("not_stored", "A3 was not stored.")

    monkeypatch.setattr(ReviseStep, "transform", transform)
    monkeypatch.setattr(ReviseStep, "confirm", confirm)
    make_orders(7)
    summary = carry("revise_orders")
    assert summary["outcomes"]["applied"] == 6
    (problem,) = summary["problems"]
    assert (problem["outcome"], problem["code"]) == ("quarantined", "not_stored")
    assert problem["detail"] == "A3 was not stored."
    assert list(Order.objects.filter(note="").values_list("number", flat=True)) == ["A3"]
    assert RowChange.objects.filter(run=summary["run"]).count() == 6
    # what had been decided of it is counted all the same
    assert summary["categories"] == {"sure": 7}
    assert summary["warnings"] == {"noted": 7}
    entry = LedgerEntry.objects.get(run=summary["run"], outcome="quarantined")
    assert (entry.category, entry.confidence) == ("sure", 0.5)


def test_a_rejected_key_may_tell_what_was_decided(monkeypatch: pytest.MonkeyPatch) -> None:
    def transform(self: ReviseStep, row: Order, context: None) -> Outcome:
        raise Reject("no", "No.", category="unsure", confidence=0.2, warnings=["noted"])

    monkeypatch.setattr(ReviseStep, "transform", transform)
    make_orders(2)
    summary = carry("revise_orders")
    assert summary["categories"] == {"unsure": 2}
    assert summary["warnings"] == {"noted": 2}
    assert summary["codes"] == {"no": 2}


@contextmanager
def locked_elsewhere(order: Order) -> Iterator[None]:
    """Another connection holds the row for as long as the block lasts."""
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Order.objects.select_for_update().get(pk=order.pk)
            held.set()
            done.wait(60)
        connection.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        assert held.wait(30)
        yield
    finally:
        done.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["run", "dry run"])
def test_rows_that_stay_locked_are_quarantined_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(ReviseStep, "held_code", "order_in_use")
    monkeypatch.setattr(limits, "LOCK_TIMEOUT_MS", 100)
    monkeypatch.setattr(worker, "BACKOFF_SECONDS", 0.05)
    orders = make_orders(5)
    if kind == "run":
        run = runs.start_run("revise_orders", **actor())
        assert run is not None
        with locked_elsewhere(orders[2]):
            run = runs.work_run(run)
    else:
        with locked_elsewhere(orders[2]):
            run = runs.dry_run("revise_orders", **actor())
        assert run is not None
    summary = summarise(run)
    assert summary["outcomes"]["applied"] == 4
    (problem,) = summary["problems"]
    assert (problem["key"], problem["code"]) == (str(orders[2].pk), "order_in_use")
    if kind == "run":
        assert set(Order.objects.filter(note="").values_list("number", flat=True)) == {"A2"}
        again = runs.retry_run(run, [], **actor())
        assert again is not None
        assert summarise(runs.work_run(again))["outcomes"]["applied"] == 5
