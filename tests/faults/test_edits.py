"""People insert, change and delete rows ahead of and behind a worker that stands in the middle."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

import pytest
from django.db import connection

from migrations_tools.models import Run
from migrations_tools.services import runs
from migrations_tools.services.verification import verify_run
from migrations_tools.testing import assert_sound
from migrations_tools.testing.soundness import assert_planned_keys_answered, assert_records_sound
from tests.faults.forks import Forks
from tests.faults.shop import queued, state_of, undoing, working
from tests.faults.test_locks import somebody_waits_for_a_lock
from tests.migrations_tools.engine.test_running import DAY, actor, stage
from tests.shop.models import LegacyOrder, Order

pytestmark = [pytest.mark.usefixtures("forks"), pytest.mark.fault_long]


def legacy(place: int) -> LegacyOrder:
    """The row at this place of the run; the second batch of three is being carried over."""
    return LegacyOrder.objects.get(number=f"A{place}")


def leave_room_before_the_keys() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT setval(pg_get_serial_sequence('shop_legacyorder', 'id'), 1000)")


def change(row: LegacyOrder) -> None:
    """As a new import of the row does."""
    LegacyOrder.objects.filter(pk=row.pk).update(total="7.00", content_hash=b"new")


def edit_on_both_sides() -> dict[str, str]:
    """Rows changed and deleted behind (A0, A1) and ahead (A8, A9), inserted behind and ahead.

    What becomes of them: key → outcome.
    """
    first = legacy(0)
    change(first)
    gone_behind = legacy(1).pk
    LegacyOrder.objects.filter(pk=gone_behind).delete()
    ahead = legacy(8)
    change(ahead)
    gone_ahead = legacy(9).pk
    LegacyOrder.objects.filter(pk=gone_ahead).delete()
    behind = LegacyOrder.objects.create(pk=first.pk - 1, number="early", day=DAY, total="1")
    (late,) = stage(1, number="late")
    return {
        str(first.pk): "applied",
        str(gone_behind): "applied",
        str(ahead.pk): "conflict",
        str(gone_ahead): "gone",
        str(behind.pk): "applied",
        str(late.pk): "",
    }


@pytest.mark.parametrize("point", ["claimed:2", "locked:2", "written:2", "committed:2"])
@pytest.mark.parametrize("killed", [False, True])
def test_rows_changed_on_both_sides_of_the_key_have_one_outcome_and_wait_for_the_next_run(
    killed: bool, point: str, forks: Forks
) -> None:
    leave_room_before_the_keys()
    run = queued()
    worker = forks.stopped(working(run), point)
    expected = edit_on_both_sides()
    if killed:
        worker.kill()
        runs.work_run(run)
    else:
        worker.go_on()
        assert worker.wait() == 0
    run.refresh_from_db()
    assert run.state == "completed"
    outcomes = dict(run.ledger.filter(step=0).values_list("key", "outcome"))
    assert {key: outcomes.get(key, "") for key in expected} == expected
    assert Counter(outcomes.values()) == {"applied": 11, "conflict": 1, "gone": 1}
    assert_records_sound(run)
    assert_planned_keys_answered(run)
    proof = verify_run(run, **actor())
    failed = {check["code"]: check["sample"] for check in proof["checks"] if not check["ok"]}
    (gone,) = failed.pop("row_missing")  # that somebody deleted what the run wrote is told
    assert (gone["key"], failed) == ("shop.legacyorder 1002", {})
    delta = runs.start_run("carry_orders", **actor())
    assert delta is not None
    runs.work_run(delta)
    taken = dict(delta.ledger.filter(step=0).values_list("key", "outcome"))
    assert Counter(taken.values()) == {"unchanged": 1, "applied": 2}  # A0, A8 and the late one
    assert_sound(delta)
    assert not LegacyOrder.objects.filter(order=None).exists()
    assert Order.objects.count() == 13  # with that of the row deleted behind the key
    totals = LegacyOrder.objects.filter(number__in=["A0", "A8"]).order_by("number")
    assert [str(total) for total in totals.values_list("order__total", flat=True)] == [
        "10.50",  # carried over before its row changed: a migration of its own changes it
        "7.00",
    ]


@pytest.mark.parametrize("killed", [False, True])
def test_a_row_in_hand_is_changed_when_its_batch_is_done_or_given_up(
    killed: bool, forks: Forks
) -> None:
    run = queued()
    worker = forks.stopped(working(run), "written:2")
    row = legacy(4)
    person = forks.start(lambda: change(row))
    somebody_waits_for_a_lock()
    if killed:
        worker.kill()
        assert person.wait() == 0
        runs.work_run(run)
    else:
        worker.go_on()
        assert (worker.wait(), person.wait()) == (0, 0)
    entry = run.ledger.get(step=0, key=str(row.pk))
    assert (entry.outcome, entry.code) == (
        ("conflict", "changed_since_plan") if killed else ("applied", "")
    )
    run.refresh_from_db()
    assert state_of(run) == "completed"
    assert_sound(run)
    assert Order.objects.filter(number="A4").count() == (0 if killed else 1)


@pytest.mark.parametrize("killed", [False, True])
def test_orders_edited_while_a_rollback_stands_still_are_conflicts_and_stay(
    killed: bool, forks: Forks
) -> None:
    carried = runs.work_run(queued())
    rollback = undoing(carried)
    worker = forks.stopped(working(rollback), "committed:2")
    left = list(Order.objects.order_by("number").values_list("number", flat=True))
    assert 0 < len(left) < 12
    Order.objects.filter(number=left[0]).update(total=99)
    if killed:
        worker.kill()
        runs.work_run(rollback)
    else:
        worker.go_on()
        assert worker.wait() == 0
    rollback.refresh_from_db()
    outcomes = Counter(rollback.ledger.filter(step=0).values_list("outcome", flat=True))
    assert outcomes == {"restored": 11, "conflict": 1}
    assert list(Order.objects.values_list("number", "total")) == [(left[0], Decimal(99))]
    assert_sound(rollback)
    assert Run.objects.get(pk=carried.pk).state == "partially_rolled_back"
    (row,) = LegacyOrder.objects.exclude(order=None)
    assert row.order is not None
    assert (row.number, row.order.day_book.orders) == (left[0], 1)
