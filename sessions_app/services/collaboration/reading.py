"""Reading collaboration sessions in every stage of the cutover."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from migrations_tools.cutover.believed import current
from migrations_tools.cutover.stages import RULES, Side
from sessions_app.collaboration import rules
from sessions_app.collaboration.roles import Right, rights_of
from sessions_app.collaboration.state import Collaboration, Member, StoredFile
from sessions_app.cutovers import COLLABORATION
from sessions_app.models import ParticipantRole, ParticipantStatus
from sessions_app.services.collaboration import legacy, new
from sessions_app.services.collaboration.people import Person, known_person, public_id


class Which(StrEnum):
    """Sessions of a list: those that the person owns, those of others, or both."""

    ALL = "all"
    MINE = "mine"
    SHARED = "shared"


@dataclass(frozen=True, slots=True)
class Access:
    """What somebody is in a session, and may do there."""

    role: ParticipantRole
    status: ParticipantStatus
    rights: frozenset[Right]


def list_sessions(
    *, acting_user: Person, which: Which = Which.ALL, status: str = "", search: str = ""
) -> list[Collaboration]:
    """The person's sessions, invitations included, with all participants; newest activity first.

    Deleted ones are left out, and those that the person left or was removed from. ``status`` keeps
    active or archived ones, ``search`` those with each of its words in title or description; ""
    keeps all. Raises NotAuthenticated.
    """
    _, email = known_person(acting_user)
    if not email:
        return []
    found = COLLABORATION.read(
        "list",
        legacy=lambda: legacy.sessions_of(email),
        new=lambda: new.sessions_of(email),
        subject=email,
        clean=_list_as_json,
    )
    words = search.casefold().split()
    return [
        each
        for each in found
        if which in (Which.ALL, _which(each, email))
        and status in ("", each.status)
        and all(word in f"{each.title} {each.description}".casefold() for word in words)
    ]


def _which(session: Collaboration, email: str) -> Which:
    owner = session.owner
    return Which.MINE if owner is not None and owner.email == email else Which.SHARED


def session_details(session_id: str, *, acting_user: Person) -> Collaboration:
    """A session that the person is in or invited to.

    Raises NotAuthenticated, NotFound or Forbidden.
    """
    return _seen("details", session_id, acting_user)[0]


def leading_session(session_id: str) -> Collaboration | None:
    """The session as the leading system has it, a deleted one too; for the pages of operators,
    whose permission the surface has checked. None where that system does not know it.
    """
    key = public_id(session_id)
    return legacy.find(key) if leading_side() is Side.LEGACY else new.find(key)


def leading_side() -> Side:
    """The system whose word counts when a session is changed."""
    return RULES[current(COLLABORATION.key.name).stage].writes[0]


def active_users(session_id: str, *, acting_user: Person) -> list[Member]:
    """Those who are in the session now – not invited, gone or removed –, by address.

    Raises NotAuthenticated, NotFound or Forbidden.
    """
    members = _seen("active_users", session_id, acting_user)[0].members
    active = (member for member in members.values() if member.status == ParticipantStatus.ACTIVE)
    return sorted(active, key=lambda member: member.email)


def session_files(session_id: str, *, acting_user: Person) -> list[StoredFile]:
    """The files of a session by name and path, for whoever is in it or invited to it.

    Raises NotAuthenticated, NotFound or Forbidden.
    """
    session, email = _seen("details", session_id, acting_user)
    key = session.session_id
    return COLLABORATION.read(
        "files",
        legacy=lambda: legacy.files_of(key),
        new=lambda: new.files_of(key),
        subject=email,
        clean=lambda files: [asdict(file) for file in files],
    )


def check_access(session_id: str, *, acting_user: Person, right: Right = Right.VIEW) -> Access:
    """What the person is and may do there. Raises Forbidden where ``right`` is not among it.

    Raises NotAuthenticated or NotFound besides.
    """
    session, email = _seen("access", session_id, acting_user)
    member = rules.require(session, email, right)
    return Access(member.role, member.status, rights_of(member))


def _seen(operation: str, session_id: str, acting_user: Person) -> tuple[Collaboration, str]:
    """Both systems answer with the session, whoever asks; the rules are asked afterwards."""
    _, email = known_person(acting_user)
    key = public_id(session_id)
    found = COLLABORATION.read(
        operation,
        legacy=lambda: legacy.find(key),
        new=lambda: new.find(key),
        subject=email,
        clean=_as_json,
    )
    return rules.seen(found, key, email), email


def _as_json(session: Collaboration | None) -> dict[str, Any] | None:
    return None if session is None else session.as_dict()


def _list_as_json(sessions: list[Collaboration]) -> list[dict[str, Any]]:
    return [session.as_dict() for session in sessions]
