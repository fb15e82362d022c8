"""A person's collaboration sessions: the new tables beside the rows of the old platform."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.databases import Databases
from tests.benchmarks.results import Goal, Results, ratios
from tests.benchmarks.sizes import Sizes

_PARTICIPANTS: Final = 10  # of each session
_LISTED: Final = 20  # people whose lists are read


class ListsDifferError(Exception):
    """Two contenders did not answer the same: their times cannot be compared."""


def measure_collaboration(databases: Databases, sizes: Sizes, results: Results) -> None:
    """Both paths in turn, and the old one with indexes that it did not have."""
    sessions = max(20, sizes.rows // _PARTICIPANTS)
    export = databases.folder / "sessionmanagements.jsonl"
    write_export(export, sessions)
    template = databases.commanded(
        "collaboration",
        ["import_legacy", "collaboration", export, "--json"],
        ["datamigrate", "run", "normalize_collaboration_sessions", "--json"],
    )
    of = f"{sessions:,} sessions of {_PARTICIPANTS}"
    new = results.new(f"a person's sessions among {of}: new", _LISTED)
    old = results.new(f"a person's sessions among {of}: old", _LISTED)
    indexed = results.new(f"a person's sessions among {of}: old, with indexes", _LISTED)
    for _ in range(sizes.rounds):
        lists = []
        for measured, arguments in (
            (new, {"new": True}),
            (old, {"new": False}),
            (indexed, {"new": False, "indexed": True}),
        ):
            answer = databases.contend(template, "list_sessions", people=_LISTED, **arguments)
            measured.add(answer["seconds"]["list"], answer["peak"])
            lists.append(answer["lists"])
        if lists[0] != lists[1] or lists[1] != lists[2]:
            raise ListsDifferError("The old path and the new one list other sessions.")
    results.goals.append(
        Goal("a person's collaboration sessions: rate of the old path", "×", ratios(new, old),
             at_least=5)
    )  # fmt: skip


def write_export(path: Path, sessions: int) -> None:
    """Each session with its creation row and nine invitations; a person is in about 25 of them."""
    people = max(_PARTICIPANTS, sessions * _PARTICIPANTS // 25)
    with path.open("w", encoding="utf-8") as out:
        for number in range(sessions):
            # a step of its own for each place, so that the same people seldom meet again
            emails = [
                _email((number + place * (place + 1) * 7919) % people)
                for place in range(_PARTICIPANTS)
            ]
            for place, email in enumerate(dict.fromkeys(emails)):
                row = {
                    "_id": {"$oid": f"{1_746_000_000 + number:08x}{place:016x}"},
                    "session_id": f"bench-{number}",
                    "name": f"Session {number}",
                    "email": emails[0],
                    "access": "edit",
                    "uploaded_at": {"$date": {"$numberLong": str(1_746_000_000_000 + number * 60)}},
                }
                out.write(json.dumps(row | ({"invited_email": email} if place else {})) + "\n")


def _email(number: int) -> str:
    return f"person{number}@example.com"


def lists_of(people: int, *, new: bool) -> list[list[tuple[str, list[str]]]]:
    """For each of the first people, their sessions with the participants of each."""
    return [_new(_email(number)) if new else _old(_email(number)) for number in range(people)]


def _new(email: str) -> Any:
    from sessions_app.models import Session

    return sorted(
        (found.session_id, sorted(person.email for person in found.participants.all()))
        for found in Session.objects.of_person(email).with_participants()
    )


def _old(email: str) -> Any:
    from sessions_app.selectors.collaboration import legacy_sessions_of

    return sorted((found.session_id, sorted(found.members)) for found in legacy_sessions_of(email))


def index_addresses() -> None:
    """What the old collection lacked."""
    from django.db import connection

    from sessions_app.reading.collaboration import BLANKS

    with connection.cursor() as cursor:
        for field in ("email", "invited_email"):
            cursor.execute(
                f"CREATE INDEX bench_{field} ON sessions_app_legacycollaborationrow "
                f"(lower(btrim(document ->> '{field}', %s)))",
                [BLANKS],
            )
        cursor.execute("ANALYZE sessions_app_legacycollaborationrow")
