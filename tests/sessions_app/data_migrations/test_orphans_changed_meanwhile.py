"""Every session of the plan has one outcome, whatever became of it meanwhile (agents.md "Run")."""

from __future__ import annotations

import pytest

from migrations_tools.models import LedgerEntry
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.verification import verify_run
from sessions_app.models import Session
from tests.sessions_app.data_migrations.orphans import (
    NAME,
    actor,
    add_events,
    orphan,
    outcomes,
    problems,
    projects,
    stored,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_was_assigned_or_deleted_since_the_plan_has_its_outcome() -> None:
    a, b = projects(2)
    for key in ("assigned", "deleted", "evidence", "same", "zz assigned", "zz deleted"):
        orphan(key, (a, 4))
    run = runs.start_run(NAME, **actor())
    assert run is not None
    Session.objects.filter(session_id__endswith="assigned").update(project=b)
    Session.objects.filter(session_id__endswith="deleted").delete()
    add_events("evidence", (b, 4))
    run = runs.work_run(run)
    assert outcomes(run) == {"applied": 1, "conflict": 3, "gone": 2}
    assert problems(run) == [
        ("assigned", "conflict", "changed_since_plan"),
        ("deleted", "gone", "gone"),
        ("evidence", "conflict", "changed_since_plan"),
        ("zz assigned", "conflict", "changed_since_plan"),
        ("zz deleted", "gone", "gone"),
    ]
    assert summarise(run)["total"] == 6
    assert LedgerEntry.objects.filter(run=run).count() == 6
    assert stored() == {"assigned": b.pk, "zz assigned": b.pk, "evidence": None, "same": a.pk}
    assert verify_run(run, **actor())["ok"]


def test_a_plan_of_which_nothing_is_left_is_answered_too() -> None:
    a, b = projects(2)
    orphan("assigned", (a, 4))
    orphan("deleted", (a, 4))
    run = runs.start_run(NAME, **actor())
    assert run is not None
    Session.objects.filter(session_id="assigned").update(project=b)
    Session.objects.filter(session_id="deleted").delete()
    assert outcomes(runs.work_run(run)) == {"conflict": 1, "gone": 1}


def test_an_orphan_that_came_after_the_run_began_is_no_failure_of_it() -> None:
    (a,) = projects(1)
    orphan("early", (a, 4))
    run = runs.start_run(NAME, **actor())
    assert run is not None
    run = runs.work_run(run)
    orphan("aa late", (a, 4))
    assert verify_run(run, **actor())["ok"]
