"""Runs whose definition was removed are shown as before; what needs it is refused."""

from __future__ import annotations

import pytest
from django.core.management import call_command

from migrations_tools.definitions import registry
from migrations_tools.models import Run
from migrations_tools.selectors.summary import counted_steps, summarise
from migrations_tools.services import runs
from migrations_tools.services.rollback import roll_back_run
from tests.migrations_tools.engine.test_running import actor, carry, stage
from tests.migrations_tools.test_datamigrate import datamigrate
from tests.shop.models import Customer, LegacyNote

pytestmark = pytest.mark.django_db(transaction=True)


def remove(monkeypatch: pytest.MonkeyPatch, name: str = "carry_orders") -> None:
    monkeypatch.delitem(registry._definitions, name)


def test_the_summary_is_that_of_the_time_when_the_definition_was_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage(5, line="a line")
    stage(1, day=None)
    before = carry()
    rollback = roll_back_run(Run.objects.get(pk=before["run"]), reason="a test", **actor())
    assert rollback is not None
    back = summarise(runs.work_run(rollback))
    assert before["total"] == 6  # the day books' totals are no source keys
    remove(monkeypatch)
    for summary in (before, back):
        code, answer = datamigrate("status", summary["run"])
        assert (code, answer["total"]) == (0, summary["total"])
        for name in ("outcomes", "codes", "changes", "problems"):
            assert answer[name] == summary[name], name


def test_lists_of_runs_and_definitions_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    stage(3)
    carry()
    remove(monkeypatch)
    code, answer = datamigrate("status")
    assert (code, [run["total"] for run in answer["runs"]]) == (0, [3, 3])
    code, answer = datamigrate("list")
    assert code == 0
    assert "carry_orders" not in {item["migration"] for item in answer["migrations"]}
    assert datamigrate("health")[0] == 0


def test_what_needs_the_definition_is_refused_and_a_waiting_run_can_be_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage(2)
    _, answer = datamigrate("run", "carry_orders", "--background")
    remove(monkeypatch)
    assert datamigrate("resume", answer["run"])[1]["error"]["code"] == "unknown_migration"
    assert datamigrate("cancel", answer["run"])[1]["state"] == "cancelled"


def test_a_run_without_a_definition_does_not_keep_the_worker_from_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage(2)
    carry()
    stuck = datamigrate("run", "revise_orders", "--background")[1]["run"]
    LegacyNote.objects.create(customer="c", text="x")
    other = datamigrate("run", "gather_notes", "--background")[1]["run"]
    remove(monkeypatch, "revise_orders")
    call_command("worker", "--once")
    assert Run.objects.get(pk=other).state == "completed"
    assert Run.objects.get(pk=stuck).state == "queued"
    assert Customer.objects.count() == 1


def test_a_run_from_before_asks_its_definition(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(definition="carry_orders")
    assert counted_steps(run) == {0}
    remove(monkeypatch)
    assert counted_steps(run) is None
