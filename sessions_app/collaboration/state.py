"""A collaboration session as both systems tell it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from typing import Any, Final

from sessions_app.models import ParticipantRole, ParticipantStatus, SessionStatus

#: Who is in a session: those see it.
BELONGING: Final = frozenset({ParticipantStatus.INVITED, ParticipantStatus.ACTIVE})


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a session, or who was; ``email`` is in lower case, times are UTC."""

    email: str
    display_name: str
    role: ParticipantRole
    status: ParticipantStatus
    invited_by: str = ""
    invited_at: datetime | None = None
    joined_at: datetime | None = None

    @property
    def belongs(self) -> bool:
        return self.status in BELONGING


@dataclass(frozen=True, slots=True)
class Collaboration:
    """A session with everybody who is or was in it, by e-mail address."""

    session_id: str
    title: str
    description: str
    status: SessionStatus
    created_at: datetime
    last_activity_at: datetime | None
    members: Mapping[str, Member]

    @property
    def owner(self) -> Member | None:
        roles = (member for member in self.members.values() if member.role == ParticipantRole.OWNER)
        return next(roles, None)

    def belongs(self, email: str) -> bool:
        member = self.members.get(email)
        return member is not None and member.belongs

    def with_members(self, *changed: Member) -> Collaboration:
        return replace(self, members={**self.members, **{each.email: each for each in changed}})

    def as_dict(self) -> dict[str, Any]:
        """JSON but for its times: members in the order of their addresses."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        told["members"] = [asdict(self.members[email]) for email in sorted(self.members)]
        return told


@dataclass(frozen=True, slots=True, order=True)
class StoredFile:
    """A file that somebody put into a session; ``path`` is where the old system kept it."""

    name: str
    path: str
    uploaded_by: str
    uploaded_at: datetime | None


#: Columns of a session that operations may change.
_FOLLOWED: Final = ("title", "description", "status", "created_at", "last_activity_at")


@dataclass(frozen=True, slots=True)
class Change:
    """What an operation made of a session; ``before`` is None for a new one."""

    before: Collaboration | None
    after: Collaboration

    def members(self) -> Iterator[Member]:
        """Those who are new or not as they were."""
        known = self.before.members if self.before else {}
        for email, member in self.after.members.items():
            if known.get(email) != member:
                yield member

    def values(self) -> dict[str, Any]:
        """Values of the session that are not as they were."""
        return {
            name: getattr(self.after, name)
            for name in _FOLLOWED
            if self.before is None or getattr(self.before, name) != getattr(self.after, name)
        }

    def on(self, other: Collaboration) -> Collaboration:
        """The same change on the session as the other system has it."""
        return replace(other.with_members(*self.members()), **self.values())


def display_name(email: str) -> str:
    """R10: the local part of the address."""
    return email.partition("@")[0][:255]


def newest_first(sessions: list[Collaboration]) -> list[Collaboration]:
    """By activity, the newest first, those without any last; equals by public id."""
    sessions = sorted(sessions, key=lambda session: session.session_id)
    return sorted(
        sessions,
        key=lambda session: (
            session.last_activity_at is not None,
            session.last_activity_at.timestamp() if session.last_activity_at else 0.0,
        ),
        reverse=True,
    )
