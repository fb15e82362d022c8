"""What is imported of the contest trainer: its problems, its users and their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from migrations_tools.imports.documents import DocumentTable
from migrations_tools.imports.kinds import ImportKind, register
from migrations_tools.text import storable
from sessions_app.contests.reading import LONGEST_NAME
from sessions_app.contests.values import read_text
from sessions_app.legacy_imports.people import PeopleTable
from sessions_app.legacy_imports.problems import ProblemTable
from sessions_app.models import LegacyContestSession
from sessions_app.reading.blanks import WHITE_SPACE

#: Kind of the identities of contest users.
CONTEST_USERS: Final = "contest_users"


def _username(values: Mapping[str, Any]) -> str:
    return _findable(values.get("username"))


def _session_ref(values: Mapping[str, Any]) -> str:
    return _findable((read_text(values.get("session_id")) or "").strip(WHITE_SPACE))


def _findable(text: Any) -> str:
    """Text by which documents are found again; blank where the value is no such text."""
    return text if isinstance(text, str) and len(text) <= LONGEST_NAME and storable(text) else ""


register(ImportKind(name="problems", title="Contest problems", tables=[ProblemTable("problems")]))
register(
    ImportKind(
        name=CONTEST_USERS,
        title="Contest users",
        tables=[
            PeopleTable(CONTEST_USERS, kind=CONTEST_USERS, profiles=False, other_names=("users",))
        ],
    )
)
register(
    ImportKind(
        name="contest_sessions",
        title="Contest sessions",
        tables=[
            DocumentTable(
                "contest_sessions",
                LegacyContestSession,
                key="key",
                columns=("problems_attempted",),
                natural_key=("username", "session_id"),
                derived={"username": _username, "session_ref": _session_ref},
                other_names=("sessions", "practice_sessions"),
            )
        ],
    )
)
