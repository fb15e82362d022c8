"""Rollbacks at once, of a run at work, and of what is no longer as the run left it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from django.db import connection

from migrations_tools.exceptions import ActiveRun, JournalDamaged, SchemaDrift
from migrations_tools.models import RowChange, Run
from migrations_tools.services import runs
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.testing import assert_sound
from tests.faults.forks import Forks
from tests.faults.shop import (
    ORDERS,
    assert_as_before,
    assert_finished,
    go_on,
    queued,
    state_of,
    working,
)
from tests.faults.soundness import assert_carried_once
from tests.migrations_tools.engine.test_rollback import _behind_the_triggers
from tests.migrations_tools.engine.test_running import actor
from tests.shop.models import DayBook, LegacyOrder, Order

pytestmark = pytest.mark.usefixtures("forks")


def roll_back(run: Run) -> None:
    """As a person does it: queue the rollback and work on it."""
    rollback = roll_back_run(run, reason="a test", **actor())
    if rollback is not None:
        runs.work_run(rollback)


def test_of_two_rollbacks_at_once_one_is_done_and_the_other_refused(forks: Forks) -> None:
    run = runs.work_run(queued())

    def try_to_roll_back() -> None:
        with suppress(ActiveRun):
            roll_back(run)

    persons = [forks.start(try_to_roll_back) for _ in range(2)]
    assert [person.wait() for person in persons] == [0, 0]
    (rollback,) = Run.objects.filter(kind="rollback")
    assert_finished(rollback)
    assert roll_back_run(run, reason="again", **actor()) is None
    assert Run.objects.filter(kind="rollback").count() == 1
    assert_as_before()


@pytest.mark.parametrize("point", ["locked:2", "before_commit:3", "committed:4"])
def test_a_run_at_work_is_stopped_and_taken_back(point: str, forks: Forks) -> None:
    run = queued()
    worker = forks.stopped(working(run), point)
    person = forks.start(lambda: roll_back(run))
    worker.go_on()
    assert (worker.wait(), person.wait()) == (0, 0)
    (rollback,) = Run.objects.filter(kind="rollback")
    assert_finished(rollback)
    assert state_of(run) == "rolled_back"


def test_a_run_that_ends_while_it_is_to_be_stopped_is_taken_back_all_the_same() -> None:
    run = queued()
    runs.work_run(Run.objects.get(pk=run.pk))
    assert run.state == "queued"  # as it was when the person looked
    roll_back(run)
    assert state_of(run) == "rolled_back"
    assert_as_before()


def test_a_run_that_made_a_day_book_for_nothing_is_taken_back(forks: Forks) -> None:
    run = queued(4)
    forks.killed(working(run), "ensured:2")  # the book of the fourth order is there
    last = LegacyOrder.objects.order_by("pk").last()
    assert last is not None
    LegacyOrder.objects.filter(pk=last.pk).update(total="7.00", content_hash=b"new")
    go_on(run)
    assert run.ledger.get(key=str(last.pk), step=0).outcome == "conflict"
    assert DayBook.objects.count() == 1  # the close of the run took the other one away
    roll_back(run)
    assert state_of(run) == "rolled_back"
    assert_as_before()


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM migrations_tools_rowchange WHERE id = %s",
        "UPDATE migrations_tools_rowchange SET image = set_byte(image, 0, "
        "get_byte(image, 0) # 1) WHERE id = %s",
    ],
    ids=["deleted", "one bit changed"],
)
def test_a_damaged_journal_is_refused_before_the_first_write(damage: str) -> None:
    run = runs.work_run(queued())
    entry = RowChange.objects.filter(run=run, model="shop.order").earliest("pk")
    _behind_the_triggers(damage, [entry.pk])
    with pytest.raises(JournalDamaged, match="nothing was rolled back"):
        roll_back(run)
    assert_carried_once(ORDERS)
    assert state_of(run) == "completed"
    assert not Run.objects.filter(kind="rollback").exists()


@contextmanager
def altered(there: str, back: str) -> Iterator[None]:
    """A table of the shop altered, and altered back."""
    with connection.cursor() as cursor:
        cursor.execute(there)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute(back)


@pytest.mark.parametrize(
    ("there", "back", "told"),
    [
        (
            "ALTER TABLE shop_order DROP COLUMN note",
            "ALTER TABLE shop_order ADD COLUMN note text NOT NULL DEFAULT ''",
            r"shop\.order\.note was text not null, now gone",
        ),
        (
            "ALTER TABLE shop_order ALTER COLUMN number TYPE varchar(10)",
            "ALTER TABLE shop_order ALTER COLUMN number TYPE varchar(20)",
            r"shop\.order\.number was character varying\(20\)",
        ),
    ],
    ids=["dropped", "narrowed"],
)
def test_a_column_changed_since_is_found_before_the_first_write(
    there: str, back: str, told: str
) -> None:
    run = runs.work_run(queued())
    with altered(there, back), pytest.raises(SchemaDrift, match=told):
        roll_back(run)
    assert_carried_once(ORDERS)
    assert state_of(run) == "completed"


def test_a_rollback_whose_worker_died_goes_on_after_others_tried(forks: Forks) -> None:
    run = runs.work_run(queued())
    forks.killed(lambda: roll_back(run), "before_commit:2")
    with pytest.raises(ActiveRun):
        roll_back(run)
    (rollback,) = Run.objects.filter(kind="rollback")
    go_on(rollback)
    assert_finished(rollback)
    assert Order.history.filter(history_type="-").count() == ORDERS
    assert_sound(rollback)
