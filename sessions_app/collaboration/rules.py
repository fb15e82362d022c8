"""What operations make of a session: from one state to the next, or a refusal.

Both systems go through these, so that they refuse the same in the same order: a session that is
not there, a stranger, an archived session, a missing right, then what is wrong with the request.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from django.utils.translation import gettext as _

from sessions_app.collaboration.errors import (
    AlreadyParticipant,
    CapacityReached,
    CollaborationError,
    DomainNotAllowed,
    Forbidden,
    InvalidEmail,
    InvalidRole,
    NotFound,
    OwnerStays,
    ParticipantNotFound,
    SelfInvitation,
    SessionArchived,
    StatusRefused,
)
from sessions_app.collaboration.roles import MANAGED_ROLES, Right, rights_of
from sessions_app.collaboration.state import Collaboration, Member, display_name
from sessions_app.models import ParticipantRole, ParticipantStatus, SessionKind, SessionStatus
from sessions_app.models.participant import PARTICIPANT_TRANSITIONS
from sessions_app.models.session import may_change
from sessions_app.reading.collaboration import email_of

_ROLE: Final = ParticipantRole
_STATUS: Final = ParticipantStatus


@dataclass(frozen=True, slots=True)
class Limits:
    """How many people a session has, invited ones included, and of which domains; () is any."""

    capacity: int
    domains: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class Deed:
    """Who acts, by e-mail address, and when."""

    email: str
    at: datetime


#: What an operation is: the session as it is, who acts and when → the session as it will be.
Rule = Callable[[Collaboration, Deed], Collaboration]


def seen(session: Collaboration | None, session_id: str, email: str) -> Collaboration:
    """The session, for somebody who is in it. Raises NotFound or Forbidden."""
    found = present(session, session_id)
    if not found.belongs(email):
        raise _stranger(found)
    return found


def present(session: Collaboration | None, session_id: str) -> Collaboration:
    """The session, unless it is deleted. Raises NotFound."""
    if session is None or session.status == SessionStatus.DELETED:
        raise NotFound(
            _("There is no session “%(session_id)s”.") % {"session_id": session_id},
            session=session_id,
        )
    return session


def require(session: Collaboration, email: str, right: Right) -> Member:
    """The member with that right. Raises Forbidden."""
    member = session.members.get(email)
    if member is None or right not in rights_of(member):
        raise Forbidden(
            _("Your part in session “%(session)s” does not allow this.")
            % {"session": session.session_id},
            session=session.session_id,
            right=right.value,
        )
    return member


def edit(
    session: Collaboration, deed: Deed, *, title: str | None, description: str | None
) -> Collaboration:
    """Change the words of a session; None leaves what is there. For whoever edits."""
    _at_work(session, deed, Right.EDIT)
    worded = replace(
        session,
        title=session.title if title is None else title,
        description=session.description if description is None else description,
    )
    return session if worded == session else _touched(worded, deed)


def invite(
    session: Collaboration, deed: Deed, *, email: str, role: str, limits: Limits
) -> Collaboration:
    """Invite somebody, or once more somebody who was removed."""
    inviter = _at_work(session, deed, Right.MANAGE_PEOPLE)
    granted = _grantable(role)
    address = email_of(email)
    if address is None:
        raise InvalidEmail(_("“%(email)s” is no e-mail address.") % {"email": str(email)[:80]})
    if address == inviter.email:
        raise SelfInvitation(_("You are in the session already: nobody invites themselves."))
    _require_managed(inviter, granted)
    if limits.domains and address.rpartition("@")[2] not in limits.domains:
        raise DomainNotAllowed(
            _("Addresses of %(address)s are not invited here.")
            % {"address": address.rpartition("@")[2]},
            allowed=sorted(limits.domains),
        )
    known = session.members.get(address)
    if known is not None and known.belongs:
        raise AlreadyParticipant(
            _("%(address)s is in the session already.") % {"address": address},
            email=address,
            status=known.status.value,
        )
    if sum(member.belongs for member in session.members.values()) >= limits.capacity:
        raise CapacityReached(
            _("A session has %(capacity)s people at most.") % {"capacity": limits.capacity},
            capacity=limits.capacity,
        )
    fresh = Member(address, display_name(address), granted, _STATUS.INVITED, inviter.email, deed.at)
    if known is not None:
        _require_change(known, _STATUS.INVITED)
        fresh = replace(fresh, display_name=known.display_name)
    return _touched(session.with_members(fresh), deed)


def accept(session: Collaboration, deed: Deed) -> Collaboration:
    """Take up an invitation, or come back after having left."""
    member = session.members.get(deed.email)
    if member is None or member.status == _STATUS.REMOVED:
        raise _stranger(session)
    _require_open(session)
    _require_change(member, _STATUS.ACTIVE)
    joined = replace(member, status=_STATUS.ACTIVE, joined_at=member.joined_at or deed.at)
    return _touched(session.with_members(joined), deed)


def leave(session: Collaboration, deed: Deed) -> Collaboration:
    """Go, from an archived session too. The owner cannot."""
    if not session.belongs(deed.email):
        raise _stranger(session)
    member = session.members[deed.email]
    _require_not_owner(member, "leave")
    _require_change(member, _STATUS.LEFT)
    return _touched(session.with_members(replace(member, status=_STATUS.LEFT)), deed)


def remove(session: Collaboration, deed: Deed, *, email: str) -> Collaboration:
    """Take somebody out of the session, or an invitation back."""
    actor = _at_work(session, deed, Right.MANAGE_PEOPLE)
    member = _member(session, email)
    _require_not_owner(member, _("be removed"))
    _require_managed(actor, member.role)
    _require_change(member, _STATUS.REMOVED)
    return _touched(session.with_members(replace(member, status=_STATUS.REMOVED)), deed)


def change_role(session: Collaboration, deed: Deed, *, email: str, role: str) -> Collaboration:
    """Give somebody another role; the same one again changes nothing."""
    actor = _at_work(session, deed, Right.MANAGE_PEOPLE)
    granted = _grantable(role)
    member = _member(session, email)
    _require_not_owner(member, _("get another role"))
    _require_managed(actor, member.role)
    _require_managed(actor, granted)
    if member.role == granted:
        return session
    return _touched(session.with_members(replace(member, role=granted)), deed)


def transfer(session: Collaboration, deed: Deed, *, email: str) -> Collaboration:
    """Make an active participant the owner, and the owner an admin."""
    owner = _at_work(session, deed, Right.OWN)
    member = _member(session, email)
    _require_not_owner(member, _("take the ownership over"))
    if member.status != _STATUS.ACTIVE:
        raise StatusRefused(
            _("%(email)s has not accepted the invitation yet.") % {"email": member.email},
            status=member.status.value,
        )
    return _touched(
        session.with_members(replace(owner, role=_ROLE.ADMIN), replace(member, role=_ROLE.OWNER)),
        deed,
    )


def change_status(session: Collaboration, deed: Deed, *, status: SessionStatus) -> Collaboration:
    """Archive, restore or delete, as `SESSION_TRANSITIONS` allows; for the owner."""
    _require_belonging(session, deed)
    require(session, deed.email, Right.OWN)
    if not may_change(SessionKind.COLLABORATION, session.status, status):
        raise StatusRefused(
            _("The session is %(status)s; it cannot become %(next)s.")
            % {"status": session.status.label, "next": status.label},
            status=session.status.value,
        )
    return _touched(replace(session, status=status), deed)


def _touched(session: Collaboration, deed: Deed) -> Collaboration:
    latest = session.last_activity_at
    return replace(session, last_activity_at=deed.at if latest is None else max(latest, deed.at))


def _at_work(session: Collaboration, deed: Deed, right: Right) -> Member:
    """Who acts in a session that is not put away, with the right to."""
    _require_belonging(session, deed)
    _require_open(session)
    return require(session, deed.email, right)


def _require_belonging(session: Collaboration, deed: Deed) -> None:
    if not session.belongs(deed.email):
        raise _stranger(session)


def _stranger(session: Collaboration) -> CollaborationError:
    return Forbidden(
        _("You are not in session “%(session)s”.") % {"session": session.session_id},
        session=session.session_id,
    )


def _require_open(session: Collaboration) -> None:
    if session.status != SessionStatus.ACTIVE:
        raise SessionArchived(
            _("Session “%(session)s” is archived: its owner can restore it.")
            % {"session": session.session_id},
            session=session.session_id,
        )


def _grantable(role: str) -> ParticipantRole:
    if role in _ROLE.values and role != _ROLE.OWNER:
        return ParticipantRole(role)
    known = ", ".join(each.value for each in _ROLE if each is not _ROLE.OWNER)
    raise InvalidRole(
        _("“%(role)s” is no role to give; these are: %(known)s.")
        % {"role": str(role)[:40], "known": known}
    )


def _member(session: Collaboration, email: str) -> Member:
    member = session.members.get(email_of(email) or "")
    if member is None or not member.belongs:
        raise ParticipantNotFound(
            _("%(email)s is not in session “%(session)s”.")
            % {"email": str(email)[:80], "session": session.session_id},
            session=session.session_id,
        )
    return member


def _require_managed(actor: Member, role: ParticipantRole) -> None:
    if role not in MANAGED_ROLES[actor.role]:
        raise Forbidden(
            _("As %(role)s you decide nothing about the role %(other)s.")
            % {"role": actor.role.label, "other": role.label},
            role=role.value,
        )


def _require_not_owner(member: Member, deed: str) -> None:
    if member.role == _ROLE.OWNER:
        raise OwnerStays(
            _("%(email)s owns the session and cannot %(deed)s: transfer the ownership first.")
            % {"email": member.email, "deed": deed}
        )


def _require_change(member: Member, status: ParticipantStatus) -> None:
    if status not in PARTICIPANT_TRANSITIONS[member.status]:
        raise StatusRefused(
            _("%(email)s is %(status)s and cannot become %(next)s.")
            % {"email": member.email, "status": member.status.label, "next": status.label},
            email=member.email,
            status=member.status.value,
        )
