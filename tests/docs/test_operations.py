"""docs/operations.md: each task is done as it says, on data prepared to need it."""

from __future__ import annotations

import inspect
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import transaction
from django.db.models.functions import Now

from guarantees.data_migrations.split_imported_records import GuaranteeStep
from guarantees.models import Guarantee, ImportedRecord
from migrations_tools.definitions import Reject
from migrations_tools.engine import budget, obstacles
from migrations_tools.engine.claim import Owner, claim_batch
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.deaths import WORKER_DIED
from migrations_tools.engine.errors import _ROW_CODES
from migrations_tools.engine.limits import LEASE_SECONDS, LOCK_TIMEOUT_MS
from migrations_tools.engine.signals import LIMITS
from migrations_tools.engine.transitions import change_state
from migrations_tools.models import Batch, Run
from migrations_tools.services import notices, retention, runs
from migrations_tools.services.actors import system_user
from migrations_tools.services.policies import POLICIES
from migrations_tools.states import (
    DECIDED_OUTCOMES,
    STATE_SENTENCES,
    NoticeKind,
    Outcome,
    RunState,
    Surface,
)
from migrations_tools.verification.results import MOST_NAMED
from tests.docs.console import document, headings, run_all, section, table

TEXT = document("docs/operations.md")
NAME = "split_imported_records"


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), "surface": Surface.COMMAND}


# ------------------------------------------------------------------------------------ preparations


def legacy_file(name: str = "legacy.sqlite", rows: int = 40, seed: int = 1) -> Path:
    call_command("generate_legacy", "guarantees", rows=rows, seed=seed, defects=0, out=Path(name))
    return Path(name)


def imported(rows: int = 40) -> None:
    call_command("import_legacy", "guarantees", str(legacy_file(rows=rows)))


def carried_over() -> Run:
    imported()
    return runs.work_run(begun())


def begun(**tuning: Any) -> Run:
    run = runs.start_run(NAME, tuning=tuning, **actor())
    assert run is not None
    return run


def two_files() -> None:
    legacy_file()
    legacy_file("later.sqlite", rows=60)


def half_way() -> Run:
    imported()
    run = begun(batch_size=10)
    return runs.work_run(run, stopping=lambda: Guarantee.objects.exists())


def dead_worker() -> None:
    """A worker of another machine took a batch, and its lease has run out."""
    run = half_way()
    batch = claim_batch(RunContext.of(run), Owner("elsewhere:4711:0"), 10)
    assert isinstance(batch, Batch)
    Batch.objects.filter(pk=batch.pk).update(lease_until=Now())


def needs_attention() -> None:
    run = half_way()
    with transaction.atomic():
        change_state(
            run,
            RunState.NEEDS_ATTENTION,
            action="stop",
            reason="permission denied for table guarantees_guarantee",
            **actor(),
        )


def unreadable_amounts(first: int, last: int) -> None:
    """Rows whose amount no migration rule foresaw."""
    imported(rows=120)
    chosen = ImportedRecord.objects.becoming_guarantees().filter(pk__range=(first, last))
    assert chosen.update(amount="?", content_hash=b"?" * 32)


def many_unreadable() -> None:
    unreadable_amounts(1, 40)


def some_unreadable() -> None:
    unreadable_amounts(30, 32)
    legacy_file("corrected.sqlite", rows=120)


def newer_file() -> None:
    """The same rows, two of them with another comment."""
    imported()
    file = legacy_file("newer.sqlite")
    with sqlite3.connect(file) as database:
        database.execute("UPDATE imported_records SET comment = 'new' WHERE id IN (1, 2)")


def edited_guarantee() -> None:
    carried_over()
    guarantee = Guarantee.objects.filter(is_protected=False).earliest("pk")
    guarantee.comment = "checked by telephone"
    guarantee.save()


def changed_behind_the_application() -> None:
    carried_over()
    Guarantee.objects.filter(is_protected=False).update(number="another")


def rolled_back() -> None:
    carried_over()
    call_command("datamigrate", "rollback", "last", "--reason", "rehearsal")


PREPARATIONS: dict[str, Callable[[], Any]] = {
    "Carry a legacy database over": two_files,
    "Pause a run": half_way,
    "Stop a run for good": half_way,
    "Stop everything for a while": imported,
    "A run is throttled": half_way,
    "Ask for care before a real run": imported,
    "A run is stuck, or its worker died": dead_worker,
    "A run needs attention": needs_attention,
    "A run was paused by the error budget": many_unreadable,
    "Keys are quarantined": some_unreadable,
    "The plan drifted": newer_file,
    "Roll back on Friday night": edited_guarantee,
    "Verification failed": changed_behind_the_application,
    "Keep the records, or let them go": rolled_back,
}


@pytest.fixture
def unforeseen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A data migration that quarantines rows with the amount “?”."""
    transform = GuaranteeStep.transform

    def refusing(self: GuaranteeStep, row: Any, context: Any) -> Any:
        if row.amount == "?":
            raise Reject("unreadable", "The amount cannot be read.")
        return transform(self, row, context)

    monkeypatch.setattr(GuaranteeStep, "transform", refusing)


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("practice", "unforeseen")
@pytest.mark.parametrize("heading", PREPARATIONS)
def test_a_task_is_done_as_it_says(heading: str) -> None:
    PREPARATIONS[heading]()
    run_all(section(TEXT, heading))


def test_every_task_is_tried() -> None:
    assert headings(TEXT) == list(PREPARATIONS)


# ------------------------------------------------------------------------------- tables and numbers


def test_limits_are_those_of_the_program() -> None:
    rows = table(section(TEXT, "A run is throttled"))
    assert [row[2].split("`")[1] for row in rows] == list(LIMITS)
    bounds = [limit.most if limit.least is None else limit.least for limit in LIMITS.values()]
    assert bounds == [20, 300, 0.9, 30, 1e9]
    assert [row[1].split()[1] for row in rows] == ["20", "300", "90", "30", "1"]


def test_policies_are_those_of_the_program() -> None:
    rows = table(section(TEXT, "Ask for care before a real run"))
    assert {row[0].strip("`") for row in rows} == set(POLICIES)


def test_states_are_those_of_the_program() -> None:
    expected = [[str(RunState(state).label), text] for state, text in STATE_SENTENCES.items()]
    assert table(section(TEXT, "What every state means")) == expected


def test_outcomes_are_those_of_the_program() -> None:
    rows = table(section(TEXT, "What every outcome means"))
    assert [row[0] for row in rows] == Outcome.values
    decided = {row[0] for row in rows if row[2] == "if its content changes"}
    assert decided == DECIDED_OUTCOMES


def test_codes_of_quarantined_keys_are_those_of_the_program() -> None:
    rows = table(section(TEXT, "Keys are quarantined"))
    assert [row[0].strip("`") for row in rows] == [
        "transform_error",
        *_ROW_CODES.values(),
        WORKER_DIED,
    ]


def test_codes_of_conflicts_are_those_of_the_program() -> None:
    rows = table(section(TEXT, "Roll back on Friday night"))
    source = inspect.getsource(obstacles)
    assert [row[0] for row in rows if row[0].replace("`", '"') not in source] == []


def test_numbers_are_those_of_the_program() -> None:
    flat = TEXT.replace("\n", " ")
    assert f"more than {budget.DEFAULT_SHARE * 100:.0f} % of the selected keys" in flat
    assert f"and more than {budget.LEAST_KEYS} –" in flat
    assert f"under a lease of {LEASE_SECONDS:.0f} seconds" in flat
    assert f"waits {LOCK_TIMEOUT_MS / 1000:g} seconds for a lock" in flat
    assert f"kept for {retention.DEFAULT_RETENTION_DAYS} days" in flat
    assert f"names up to {MOST_NAMED} rows" in flat


def test_notices_are_those_of_the_program() -> None:
    rows = table(section(TEXT, "Be told of it"))
    assert [row[0].strip("`") for row in rows] == NoticeKind.values
    flat = TEXT.replace("\n", " ")
    assert f"for {notices.STILL.total_seconds() / 60:.0f} minutes" in flat
    assert f"more than {notices.MOST_QUARANTINED * 100:.0f} % of a completed run" in flat
    assert notices.MOST_ATTEMPTS == 8
    assert "eight times" in flat
