"""What is imported of the contest trainer: its problems, its users and their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

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


register(
    ImportKind(
        name="problems",
        title=_("Contest problems"),
        what=_("The problem bank in either of its shapes; problems go straight into the bank."),
        group=_("Contest trainer"),
        tables=[ProblemTable("problems")],
    )
)
register(
    ImportKind(
        name=CONTEST_USERS,
        title=_("Contest users"),
        what=_("People who practised; they become accounts that nobody can log in to."),
        group=_("Contest trainer"),
        tables=[
            PeopleTable(CONTEST_USERS, kind=CONTEST_USERS, profiles=False, other_names=("users",))
        ],
    )
)
register(
    ImportKind(
        name="contest_sessions",
        title=_("Contest sessions"),
        what=_("Practice sessions with their attempts, as the trainer exported them."),
        group=_("Contest trainer"),
        migration="enrich_contest_sessions",
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
