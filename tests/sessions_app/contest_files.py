"""Files of the contest trainer for tests, and runs over them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from migrations_tools.models import Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.verification import verify_definition
from migrations_tools.states import RunState
from sessions_app.legacy_generators.contest_bank import amc_10a_2022, in_newer_shape
from sessions_app.models import ContestResult, Session
from sessions_app.selectors.contest_document import contest_document
from tests.migrations_tools.imports.importing import import_file, lines

NAME = "enrich_contest_sessions"


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), "surface": "command"}


def import_bank(folder: Path) -> None:
    """The problems of AMC 10A 2022."""
    problems = [in_newer_shape(known, f"{known.number:024x}") for known in amc_10a_2022()]
    import_file("problems", lines(folder / "problems.jsonl", *problems))


def import_users(folder: Path, *names: str) -> None:
    """Users of these names, with the ids ``id of NAME``."""
    users = [{"_id": f"id of {name}", "username": name} for name in names]
    import_file("contest_users", lines(folder / "contest_users.jsonl", *users))


def import_sessions(folder: Path, *documents: Any) -> Any:
    return import_file("contest_sessions", lines(folder / "contest_sessions.jsonl", *documents))


def attempt(number: int = 1, **values: Any) -> dict[str, Any]:
    """A complete attempt; None takes a field away."""
    given = {
        "problem_number": number,
        "problem_id": f"AMC10A_2022_{number}",
        "is_correct": True,
        "selected_answer": "D",
        "correct_answer": "D",
        "time_spent_ms": 1000,
        "attempt_timestamp": {"$date": "2024-05-01T09:00:01Z"},
        "difficulty": "easy",
        "topics": ["Algebra", "Mean"],
    } | values
    return {name: value for name, value in given.items() if value is not GONE}


def session(key: str = "1", **values: Any) -> dict[str, Any]:
    """A complete document of one attempt; `GONE` takes a field away."""
    given = {
        "_id": key,
        "session_id": f"s-{key}",
        "session_status": "completed",
        "created_at": {"$date": "2024-05-01T09:00:00Z"},
        "completed_at": {"$date": "2024-05-01T09:10:00Z"},
        "username": "sam",
        "user_id": "u-1",
        "year": 2022,
        "contest": "AMC 10A",
        "mode": "practice",
        "shuffle": False,
        "score": 1,
        "total_attempted": 1,
        "problems_attempted": [attempt()],
        "total_time_ms": 1000,
    } | values
    return {name: value for name, value in given.items() if value is not GONE}


#: Stands for a field that is not in the document.
GONE = object()


def carry(**options: Any) -> dict[str, Any]:
    """Run to the end; the summary."""
    run = runs.start_run(NAME, options=options, **actor())
    assert run is not None
    run = runs.work_run(run)
    assert run.state == RunState.COMPLETED
    return summarise(run)


def outcomes(summary: dict[str, Any]) -> dict[str, int]:
    return {name: number for name, number in summary["outcomes"].items() if number}


def nothing_to_do(**options: Any) -> bool:
    return runs.start_run(NAME, options=options, **actor()) is None


def take_back(run: str) -> Run:
    rollback = roll_back_run(Run.objects.get(pk=run), reason="test", force=False, **actor())
    assert rollback is not None
    return runs.work_run(rollback)


def failed_checks() -> dict[str, list[tuple[str, str]]]:
    """Key and detail of what is wrong, by check."""
    answer = verify_definition(NAME, **actor())
    return {
        check["code"]: [(named["key"], named["detail"]) for named in check["sample"]]
        for check in answer["checks"]
        if not check["ok"]
    }


def the_session(session_id: str = "s-1") -> Session:
    return Session.objects.get(session_id=session_id)


def the_result(session_id: str = "s-1") -> ContestResult:
    return ContestResult.objects.get(session__session_id=session_id)


def the_document(session_id: str = "s-1") -> dict[str, Any]:
    return contest_document(the_session(session_id))
