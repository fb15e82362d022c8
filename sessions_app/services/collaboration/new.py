"""The new system: `Session` and its participants, with their history."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from django.db import IntegrityError, transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from migrations_tools.signing import save
from sessions_app.collaboration.errors import SessionExists
from sessions_app.collaboration.state import Change, Collaboration
from sessions_app.cutovers import COLLABORATION
from sessions_app.data_migrations.collaboration_stored import DUAL_WRITE
from sessions_app.models import ParticipantRole, Session, SessionKind, SessionParticipant
from sessions_app.selectors.collaboration import files_of, session_by_id, sessions_of
from sessions_app.services.collaboration.people import Signature

__all__ = ["files_of", "find", "hold", "sessions_of", "write"]

_PERSON_COLUMNS: Final = (
    "display_name",
    "role",
    "status",
    "invited_by",
    "invited_at",
    "joined_at",
)

find = session_by_id


def hold(session_id: str) -> Collaboration | None:
    """The session as it is, nobody else changing it until the transaction ends."""
    rows = Session.objects.filter(kind=SessionKind.COLLABORATION, session_id=session_id)
    if rows.select_for_update(no_key=True).values_list("pk").first() is None:
        return None
    return find(session_id)


def write(before: Collaboration | None, after: Collaboration, signature: Signature) -> None:
    """Bring a held session, or a new one, from ``before`` to ``after``. Raises SessionExists."""
    change = Change(before, after)
    reason = (DUAL_WRITE if COLLABORATION.writes_both() else "") + signature.reason
    values = change.values()
    if before is None:
        session = _created(after, signature, reason)
    else:
        session = Session.objects.get(session_id=after.session_id)
        for name, value in values.items():
            setattr(session, name, value)
        if "last_activity_at" in values:
            session.updated_at = after.last_activity_at or session.updated_at
        if values:
            _save(session, signature, reason)
    there = {person.email: person for person in session.participants.all()}
    # who takes an ownership over comes last: there is one owner at any time
    for member in sorted(change.members(), key=lambda each: each.role == ParticipantRole.OWNER):
        person = there.get(member.email) or SessionParticipant(session=session, email=member.email)
        for name in _PERSON_COLUMNS:
            setattr(person, name, getattr(member, name))
        _link(person, there.values(), signature)
        _save(person, signature, reason)


def _created(after: Collaboration, signature: Signature, reason: str) -> Session:
    session = Session(
        session_id=after.session_id,
        kind=SessionKind.COLLABORATION,
        title=after.title,
        description=after.description,
        status=after.status,
        created_at=after.created_at,
        updated_at=after.last_activity_at or after.created_at,
        last_activity_at=after.last_activity_at,
    )
    try:
        with transaction.atomic():
            _save(session, signature, reason)
    except IntegrityError as error:
        if not Session.objects.filter(session_id=after.session_id).exists():
            raise
        raise SessionExists(
            _("There is a session “%(session)s” already.") % {"session": after.session_id},
            session=after.session_id,
        ) from error
    return session


def _link(
    person: SessionParticipant, there: Iterable[SessionParticipant], signature: Signature
) -> None:
    """Remember the account of who acts, unless it is in the session by another address."""
    if signature.for_owner or person.email != signature.email or person.user_id is not None:
        return
    if all(other.user_id != signature.user.pk for other in there):
        person.user = signature.user


def _save(obj: Model, signature: Signature, reason: str) -> None:
    save(obj, acting_user=signature.user, reason=reason)
