"""Changing collaboration sessions in every stage of the cutover: every change is one action.

Actions take who acts as ``acting_user``, on which ``surface``, why, and a clock. With ``for_owner``
an operator, who need not be in the session, does what its owner may, in the owner's name: the
session says the owner did it, its history who really did. It takes the permission `OPERATE`;
without it the attempt is refused (PermissionRefused), on record. The leading
system holds the session, asks the rules, and writes; the other one then makes the same change of
what it has, both in one transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Final, Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_tools.engine.transitions import record_action
from migrations_tools.services.actors import require_permission
from migrations_tools.states import Surface
from sessions_app.collaboration import rules
from sessions_app.collaboration.errors import (
    Forbidden,
    InvalidEmail,
    InvalidSessionId,
    InvalidTitle,
    SessionExists,
    StatusRefused,
)
from sessions_app.collaboration.rules import Deed, Limits
from sessions_app.collaboration.state import Change, Collaboration, Member, display_name
from sessions_app.cutovers import COLLABORATION
from sessions_app.data_migrations.collaboration_stored import is_carried_over
from sessions_app.models import (
    ParticipantRole,
    ParticipantStatus,
    Session,
    SessionKind,
    SessionStatus,
)
from sessions_app.reading.collaboration import session_id_of, trimmed
from sessions_app.services.collaboration import legacy, new
from sessions_app.services.collaboration.people import (
    Clock,
    Person,
    Signature,
    known_person,
    public_id,
    require_storable,
)

_LONGEST_TITLE: Final = Session._meta.get_field("title").max_length or 0


class _System(Protocol):
    """What `legacy` and `new` both are."""

    def hold(self, session_id: str) -> Collaboration | None: ...

    def write(
        self, before: Collaboration | None, after: Collaboration, signature: Signature
    ) -> None: ...


#: Who may act in the name of a session's owner.
OPERATE: Final = "sessions_app.change_collaborationsession"

#: Looks at a session that is held for a change; raises to refuse it.
Expected = Callable[[Collaboration], None]


def _whatever(session: Collaboration) -> None:
    """Any session is as expected."""


#: From the session as the leading system has it to what it becomes; raises the refusals.
_Decision = Callable[[Collaboration | None], Collaboration]


def create_session(
    *,
    title: str,
    acting_user: Person,
    surface: str,
    description: str = "",
    session_id: str | None = None,
    reason: str = "",
    now: Clock = timezone.now,
) -> Collaboration:
    """A session that the acting person owns. Without ``session_id`` it gets a UUID.

    Raises NotAuthenticated, InvalidEmail (an account without address), InvalidTitle,
    InvalidSessionId or SessionExists.
    """
    signature = _signature("create", acting_user, surface, reason, now)
    if not signature.email:
        raise InvalidEmail(_("Your account has no e-mail address: sessions go by addresses."))
    require_storable(title=title, description=description)
    named = _title(title)
    key = session_id_of(str(uuid.uuid4()) if session_id is None else session_id)
    if key is None:
        raise InvalidSessionId(
            _("An id is a UUID, or 1 to 100 of the signs A–Z, a–z, 0–9, _ and -.")
        )
    if Session.objects.filter(session_id=key).exclude(kind=SessionKind.COLLABORATION).exists():
        raise _taken(key)
    owner = Member(
        email=signature.email,
        display_name=display_name(signature.email),
        role=ParticipantRole.OWNER,
        status=ParticipantStatus.ACTIVE,
        joined_at=signature.at,
    )
    made = Collaboration(
        session_id=key,
        title=named,
        description=trimmed(description),
        status=SessionStatus.ACTIVE,
        created_at=signature.at,
        last_activity_at=signature.at,
        members={owner.email: owner},
    )

    def decide(found: Collaboration | None) -> Collaboration:
        if found is not None:
            raise _taken(key)
        return made

    return _write(key, decide, signature)


def edit_session(
    session_id: str,
    *,
    acting_user: Person,
    surface: str,
    title: str | None = None,
    description: str | None = None,
    for_owner: bool = False,
    reason: str = "",
    now: Clock = timezone.now,
    expected: Expected = _whatever,
) -> Collaboration:
    """Change title and description, or what of them is given; for whoever edits.

    ``expected`` looks at the session as it is held, and raises where it is not what the person
    means to change. Raises InvalidTitle, InvalidValue, SessionArchived, Forbidden, NotFound or
    NotAuthenticated.
    """
    signature = _signature("edit", acting_user, surface, reason, now, for_owner)
    require_storable(title=title or "", description=description or "")
    named = None if title is None else _title(title)
    about = None if description is None else trimmed(description)

    def rule(session: Collaboration, deed: Deed) -> Collaboration:
        return rules.edit(session, deed, title=named, description=about)

    return _change(session_id, _as_seen(rule, expected), signature, surface)


def invite(
    session_id: str,
    *,
    email: str,
    role: str,
    acting_user: Person,
    surface: str,
    for_owner: bool = False,
    reason: str = "",
    now: Clock = timezone.now,
) -> Collaboration:
    """Invite an address as admin, editor or viewer; for owners and admins.

    Raises InvalidEmail, InvalidRole, SelfInvitation, DomainNotAllowed, AlreadyParticipant,
    CapacityReached, StatusRefused (who left comes back by accepting), SessionArchived, Forbidden,
    NotFound or NotAuthenticated.
    """
    limits = Limits(
        settings.CARRYOVER_COLLABORATION_CAPACITY,
        frozenset(domain.lower() for domain in settings.CARRYOVER_COLLABORATION_DOMAINS),
    )
    return _change(
        session_id,
        lambda session, deed: rules.invite(session, deed, email=email, role=role, limits=limits),
        _signature("invite", acting_user, surface, reason, now, for_owner),
        surface,
    )


def accept_invitation(
    session_id: str,
    *,
    acting_user: Person,
    surface: str,
    reason: str = "",
    now: Clock = timezone.now,
) -> Collaboration:
    """Take up one's invitation, or come back after having left.

    Raises StatusRefused, SessionArchived, Forbidden, NotFound or NotAuthenticated.
    """
    signature = _signature("accept", acting_user, surface, reason, now)
    return _change(session_id, rules.accept, signature, surface)


def leave_session(
    session_id: str,
    *,
    acting_user: Person,
    surface: str,
    reason: str = "",
    now: Clock = timezone.now,
) -> Collaboration:
    """Go. Raises OwnerStays, StatusRefused, Forbidden, NotFound or NotAuthenticated."""
    signature = _signature("leave", acting_user, surface, reason, now)
    return _change(session_id, rules.leave, signature, surface)


def remove_participant(
    session_id: str,
    *,
    email: str,
    acting_user: Person,
    surface: str,
    for_owner: bool = False,
    reason: str = "",
    now: Clock = timezone.now,
    expected: Expected = _whatever,
) -> Collaboration:
    """Take somebody out, or an invitation back; the person can be invited again.

    ``expected`` as of `edit_session`. Raises OwnerStays, ParticipantNotFound, SessionArchived,
    Forbidden, NotFound or NotAuthenticated.
    """

    def rule(session: Collaboration, deed: Deed) -> Collaboration:
        return rules.remove(session, deed, email=email)

    signature = _signature("remove", acting_user, surface, reason, now, for_owner)
    return _change(session_id, _as_seen(rule, expected), signature, surface)


def change_role(
    session_id: str,
    *,
    email: str,
    role: str,
    acting_user: Person,
    surface: str,
    for_owner: bool = False,
    reason: str = "",
    now: Clock = timezone.now,
    expected: Expected = _whatever,
) -> Collaboration:
    """Give somebody another role than the owner's; ``expected`` as of `edit_session`.

    Raises InvalidRole, OwnerStays, ParticipantNotFound, SessionArchived, Forbidden, NotFound or
    NotAuthenticated.
    """

    def rule(session: Collaboration, deed: Deed) -> Collaboration:
        return rules.change_role(session, deed, email=email, role=role)

    signature = _signature("change role", acting_user, surface, reason, now, for_owner)
    return _change(session_id, _as_seen(rule, expected), signature, surface)


def transfer_ownership(
    session_id: str,
    *,
    email: str,
    acting_user: Person,
    surface: str,
    for_owner: bool = False,
    reason: str = "",
    now: Clock = timezone.now,
) -> Collaboration:
    """Make an active participant the owner; the acting owner becomes an admin.

    Raises OwnerStays (to oneself), StatusRefused, ParticipantNotFound, SessionArchived, Forbidden,
    NotFound or NotAuthenticated.
    """
    return _change(
        session_id,
        lambda session, deed: rules.transfer(session, deed, email=email),
        _signature("transfer", acting_user, surface, reason, now, for_owner),
        surface,
    )


def archive_session(
    session_id: str,
    *,
    acting_user: Person,
    surface: str,
    for_owner: bool = False,
    reason: str = "",
    now: Clock = timezone.now,
) -> Collaboration:
    """Put a session away; its people still see it. For its owner.

    Raises StatusRefused, Forbidden, NotFound or NotAuthenticated.
    """
    signature = _signature("archive", acting_user, surface, reason, now, for_owner)
    return _change(session_id, _to(SessionStatus.ARCHIVED), signature, surface)


def restore_session(
    session_id: str,
    *,
    acting_user: Person,
    surface: str,
    for_owner: bool = False,
    reason: str = "",
    now: Clock = timezone.now,
) -> Collaboration:
    """Take an archived session up again, as `archive_session`."""
    signature = _signature("restore", acting_user, surface, reason, now, for_owner)
    return _change(session_id, _to(SessionStatus.ACTIVE), signature, surface)


def delete_session(
    session_id: str,
    *,
    acting_user: Person,
    surface: str,
    for_owner: bool = False,
    reason: str = "",
    now: Clock = timezone.now,
    expected: Expected = _whatever,
) -> Collaboration:
    """Hide a session from everybody, for good; its id stays taken. As `archive_session`;
    ``expected`` as of `edit_session`.
    """
    signature = _signature("delete", acting_user, surface, reason, now, for_owner)
    rule = _as_seen(_to(SessionStatus.DELETED), expected)
    return _change(session_id, rule, signature, surface)


def _title(title: str) -> str:
    if not 0 < len(trimmed(title)) <= _LONGEST_TITLE:
        raise InvalidTitle(
            _("A title has 1 to %(longest_title)s characters.") % {"longest_title": _LONGEST_TITLE}
        )
    return trimmed(title)


def _as_seen(rule: rules.Rule, expected: Expected) -> rules.Rule:
    """``rule``, refused where the held session is not as expected; who may not is told that."""

    def checked(session: Collaboration, deed: Deed) -> Collaboration:
        changed = rule(session, deed)
        expected(session)
        return changed

    return checked


def _to(status: SessionStatus) -> rules.Rule:
    return lambda session, deed: rules.change_status(session, deed, status=status)


def _signature(
    action: str,
    acting_user: Person,
    surface: str,
    reason: str,
    now: Clock,
    for_owner: bool = False,
) -> Signature:
    user, email = known_person(acting_user)
    require_storable(reason=reason)
    if for_owner:
        deed = f"{action} in the name of a session's owner"
        require_permission(user, OPERATE, surface=surface, deed=deed)
    told = f"{action} ({Surface(surface).value})"
    told = f"{told}: {reason}" if reason else told
    return Signature(user, email, now(), told, for_owner)


def _change(session_id: str, rule: rules.Rule, signature: Signature, surface: str) -> Collaboration:
    """Apply a rule to a session that is there; who may not is refused on record."""
    key = public_id(session_id)

    def decide(found: Collaboration | None) -> Collaboration:
        session = rules.present(found, key)
        email = _owner_of(session) if signature.for_owner else signature.email
        return rule(session, Deed(email, signature.at))

    try:
        return _write(key, decide, signature)
    except Forbidden:
        with transaction.atomic():
            record_action(
                None,
                action="refused",
                acting_user=signature.user,
                surface=surface,
                details={"deed": signature.reason, "session": key},
            )
        raise


def _owner_of(session: Collaboration) -> str:
    if session.owner is None:
        raise StatusRefused(
            _("Nobody owns session “%(session)s”: nobody can act for its owner.")
            % {"session": session.session_id},
            status=session.status.value,
        )
    return session.owner.email


def _write(key: str, decide: _Decision, signature: Signature) -> Collaboration:
    def by(system: _System) -> Callable[[Change | None], Change]:
        def act(led: Change | None) -> Change:
            found = system.hold(key)
            change = Change(found, decide(found)) if led is None else led
            if led is not None and change.before is not None and not _follows(found):
                return change
            if found is not None and change.before is None:
                raise _taken(key)
            after = change.after if found is None else change.on(found)
            if after != found:
                system.write(found, after, signature)
            return change

        return act

    return COLLABORATION.write(legacy=by(legacy), new=by(new), source_key=key).after


def _follows(found: Collaboration | None) -> bool:
    """Whether the other system's session is the same one.

    It may not be carried over yet, or made in one system alone; another one may have its id.
    """
    return found is not None and is_carried_over(found.session_id)


def _taken(key: str) -> SessionExists:
    return SessionExists(_("There is a session “%(key)s” already.") % {"key": key}, session=key)
