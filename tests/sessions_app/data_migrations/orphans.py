"""Orphans with their events, and the migration carried out on them."""

from __future__ import annotations

import itertools
import uuid
from typing import Any

from migrations_tools.models import Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.verification import verify_definition
from migrations_tools.states import RunState
from sessions_app.models import ActivityEvent, Project, Session
from tests.sessions_app.factories import ProjectFactory, SessionFactory

NAME = "assign_orphan_sessions"

_numbers = itertools.count(1)


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), "surface": "command"}


def projects(number: int) -> list[Project]:
    """Active projects; the sentinel is there too."""
    Project.objects.ensure_unassigned()
    return [ProjectFactory.create() for _ in range(number)]


def orphan(key: str, *named: tuple[Any, int], **values: Any) -> Session:
    """An orphan whose events name these projects so many times; None names none."""
    session: Session = SessionFactory.create(session_id=key, kind="agent", **values)
    add_events(key, *named)
    return session


def add_events(key: str, *named: tuple[Any, int]) -> None:
    ActivityEvent.objects.bulk_create(
        ActivityEvent(event_id=f"event {next(_numbers)}", session_ref=key, **{"project": project})
        for project, number in named
        for _ in range(number)
    )


def carry_over(*, planned: Run | None = None, **options: Any) -> Run:
    """A run carried to its end; there was something to do."""
    run = runs.start_run(NAME, options=options, planned=planned, **actor())
    assert run is not None
    run = runs.work_run(run)
    assert run.state == RunState.COMPLETED
    return run


def plan() -> Run:
    planned = runs.plan_run(NAME, **actor())
    assert planned is not None
    return planned


def take_back(run: Run, *, force: bool = False) -> Run:
    rollback = roll_back_run(run, reason="test", force=force, **actor())
    assert rollback is not None
    return runs.work_run(rollback)


def outcomes(run: Run) -> dict[str, int]:
    return {name: number for name, number in summarise(run)["outcomes"].items() if number}


def problems(run: Run) -> list[tuple[str, str, str]]:
    """Key, outcome and code of everything that did not simply go through."""
    return sorted(
        (found["key"], found["outcome"], found["code"]) for found in summarise(run)["problems"]
    )


def stored() -> dict[str, uuid.UUID | None]:
    """Session → project."""
    return dict(Session.objects.values_list("session_id", "project"))


def failed_checks() -> dict[str, list[str]]:
    answer = verify_definition(NAME, **actor())
    return {
        check["code"]: [named["key"] for named in check["sample"]]
        for check in answer["checks"]
        if not check["ok"]
    }
