"""What the product offers to the tests of data migrations, used on sound and on broken ones."""

from __future__ import annotations

import datetime
import random
import time
import uuid
from collections import Counter
from typing import Any

import pytest
from django.utils import timezone

from migrations_tools.definitions import Apply, Insert, Skip, build
from migrations_tools.models import Run
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from migrations_tools.testing import (
    assert_crash_safe,
    assert_pure,
    assert_reversible,
    assert_sound,
    differences,
)
from tests.shop import data_migrations
from tests.shop.models import LegacyNote, LegacyOrder, Order

pytestmark = pytest.mark.django_db(transaction=True)


def stage(count: int = 7) -> None:
    day = datetime.date(2025, 5, 1)
    LegacyOrder.objects.bulk_create(
        LegacyOrder(number=f"T{n}", day=day + datetime.timedelta(days=n // 3), line="x", total="1")
        for n in range(count)
    )


def change_an_order() -> None:
    LegacyOrder.objects.filter(number="T6").update(total="99")


@pytest.mark.slow
def test_a_sound_definition_is_crash_safe():
    stage()
    assert_crash_safe("carry_orders", edit=change_an_order)
    assert Run.objects.filter(kind="rollback", state="completed").count() == 16


@pytest.mark.slow
def test_groups_are_crash_safe():
    for customer in "abcde":
        LegacyNote.objects.create(customer=customer, text="one")
        LegacyNote.objects.create(customer=customer, text="two")
    assert_crash_safe("gather_notes")


def test_a_sound_definition_is_pure_and_reversible():
    stage()
    assert_pure("carry_orders")
    assert_reversible("carry_orders")
    assert not Order.objects.exists()


@pytest.mark.parametrize("check", [assert_crash_safe, assert_pure, assert_reversible])
def test_nothing_staged_proves_nothing(check: Any):
    with pytest.raises(AssertionError, match="stage some rows first"):
        check("carry_orders")


def test_too_few_rows_for_two_batches_are_told():
    LegacyNote.objects.create(customer="a", text="one")
    with pytest.raises(AssertionError, match="stage more rows"):
        assert_crash_safe("gather_notes")


def test_a_transform_that_remembers_is_not_pure(monkeypatch: pytest.MonkeyPatch):
    stage(3)
    asked: list[Any] = []

    def transform(self: Any, row: Any, context: Any) -> Apply:
        asked.append(row)
        number = f"{len(asked)}"
        return Apply([Insert(build(Order, number=number, created_at=row.staged_at))])

    monkeypatch.setattr(data_migrations.OrderStep, "transform", transform)
    with pytest.raises(AssertionError, match="answers differently for key"):
        assert_pure("carry_orders")


def test_a_transform_that_asks_the_database_is_not_pure(monkeypatch: pytest.MonkeyPatch):
    stage(1)
    monkeypatch.setattr(
        data_migrations.OrderStep,
        "transform",
        lambda self, row, context: Apply([Insert(Order.objects.get(pk=1))]),
    )
    with pytest.raises(AssertionError, match="asks the database"):
        assert_pure("carry_orders")


@pytest.mark.parametrize(
    "ask",
    [
        datetime.date.today,
        timezone.now,
        lambda: datetime.datetime.now(datetime.UTC).year,
        time.time,
        lambda: random.random() < 2,
        lambda: bool(uuid.uuid4()),
    ],
)
def test_a_clock_or_chance_is_found_even_where_the_answer_is_equal(
    monkeypatch: pytest.MonkeyPatch, ask: Any
):
    stage(1)

    def transform(self: Any, row: Any, context: Any) -> Skip:
        ask()
        return Skip("looked")

    monkeypatch.setattr(data_migrations.OrderStep, "transform", transform)
    with pytest.raises(AssertionError, match="asks a clock or chance"):
        assert_pure("carry_orders")


def test_what_only_looks_like_a_clock_is_no_fault(monkeypatch: pytest.MonkeyPatch):
    stage(1)

    def transform(self: Any, row: Any, context: Any) -> Skip:
        noon = datetime.datetime(2025, 5, 1, 12, tzinfo=datetime.UTC)
        assert noon.time().hour == 12
        return Skip("looked", str(random.Random(row.number).random()))

    monkeypatch.setattr(data_migrations.OrderStep, "transform", transform)
    assert_pure("carry_orders")


def test_a_load_that_asks_for_every_row_is_found(monkeypatch: pytest.MonkeyPatch):
    stage(5)

    def load(self: Any, rows: Any) -> list[bool]:
        return [Order.objects.filter(number=row.number).exists() for row in rows]

    monkeypatch.setattr(data_migrations.OrderStep, "load", load)
    with pytest.raises(AssertionError, match="one statement 5 times for 5 rows"):
        assert_pure("carry_orders")


def test_what_a_rollback_cannot_restore_is_found(monkeypatch: pytest.MonkeyPatch):
    """A write beside the changes: the engine knows nothing of it."""
    stage(3)
    carried = data_migrations.OrderStep.transform

    def transform(self: Any, row: Any, context: Any) -> Any:
        LegacyOrder.objects.filter(pk=row.pk).update(line="touched")
        return carried(self, row, context)

    monkeypatch.setattr(data_migrations.OrderStep, "transform", transform)
    with pytest.raises(AssertionError, match=r"did not restore|verification fails"):
        assert_reversible("carry_orders")


def test_a_result_that_hangs_on_the_size_of_batches_is_not_crash_safe(
    monkeypatch: pytest.MonkeyPatch,
):
    stage()
    carried = data_migrations.OrderStep.transform

    def transform(self: Any, row: Any, context: Any) -> Any:
        return carried(self, row._replace(line=f"one of {context}"), context)

    monkeypatch.setattr(data_migrations.OrderStep, "load", lambda self, rows: len(rows))
    monkeypatch.setattr(data_migrations.OrderStep, "transform", transform)
    with pytest.raises(AssertionError, match="with one batch: shop"):
        assert_crash_safe("carry_orders")


def test_a_run_whose_data_was_spoiled_is_not_sound():
    stage()
    run = runs.start_run("carry_orders", acting_user=system_user(), surface="command")
    assert run is not None
    runs.work_run(run)
    assert_sound(run)
    LegacyOrder.objects.filter(number="T1").update(order=None)
    with pytest.raises(AssertionError, match="the verification fails"):
        assert_sound(run)


def test_differences_are_told_in_words():
    before, after = {"shop.order": Counter(["(a)", "(a)"])}, {"shop.order": Counter(["(a)", "(b)"])}
    assert differences(before, after) == [
        "shop.order: (a) is missing",
        "shop.order: (b) is too many",
    ]
