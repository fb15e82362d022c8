"""Who may do what in a collaboration session, as data (collaboration.md "Matrix")."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from sessions_app.collaboration.state import Member
from sessions_app.models import ParticipantRole, ParticipantStatus


class Right(StrEnum):
    """What a role allows; whom somebody invites, grants and removes says `MANAGED_ROLES`."""

    VIEW = "view"
    EDIT = "edit"
    MANAGE_PEOPLE = "manage_people"
    OWN = "own"  # archive, restore, delete, transfer


_R = ParticipantRole

RIGHTS: Final[Mapping[ParticipantRole, frozenset[Right]]] = {
    _R.OWNER: frozenset(Right),
    _R.ADMIN: frozenset({Right.VIEW, Right.EDIT, Right.MANAGE_PEOPLE}),
    _R.EDITOR: frozenset({Right.VIEW, Right.EDIT}),
    _R.VIEWER: frozenset({Right.VIEW}),
}

#: The roles that each role invites, grants, takes away and removes.
MANAGED_ROLES: Final[Mapping[ParticipantRole, frozenset[ParticipantRole]]] = {
    _R.OWNER: frozenset({_R.ADMIN, _R.EDITOR, _R.VIEWER}),
    _R.ADMIN: frozenset({_R.EDITOR, _R.VIEWER}),
    _R.EDITOR: frozenset(),
    _R.VIEWER: frozenset(),
}


def rights_of(member: Member | None) -> frozenset[Right]:
    """An invited person sees the session, whatever the role; a stranger nothing."""
    if member is None or not member.belongs:
        return frozenset()
    if member.status == ParticipantStatus.INVITED:
        return frozenset({Right.VIEW})
    return RIGHTS[member.role]
