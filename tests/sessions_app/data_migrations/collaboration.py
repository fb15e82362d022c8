"""Documents as collaboration.md abbreviates them, staged by the import, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from migrations_tools.imports.service import import_legacy
from migrations_tools.models import LegacyImport, Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.verification import verify_definition
from migrations_tools.states import RunState
from sessions_app.models import Session, SessionParticipant

NAME: Final = "normalize_collaboration_sessions"
A, B, C, D = "alice@example.com", "bob@example.com", "carol@example.com", "dan@example.com"
U1: Final = "77d3b396-4bb1-4ada-8bf8-cad181406705"

_FIELDS: Final = {
    "n": "name",
    "e": "email",
    "i": "invited_email",
    "s": "session_id",
    "a": "access",
    "f": "file_name",
}
_numbers = count(1)


def may(day: int, hour: int = 0) -> datetime:
    return datetime(2025, 5, day, hour, tzinfo=UTC)


def document(**values: Any) -> dict[str, Any]:
    """n name, e email, i invited_email, s session_id, a access, t day in May 2025, f file; other
    names are those of the old system. Without ``_id`` it gets one that tells no time.
    """
    found = {_FIELDS.get(name, name): value for name, value in values.items() if name != "t"}
    if "t" in values:
        found["uploaded_at"] = {"$date": f"2025-05-{values['t']:02}T00:00:00Z"}
    return {"_id": f"r{next(_numbers)}", "session_id": "s-1", **found}


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), "surface": "command"}


def stage(*documents: dict[str, Any]) -> LegacyImport:
    return stage_lines(json.dumps(each) for each in documents)


def stage_lines(lines: Iterable[str]) -> LegacyImport:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "sessionmanagements.json"
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        (done,) = import_legacy("collaboration", [path], **actor())
    return done


def start(**tuning: Any) -> Run:
    run = runs.start_run(NAME, tuning=tuning, **actor())
    assert run is not None
    return runs.work_run(run)


def carry(**tuning: Any) -> dict[str, Any]:
    """The summary of a run that came to its end."""
    run = start(**tuning)
    assert run.state == RunState.COMPLETED, run.state_reason
    return summarise(run)


def nothing_to_do() -> bool:
    return runs.start_run(NAME, **actor()) is None


def take_back(run_id: str, *, force: bool = False) -> dict[str, Any]:
    rollback = roll_back_run(Run.objects.get(pk=run_id), reason="test", force=force, **actor())
    assert rollback is not None
    return summarise(runs.work_run(rollback))


def outcomes(summary: dict[str, Any]) -> dict[str, int]:
    return {name: number for name, number in summary["outcomes"].items() if number}


def problem_codes(summary: dict[str, Any]) -> list[tuple[str, str]]:
    return sorted((problem["key"], problem["code"]) for problem in summary["problems"])


def people(session_id: str = "s-1") -> dict[str, tuple[str, str]]:
    """Role and status by e-mail."""
    found = SessionParticipant.objects.filter(session__session_id=session_id)
    return {person.email: (person.role, person.status) for person in found}


def person(email: str, session_id: str = "s-1") -> SessionParticipant:
    return SessionParticipant.objects.get(session__session_id=session_id, email=email)


def session(session_id: str = "s-1") -> Session:
    return Session.objects.get(session_id=session_id)


def verify() -> dict[str, Any]:
    return verify_definition(NAME, **actor())


def failed_checks() -> dict[str, list[str]]:
    """Keys of what is wrong, by code."""
    return {
        check["code"]: [named["key"] for named in check["sample"]]
        for check in verify()["checks"]
        if not check["ok"]
    }


def edited_checks() -> dict[str, int]:
    return {
        check["code"]: check["edited_since"]
        for check in verify()["checks"]
        if check["edited_since"]
    }
