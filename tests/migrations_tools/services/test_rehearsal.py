"""Plans and dry runs end when somebody cancels them, and leave nothing at work behind."""

from __future__ import annotations

import pytest
from django.db import connection

from migrations_tools.exceptions import DefinitionFault, RehearsalCancelled
from migrations_tools.models import Batch, Run
from migrations_tools.services import runs
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.data_migrations import OrderStep, ReviseStep
from tests.shop.models import DayBook, Order

pytestmark = pytest.mark.django_db(transaction=True)


def orders(count: int) -> None:
    book = DayBook.objects.create(day="2025-05-01")
    Order.objects.bulk_create(
        Order(number=f"A{place}", day_book=book, total=1) for place in range(count)
    )


def cancel_the_only_run(keys: int) -> None:
    runs.cancel_run(Run.objects.get(), reason="thought better of it", **actor())


@pytest.mark.parametrize("rehearse", [runs.plan_run, runs.dry_run])
def test_a_cancelled_rehearsal_stops_within_one_batch(rehearse: object) -> None:
    orders(5)
    with pytest.raises(RehearsalCancelled):
        rehearse(  # type: ignore[operator]
            "revise_orders", tuning={"batch_size": 1}, progress=cancel_the_only_run, **actor()
        )
    run = Run.objects.get()
    assert (run.state, run.state_reason) == ("cancelled", "thought better of it")
    assert list(Batch.objects.values_list("state", flat=True)) == ["done"]


def test_a_cancelled_plan_starts_no_run() -> None:
    orders(1)
    with pytest.raises(RehearsalCancelled):
        runs.start_run("revise_orders", progress=cancel_the_only_run, **actor())
    assert list(Run.objects.values_list("kind", "state")) == [("plan", "cancelled")]


def test_a_rehearsal_that_breaks_off_says_why_and_leaves_no_batch_at_work(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    orders(2)
    monkeypatch.setattr(ReviseStep, "writes", [])
    with pytest.raises(DefinitionFault):
        runs.plan_run("revise_orders", **actor())
    run = Run.objects.get()
    assert run.state == "cancelled"
    assert "writes Order" in run.state_reason
    (batch,) = Batch.objects.all()
    assert (batch.state, batch.error) == ("open", run.state_reason)


def test_a_rehearsal_whose_session_lives_is_left_alone_and_no_lock_is_left_behind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage(1)
    transform, states = OrderStep.transform, []

    def transform_beside_a_sweep(step: OrderStep, row: object, context: object) -> object:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                "AND pid = pg_backend_pid()"
            )
            states.append(cursor.fetchone()[0])
        return transform(step, row, context)

    monkeypatch.setattr(OrderStep, "transform", transform_beside_a_sweep)
    assert runs.plan_run("carry_orders", **actor()) is not None
    assert states == [1]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
            "WHERE locktype = 'advisory' AND datname = current_database()"
        )
        assert cursor.fetchone() == (0,)
