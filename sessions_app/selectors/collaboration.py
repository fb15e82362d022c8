"""Collaboration sessions as either system has them, for reading (collaboration.md "Living with
both systems").

The old path is kept as the old platform had it: two look-ups in its rows, and merging in code.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Exists, Func, OuterRef, Q, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower

from migrations_tools.definitions import Reject
from sessions_app.collaboration.state import Collaboration, Member, StoredFile, newest_first
from sessions_app.data_migrations.collaboration_decisions import decisions_of, is_decisions
from sessions_app.data_migrations.collaboration_documents import Person, Warnings, read_row
from sessions_app.data_migrations.collaboration_weighing import Weighed, weigh
from sessions_app.models import (
    LegacyCollaborationRow,
    ParticipantRole,
    ParticipantStatus,
    Session,
    SessionFile,
    SessionKind,
    SessionParticipant,
    SessionStatus,
)
from sessions_app.reading.collaboration import BLANKS

Rows = Iterable[LegacyCollaborationRow]

# ------------------------------------------------------------------------------ the old system


def legacy_sessions_of(email: str) -> list[Collaboration]:
    """Sessions that the person created, was invited to or acts in, newest activity first.

    Deleted ones are left out, those that the person left or was removed from, and those that
    nobody owns, as they are by the migration (R4).
    """
    address = email.strip().lower()
    named = LegacyCollaborationRow.objects.annotate(
        sender=_address("email"), invitee=_address("invited_email")
    ).filter(Q(sender=address) | Q(invitee=address), ~Q(session_key__startswith="row:"))
    keys = set(named.values_list("session_key", flat=True))
    rows: defaultdict[str, list[LegacyCollaborationRow]] = defaultdict(list)
    for row in LegacyCollaborationRow.objects.filter(session_key__in=keys):
        rows[row.session_key].append(row)
    found = (legacy_state(key, of_session) for key, of_session in rows.items())
    return newest_first(
        [
            session
            for session in found
            if session is not None
            and session.status != SessionStatus.DELETED
            and session.belongs(address)
        ]
    )


def _address(field: str) -> Lower:
    """An address of a document, trimmed of what R2 trims."""
    text = Func(KeyTextTransform(field, "document"), Value(BLANKS), function="btrim")
    return Lower(text, output_field=TextField())


def legacy_session(session_key: str) -> Collaboration | None:
    """The session of that canonical id, a deleted one too."""
    rows = list(LegacyCollaborationRow.objects.filter(session_key=session_key))
    return legacy_state(session_key, rows) if rows else None


def legacy_state(session_key: str, rows: Rows) -> Collaboration | None:
    """What the rows of a session say, or None where nobody owns it."""
    weighed = _weighed(session_key, rows)
    return None if weighed is None else state_of(session_key, weighed)


def legacy_files(session_key: str) -> list[StoredFile]:
    """The files of the session by name and path."""
    weighed = _weighed(session_key, LegacyCollaborationRow.objects.filter(session_key=session_key))
    files = {} if weighed is None else weighed.files
    return sorted(
        StoredFile(name.name, name.path, upload.uploaded_by, upload.uploaded_at)
        for name, upload in files.items()
    )


def _weighed(session_key: str, rows: Rows) -> Weighed | None:
    rows = list(rows)
    warnings: Warnings = []
    facts = [read_row(row, warnings) for row in rows if not is_decisions(row)]
    try:
        return weigh(session_key, facts, warnings, decisions_of(rows))
    except Reject:
        return None


def state_of(session_key: str, weighed: Weighed) -> Collaboration:
    return Collaboration(
        session_id=session_key,
        title=weighed.title,
        description=weighed.description,
        status=weighed.status,
        created_at=weighed.created_at,
        last_activity_at=weighed.updated_at,
        members={email: _member(email, person) for email, person in weighed.people.items()},
    )


def _member(email: str, person: Person) -> Member:
    return Member(
        email=email,
        display_name=person.display_name,
        role=person.role,
        status=person.status,
        invited_by=person.invited_by,
        invited_at=person.invited_at,
        joined_at=person.joined_at,
    )


# ------------------------------------------------------------------------------ the new system


def sessions_of(email: str) -> list[Collaboration]:
    """The same from the new tables, in two queries."""
    sessions = Session.objects.of_person(email).filter(kind=SessionKind.COLLABORATION)
    return newest_first([state_of_session(found) for found in sessions.with_participants()])


def session_by_id(session_id: str) -> Collaboration | None:
    """The collaboration session of that public id, a deleted one too."""
    found = (
        Session.objects.filter(kind=SessionKind.COLLABORATION, session_id=session_id)
        .with_participants()
        .first()
    )
    return None if found is None else state_of_session(found)


def state_of_session(session: Session) -> Collaboration:
    """A stored session with its participants, as `participants` has them."""
    return Collaboration(
        session_id=session.session_id,
        title=session.title,
        description=session.description,
        status=SessionStatus(session.status),
        created_at=session.created_at,
        last_activity_at=session.last_activity_at,
        members={person.email: member_of(person) for person in session.participants.all()},
    )


def member_of(person: SessionParticipant) -> Member:
    return Member(
        email=person.email,
        display_name=person.display_name,
        role=ParticipantRole(person.role),
        status=ParticipantStatus(person.status),
        invited_by=person.invited_by,
        invited_at=person.invited_at,
        joined_at=person.joined_at,
    )


def files_of(session_id: str) -> list[StoredFile]:
    """The files of the session by name and path."""
    rows = SessionFile.objects.filter(
        session__session_id=session_id, session__kind=SessionKind.COLLABORATION
    ).values_list("name", "path", "uploaded_by", "uploaded_at")
    return sorted(StoredFile(*row) for row in rows)


def sessions_only_here() -> list[str]:
    """Public ids of the sessions, deleted ones aside, that the old rows do not know."""
    old = LegacyCollaborationRow.objects.filter(session_key=OuterRef("session_id"))
    sessions = Session.objects.present().filter(~Exists(old), kind=SessionKind.COLLABORATION)
    return list(sessions.order_by("session_id").values_list("session_id", flat=True))
