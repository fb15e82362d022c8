"""The old system: documents of one collection, written as the old platform wrote them.

A creation row, an invitation row, an access word – ``edit``, ``view`` –: what these words can say
is said in them. The rest goes into the session's row of decisions
(`sessions_app.data_migrations.collaboration_decisions`): the rows are weighed after the change, and
what they do not tell has to be decided. Once something was done about a person, it stays there: an
older export that is imported again does not undo it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from django.db import connection
from django.utils.translation import gettext as _

from migrations_tools.definitions import Reject
from migrations_tools.imports.values import canonical, content_hash
from sessions_app.collaboration.errors import SessionExists
from sessions_app.collaboration.state import Change, Collaboration, Member
from sessions_app.data_migrations.collaboration_decisions import (
    NOTHING,
    PREFIX,
    Decisions,
    as_document,
    decisions_of,
    is_decisions,
)
from sessions_app.data_migrations.collaboration_documents import (
    Fact,
    Person,
    RowKind,
    read_row,
)
from sessions_app.data_migrations.collaboration_weighing import Weighed, weigh
from sessions_app.models import LegacyCollaborationRow, ParticipantRole, ParticipantStatus
from sessions_app.reading.collaboration import session_id_of
from sessions_app.selectors.collaboration import (
    legacy_files,
    legacy_session,
    legacy_sessions_of,
    state_of,
)
from sessions_app.services.collaboration.people import Signature

__all__ = ["files_of", "find", "hold", "sessions_of", "write"]

#: The old platform's words for roles; it has none for the owner.
ACCESS_WORDS: Final[Mapping[ParticipantRole, str]] = {
    ParticipantRole.ADMIN: "admin",
    ParticipantRole.EDITOR: "edit",
    ParticipantRole.VIEWER: "view",
}
_CREATOR: Final = "edit"  # what the old platform wrote on creation rows

_LOCKS: Final = 0x636F6C6C  # tells these advisory locks from others

sessions_of = legacy_sessions_of
files_of = legacy_files


def find(session_id: str) -> Collaboration | None:
    """The session that the rows tell of; rows without a session id are none."""
    return legacy_session(session_id) if session_id_of(session_id) == session_id else None


def hold(session_id: str) -> Collaboration | None:
    """The session as it is, nobody else changing it until the transaction ends.

    A new session has no row to lock, and an invitation adds one, so writers wait at the id; the
    rows are locked besides as runs lock them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, %s))", [session_id, _LOCKS]
        )
    rows = LegacyCollaborationRow.objects.filter(session_key=session_id).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))
    return find(session_id)


def write(before: Collaboration | None, after: Collaboration, signature: Signature) -> None:
    """Bring a held session, or a new one, from ``before`` to ``after``. Raises SessionExists."""
    key = after.session_id
    if before is None:
        if LegacyCollaborationRow.objects.filter(session_key=key).exists():
            # rows that nobody owns: they are no session, and would become part of this one
            raise SessionExists(
                _("There are old rows of session “%(key)s”.") % {"key": key}, session=key
            )
        owner = after.owner.email if after.owner else signature.email
        _insert(key, {**_text(after), "email": owner, "access": _CREATOR}, after.created_at)
        _decide(after, told=True)
        return
    facts = _facts(key)
    told, changed = False, set()
    for member in Change(before, after).members():
        was = before.members.get(member.email)
        if was is None or _is_invited_again(was, member):
            _insert(key, {**_text(after), **_invitation(member)}, member.invited_at or signature.at)
            told = True
        if was is not None:
            changed.add(member.email)
        if was is not None and was.role != member.role:
            _write_access(key, facts, member)
    _decide(after, told=told, changed=changed)


def _is_invited_again(was: Member, now: Member) -> bool:
    return was.status == ParticipantStatus.REMOVED and now.status == ParticipantStatus.INVITED


def _text(session: Collaboration) -> dict[str, str]:
    return {"name": session.title, "description": session.description}


def _invitation(member: Member) -> dict[str, str]:
    return {
        "email": member.invited_by,
        "invited_email": member.email,
        "access": ACCESS_WORDS.get(member.role, _CREATOR),
    }


def _insert(key: str, values: Mapping[str, str], at: datetime) -> None:
    """A row as the old platform would have made it at that time, under an ObjectId of that time."""
    seconds = int(at.timestamp()) & 0xFFFFFFFF
    row_id = f"{seconds:08x}{secrets.token_hex(8)}"
    document = {
        "_id": row_id,
        "session_id": key,
        **values,
        "uploaded_at": at.astimezone(UTC).isoformat(),
    }
    LegacyCollaborationRow.objects.create(key=row_id, session_key=key, **_content(document))


def _content(document: Mapping[str, Any]) -> dict[str, Any]:
    content = canonical(document)
    return {"line": content, "document": document, "content_hash": content_hash(content)}


def _facts(key: str) -> list[Fact]:
    """What the old platform's own rows say."""
    rows = LegacyCollaborationRow.objects.filter(session_key=key)
    return [read_row(row, []) for row in rows if not is_decisions(row)]


def _write_access(key: str, facts: Sequence[Fact], member: Member) -> None:
    """The word of the role on every invitation of the member."""
    word = ACCESS_WORDS.get(member.role)
    theirs = [
        fact.key
        for fact in facts
        if fact.kind is RowKind.INVITATION and fact.invited == member.email
    ]
    if word is None or not theirs:
        return
    for row in LegacyCollaborationRow.objects.filter(session_key=key, key__in=theirs):
        row.document["access"] = word
        row.line = _with_access(row.line, word) or canonical(row.document)
        row.content_hash = content_hash(canonical(row.document))
        row.save(update_fields=["document", "line", "content_hash"])


def _with_access(line: str, word: str) -> str | None:
    """The exported text with another word; None where it is no JSON object."""
    try:
        values = json.loads(line)
    except ValueError:
        return None
    return json.dumps({**values, "access": word}) if isinstance(values, dict) else None


def _decide(after: Collaboration, *, told: bool, changed: Collection[str] = ()) -> None:
    """Keep beside the rows what they do not tell of the session.

    Each change leaves rows that never were before: a run would take rows that are again as an
    earlier run saw them for carried over. So the row of decisions stays, and counts its changes;
    without any it is only left out where a new row has ``told`` it all.
    """
    key = PREFIX + after.session_id
    there = LegacyCollaborationRow.objects.filter(key=key, legacy_import=None).first()
    former = NOTHING if there is None else decisions_of([there])
    decisions = _decisions(after, _facts(after.session_id), {*former.people, *changed})
    if there is None and told and decisions == NOTHING:
        return
    document = as_document(after.session_id, replace(decisions, revision=former.revision + 1))
    LegacyCollaborationRow.objects.update_or_create(
        key=key,
        defaults={
            "session_key": after.session_id,
            "legacy_import": None,
            **_content(document),
        },
    )


def _decisions(after: Collaboration, facts: Sequence[Fact], decided: Collection[str]) -> Decisions:
    """What the facts do not tell of the session, and all of the people that are ``decided``."""
    people = {}
    weighed = _weighed(after, facts, NOTHING)
    owner = after.owner
    if owner is not None and (weighed is None or weighed.owner != owner.email):
        people[owner.email] = _person(owner)
        weighed = weigh(after.session_id, facts, [], Decisions(people=people))
    if weighed is None:
        return NOTHING
    told = state_of(after.session_id, weighed)
    people |= {
        email: _person(member)
        for email, member in after.members.items()
        if email in decided or told.members.get(email) != member
    }
    return Decisions(
        people=people,
        status=after.status,
        title=None if told.title == after.title else after.title,
        description=None if told.description == after.description else after.description,
        created_at=None if told.created_at == after.created_at else after.created_at,
        updated_at=None
        if told.last_activity_at == after.last_activity_at
        else after.last_activity_at,
    )


def _weighed(after: Collaboration, facts: Sequence[Fact], decisions: Decisions) -> Weighed | None:
    try:
        return weigh(after.session_id, facts, [], decisions)
    except Reject:
        return None


def _person(member: Member) -> Person:
    return Person(
        role=member.role,
        status=member.status,
        display_name=member.display_name,
        invited_by=member.invited_by,
        invited_at=member.invited_at,
        joined_at=member.joined_at,
    )
