"""The migration from the command line: JSON, questions, health."""

from __future__ import annotations

import io
import json
import uuid
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection

from migrations_tools.models import Run
from sessions_app.models import Session
from tests.sessions_app.data_migrations.orphans import (
    NAME,
    carry_over,
    orphan,
    plan,
    projects,
    stored,
    take_back,
)

pytestmark = pytest.mark.django_db(transaction=True)


def command(*words: str) -> tuple[dict[str, Any], int]:
    """Answer and exit code of ``datamigrate … --json``."""
    out, code = io.StringIO(), 0
    try:
        call_command("datamigrate", *words, "--json", stdout=out, stderr=io.StringIO())
    except SystemExit as ended:
        code = int(ended.code or 0)
    return json.loads(out.getvalue()), code


def own_health() -> dict[str, Any]:
    answer, _ = command("health")
    found: dict[str, Any] = answer["migrations"][NAME]
    return found


def test_a_run_tells_everything_once() -> None:
    a, b = projects(2)
    orphan("confident", (a, 15))
    orphan("tentative", (a, 6), (b, 2))
    orphan("review", (a, 1), (b, 1))
    orphan("parked")
    orphan("lost", (uuid.uuid4(), 5))
    answer, code = command("run", NAME)
    assert code == 2
    assert answer["total"] == 5
    assert {name: n for name, n in answer["outcomes"].items() if n} == {
        "applied": 3,
        "review": 1,
        "quarantined": 1,
    }
    assert answer["codes"] == {"PROJECT_NOT_FOUND": 1}
    assert answer["categories"] == {
        "confident": 2,
        "tentative": 1,
        "manual_review": 1,
        "unassigned": 1,
    }
    assert [problem["key"] for problem in answer["problems"]] == ["lost", "review"]
    assert answer["risks"] == [
        "1 session requires manual review",
        "2 sessions of 5 have warnings",
    ]
    assert answer["recommendations"] == [
        "Review the 1 session that requires it by hand",
        "1 session will be parked as unassigned: verify them",
        "Back up the database before the run",
        "Run in a quiet period",
    ]
    verified, code = command("verify", "last")
    assert (verified["ok"], code) == (True, 0)


def test_nothing_to_do_is_fine() -> None:
    projects(1)
    answer, code = command("run", NAME)
    assert (answer["run"], answer["total"], code) == (None, 0, 0)
    assert not Run.objects.exists()


def test_options_are_flags() -> None:
    a, b = projects(2)
    orphan("tentative", (a, 6), (b, 2))
    orphan("few", (a, 2))
    answer, code = command("run", NAME, "--skip-low-confidence", "--min-evidence", "3")
    assert answer["outcomes"]["skipped"] == 2
    assert (answer["outcomes"]["applied"], code) == (0, 0)
    answer, code = command("run", NAME, "--min-evidence", "-1")
    assert (answer["error"]["code"], code) == ("invalid_option", 1)


@pytest.mark.parametrize(
    ("risky", "typed", "written"),
    [
        (False, "y\n", True),
        (False, "YES\n", True),
        (False, "n\n", False),
        (False, "", False),
        (False, "yep\n", False),
        (True, "y\n", False),
        (True, "y\nno\n", False),
        (True, "y\ny\n", True),
    ],
)
def test_interactive_asks_once_and_again_where_there_are_risks(
    monkeypatch: pytest.MonkeyPatch, risky: bool, typed: str, written: bool
) -> None:
    a, b = projects(2)
    orphan("sure", (a, 15))
    if risky:
        orphan("unsure", (a, 1), (b, 1))
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    out, err = io.StringIO(), io.StringIO()
    call_command("datamigrate", "run", NAME, "--interactive", stdout=out, stderr=err)
    assert stored()["sure"] == (a.pk if written else None)
    assert Run.objects.filter(kind="apply").exists() is written
    assert ("Nothing was written." in err.getvalue()) is not written
    assert "1 applied" in err.getvalue()
    assert "nothing to do" not in out.getvalue()


def test_health_counts_orphans_parked_and_waiting_apart() -> None:
    a, b = projects(2)
    orphan("sure", (a, 15))
    orphan("review", (a, 1), (b, 1))
    orphan("parked")
    assert own_health()["orphans"] == 3
    run = carry_over()
    carry_over()  # the same session waits once
    found = own_health()
    assert (found["orphans"], found["parked"], found["awaiting_review"]) == (1, 1, 1)
    assert found["orphans_awaiting_review"] == 1
    assert (found["damaged_backups"], found["broken_foreign_keys"]) == ([], 0)
    assert found["alerts"] == []
    Session.objects.filter(session_id="review").update(project=b)
    found = own_health()
    assert (found["awaiting_review"], found["orphans_awaiting_review"]) == (1, 0)
    take_back(run)
    assert [alert["code"] for alert in own_health()["alerts"]] == ["rollback"]


def test_health_names_runs_whose_journal_is_not_to_be_trusted() -> None:
    (a,) = projects(1)
    orphan("sure", (a, 15))
    run = carry_over()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE migrations_tools_batch SET digest = sha256('x')")
    assert own_health()["damaged_backups"] == [str(run.pk)]


def test_alerts_look_at_the_last_run() -> None:
    (a,) = projects(1)
    orphan("lost", (uuid.uuid4(), 5))
    orphan("old", (a, 5))
    a.status = "completed"
    a.save()
    plan()
    carry_over()
    codes = [alert["code"] for alert in own_health()["alerts"]]
    assert codes == ["failures", "tentative"]
