"""What concerns every row stops the run for a person, wherever the worker meets it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from migrations_tools import checks
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run
from migrations_tools.services import runs
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.data_migrations import CarryOrders, OrderStep
from tests.shop.models import LegacyNote, Order

pytestmark = pytest.mark.django_db(transaction=True)


def queued(**tuning: Any) -> Run:
    stage(4)
    run = runs.start_run("carry_orders", tuning=tuning, **actor())
    assert run is not None
    return run


@contextmanager
def column_renamed(table: str, column: str) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME COLUMN {column} TO elsewhere")
        yield
        cursor.execute(f"ALTER TABLE {table} RENAME COLUMN elsewhere TO {column}")


def test_keys_that_cannot_be_read_stop_the_run_and_it_goes_on_when_they_can() -> None:
    run = queued()
    runs.begin(run)
    with column_renamed("shop_legacyorder", "content_hash"):
        stopped = runs.work_run(run)
        assert stopped.state == "needs_attention"
        assert "content_hash" in stopped.state_reason
    runs.resume_run(run, **actor())
    assert runs.work_run(run).state == "completed"
    assert Order.objects.count() == 4


def test_a_run_that_changed_while_it_was_queued_waits_for_a_person() -> None:
    run = queued()
    with column_renamed("shop_order", "note"):
        assert runs.work_run(run).state == "needs_attention"
    run.refresh_from_db()
    assert "shop.order.note: " in run.state_reason
    assert not Order.objects.exists()
    assert runs.work_run(runs.resume_run(run, **actor())).state == "completed"
    run.refresh_from_db()
    assert run.started_at is not None


def test_resume_looks_at_the_state_of_now() -> None:
    run = queued()
    runs.pause_run(Run.objects.get(pk=run.pk), **actor())
    assert run.state == "queued"  # what this object remembers
    assert runs.resume_run(run, **actor()).state == "running"


def test_a_mistake_in_one_definition_does_not_end_the_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = queued()
    LegacyNote.objects.create(customer="a", text="one")
    sound = runs.start_run("gather_notes", **actor())
    assert sound is not None

    def init(self: OrderStep, options: Any) -> None:
        raise TypeError("a mistake")

    monkeypatch.setattr(OrderStep, "__init__", init)
    call_command("worker", "--once")
    sound.refresh_from_db()
    broken.refresh_from_db()
    assert (sound.state, broken.state) == ("completed", "queued")


@pytest.mark.parametrize(
    "tuning",
    [{}, {"target_seconds": float("inf")}, {"target_seconds": float("nan")}, {"batch_size": 0}],
)
def test_what_cannot_be_tuned_is_refused(tuning: dict[str, Any]) -> None:
    run = queued()
    with pytest.raises(CarryoverError, match="each above 0") as refused:
        runs.tune_run(run, tuning, **actor())
    assert refused.value.code == "bad_tuning"
    run.refresh_from_db()
    assert run.tuning == {}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CARRYOVER_POLICIES", {"*": ["aproval"]}, "“aproval” is no policy"),
        ("CARRYOVER_POLICIES", {"*": "approval"}, "is a list"),
        ("CARRYOVER_POLICIES", {"cary_orders": ["approval"]}, "is no data migration"),
        ("CARRYOVER_LIMITS", {"lock_waiter": 5}, "“lock_waiter” is no signal"),
        ("CARRYOVER_LIMITS", {"lock_waiters": "5"}, "is a number"),
        ("CARRYOVER_RUN_WINDOWS", ["22-5h"], "times of day"),
    ],
)
def test_a_misspelt_setting_is_an_error(settings: Any, name: str, value: Any, told: str) -> None:
    assert checks.check_settings() == []
    setattr(settings, name, value)
    (error,) = checks.check_settings()
    assert error.id == "migrations_tools.E026"
    assert told in error.msg
    assert error.msg.startswith(name)


def test_a_well_spelt_setting_is_none(settings: Any) -> None:
    settings.CARRYOVER_POLICIES = {CarryOrders.name: ["approval", "rehearsal"], "*": ["dry_run"]}
    settings.CARRYOVER_LIMITS = {"lock_waiters": 5, "connections_share": 0.5}
    settings.CARRYOVER_RUN_WINDOWS = ["22:00-05:00"]
    assert checks.check_settings() == []
