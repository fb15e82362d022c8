"""From a weighed session to changes: a new one, or one that stands and follows its old rows.

What people edited here stays as it is (collaboration.md R11).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from django.utils.translation import gettext_noop

from migrations_tools.definitions import Delete, Insert, Update, Warning_, build
from migrations_tools.definitions.changes import Change
from sessions_app.data_migrations.collaboration_documents import FileName, Person
from sessions_app.data_migrations.collaboration_stored import Stored, StoredSession
from sessions_app.data_migrations.collaboration_weighing import Upload, Weighed
from sessions_app.models import (
    ParticipantRole,
    ParticipantStatus,
    Session,
    SessionFile,
    SessionKind,
    SessionParticipant,
)

_OWNER: Final = ParticipantRole.OWNER.value
_KIND: Final = SessionKind.COLLABORATION.value


def new_session(session_id: str, weighed: Weighed) -> list[Change]:
    """Everything of a session that is not there yet."""
    session = build(
        Session,
        session_id=session_id,
        kind=_KIND,
        metadata={},
        **_session_values(weighed),
    )
    people = [
        _new_person(session, email, _person_values(person))
        for email, person in weighed.people.items()
    ]
    files = [_new_file(session, name, upload) for name, upload in weighed.files.items()]
    return [Insert(session), *people, *files]


def merge(weighed: Weighed, stored: StoredSession) -> list[Change]:
    """What brings a session up to its old rows. Adds to the warnings where an edit forbids it."""
    return [
        *_update(stored.session, _session_values(weighed)),
        *_merge_people(weighed, stored),
        *_merge_files(weighed, stored),
    ]


def _session_values(weighed: Weighed) -> dict[str, Any]:
    return {
        "title": weighed.title,
        "description": weighed.description,
        "status": weighed.status.value,
        "created_at": weighed.created_at,
        "updated_at": weighed.updated_at,
        "last_activity_at": weighed.updated_at,
    }


def _person_values(person: Person) -> dict[str, Any]:
    return {
        "role": person.role.value,
        "status": person.status.value,
        "invited_by": person.invited_by,
        "invited_at": person.invited_at,
        "joined_at": person.joined_at,
        "display_name": person.display_name,
    }


def _new_person(session: Session, email: str, values: Mapping[str, Any]) -> Insert:
    return Insert(build(SessionParticipant, session=session, email=email, **values))


def _new_file(session: Session, name: FileName, upload: Upload) -> Insert:
    return Insert(
        build(
            SessionFile,
            session=session,
            name=name.name,
            path=name.path,
            uploaded_by=upload.uploaded_by,
            uploaded_at=upload.uploaded_at,
        )
    )


def _update(stored: Stored[Any], values: Mapping[str, Any]) -> Iterator[Update]:
    """The columns that differ and that nobody edited here."""
    changed = {
        name: value
        for name, value in values.items()
        if name not in stored.edited and getattr(stored.obj, name) != value
    }
    if changed:
        yield Update(stored.obj, **changed)


def _is_untouched(stored: Stored[Any]) -> bool:
    return stored.is_ours and not stored.edited


def _merge_people(weighed: Weighed, stored: StoredSession) -> Iterator[Change]:
    owner = _owner_to_be(weighed, stored)
    session = stored.session.obj
    for email, person in weighed.people.items():
        values = _person_values(person)
        there = stored.people.get(email)
        if (email == weighed.owner) != (email == owner):
            del values["role"]  # ownership was decided here
            if email == owner:
                del values["status"]  # an owner is active, whatever the old rows say
        if there is None:
            if email not in stored.deleted_people:
                yield _new_person(session, email, _FOLLOWER | values)
        elif email == owner and there.obj.role != _OWNER:
            # New rows are written after the former owner's gave the ownership up.
            yield Delete(there.obj)
            yield _new_person(session, email, {**values, "user_id": there.obj.user_id})
        else:
            yield from _update(there, values)
    for email, there in stored.people.items():
        if email not in weighed.people and email != owner and _is_untouched(there):
            yield Delete(there.obj)


#: Whom the old rows name as owner, where somebody else is.
_FOLLOWER: Final[dict[str, Any]] = {
    "role": ParticipantRole.EDITOR.value,
    "status": ParticipantStatus.ACTIVE.value,
}


def _owner_to_be(weighed: Weighed, stored: StoredSession) -> str | None:
    """Who owns the session afterwards: the owner of the old rows, unless people decided here.

    They did if the owner is one by their hand, or if they edited or deleted either of the two
    between whom the ownership would move.
    """
    now = next((email for email, there in stored.people.items() if there.obj.role == _OWNER), None)
    if now == weighed.owner:
        return now
    holder, to_be = stored.people.get(now or ""), stored.people.get(weighed.owner)
    may_move = (
        weighed.owner not in stored.deleted_people
        and (to_be is None or _is_untouched(to_be))
        and (holder is None or _is_untouched(holder))
    )
    if may_move:
        return weighed.owner
    detail = gettext_noop("The old rows name %(owner)s as owner; %(now)s is, as decided here.") % {
        "owner": weighed.owner,
        "now": now or "nobody",
    }
    weighed.warnings.append(Warning_("owner_kept", detail))
    return now


def _merge_files(weighed: Weighed, stored: StoredSession) -> Iterator[Change]:
    for name, upload in weighed.files.items():
        there = stored.files.get(name)
        if there is not None:
            values = {"uploaded_by": upload.uploaded_by, "uploaded_at": upload.uploaded_at}
            yield from _update(there, values)
        elif name not in stored.deleted_files:
            yield _new_file(stored.session.obj, name, upload)
    for name, stored_file in stored.files.items():
        if name not in weighed.files and _is_untouched(stored_file):
            yield Delete(stored_file.obj)
