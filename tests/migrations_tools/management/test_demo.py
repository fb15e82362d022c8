"""``manage.py demo`` shows the main job end to end, as often as one likes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.test import override_settings

from guarantees.models import Guarantee, ImportedRecord
from migrations_tools.demo import all_scenarios
from migrations_tools.models import LegacyImport, Run
from migrations_tools.services.actors import system_user
from migrations_tools.states import RunKind, RunState
from tests.spoiling import RUN_COMPLETED, spoiled

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = [
    "clear away",
    "sample files",
    "import",
    "plan",
    "run",
    "verify",
    "edits by a person",
    "roll back",
    "verify the rollback",
    "run again",
    "verify again",
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> Iterator[Path]:
    with override_settings(CARRYOVER_HOME=tmp_path):
        yield tmp_path


def demonstrate(*arguments: str) -> str:
    out = StringIO()
    call_command("demo", "--rows", "120", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def steps_of(migration: str) -> dict[str, dict[str, Any]]:
    steps = json.loads(demonstrate("--json"))["steps"]
    return {step["step"]: step for step in steps if step["migration"] == migration}


@pytest.mark.slow
def test_the_main_job_is_shown_from_the_sample_files_to_the_second_run(home: Path) -> None:
    steps = steps_of("split_imported_records")
    assert list(steps) == STEPS
    assert (home / "demo" / "demo-guarantees.sqlite3").exists()
    assert steps["edits by a person"]["rows"] == 3
    assert "3 conflict" in steps["roll back"]["result"]
    assert steps["run again"]["rows"] == steps["roll back"]["rows"] - 3
    assert ImportedRecord.objects.count() == 120
    assert Guarantee.objects.filter(comment__contains="telephone").count() == 3


@pytest.mark.slow
def test_it_can_be_repeated() -> None:
    first, second = steps_of("split_imported_records"), steps_of("split_imported_records")
    assert second["clear away"]["rows"] == 2
    assert "unchanged" in second["import"]["result"]
    for step in ("run", "edits by a person", "roll back", "run again"):
        assert second[step]["rows"] == first[step]["rows"], step
    assert Run.objects.filter(kind=RunKind.APPLY).order_by("-created_at")[0].state == (
        RunState.COMPLETED
    )


@pytest.mark.slow
def test_every_scenario_is_in_the_closing_table() -> None:
    table = demonstrate()
    for scenario in all_scenarios():
        assert scenario.migration in table
    for step in STEPS:
        assert step in table


@pytest.mark.slow
def test_a_database_with_imports_of_its_own_is_left_alone() -> None:
    LegacyImport.objects.create(
        kind="guarantees", file_name="real.db", size=1, sha256="0" * 64, actor=system_user()
    )
    out = StringIO()
    with pytest.raises(SystemExit) as stopped:
        call_command("demo", "--json", stdout=out, stderr=StringIO())
    assert stopped.value.code == 1
    error = json.loads(out.getvalue())["error"]
    assert error["code"] == "database_in_use"
    assert "“real.db”" in error["message"]
    assert json.loads(demonstrate("--if-empty", "--json")) == {"steps": []}
    assert not ImportedRecord.objects.exists()


def test_a_verification_that_fails_ends_it() -> None:
    out = StringIO()
    by_hand = "UPDATE sessions_app_session SET project_id = NULL WHERE kind = 'agent'"
    with spoiled(RUN_COMPLETED, by_hand), pytest.raises(SystemExit) as stopped:
        call_command("demo", "--rows", "120", "--json", stdout=out, stderr=StringIO())
    assert stopped.value.code == 1
    error = json.loads(out.getvalue())["error"]
    assert error["code"] == "not_verified"
    assert "row_differs" in error["message"]
    assert set(Run.objects.values_list("definition", flat=True)) == {"assign_orphan_sessions"}
