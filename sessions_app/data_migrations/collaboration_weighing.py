"""What the rows of one session say together (collaboration.md R4–R10), whatever their order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from django.utils.translation import gettext_noop

from migrations_tools.definitions import Reject, Warning_
from sessions_app.data_migrations.collaboration_decisions import NOTHING, Decisions
from sessions_app.data_migrations.collaboration_documents import (
    Fact,
    FileName,
    Person,
    RowKind,
    Warnings,
)
from sessions_app.models import ParticipantRole, ParticipantStatus, Session, SessionStatus

_LONGEST_TITLE: Final = Session._meta.get_field("title").max_length or 0


@dataclass(slots=True)
class Upload:
    """Who put a file there, and when."""

    uploaded_by: str
    uploaded_at: datetime | None


@dataclass(slots=True)
class Weighed:
    """A session as the old rows have it; people by e-mail, files by name and path."""

    title: str
    description: str
    status: SessionStatus
    created_at: datetime
    updated_at: datetime
    owner: str
    people: Mapping[str, Person]
    files: Mapping[FileName, Upload]
    warnings: Warnings


@dataclass(slots=True)
class _Evidence:
    """The rows of one person, earliest first in each list."""

    invitations: list[Fact] = field(default_factory=list)  # in which they are the invitee
    self_invitations: list[Fact] = field(default_factory=list)
    creations: list[Fact] = field(default_factory=list)
    uploads: list[Fact] = field(default_factory=list)
    invited_others: list[Fact] = field(default_factory=list)

    def presence(self) -> Iterable[Fact]:
        """Rows that show that the person was there (R7)."""
        yield from self.creations
        yield from self.uploads
        yield from self.invited_others
        yield from self.self_invitations


#: What a row is evidence of for the person in its field ``email``.
_ROWS_OF_SENDER: Final = {
    RowKind.CREATION: "creations",
    RowKind.UPLOAD: "uploads",
    RowKind.INVITATION: "invited_others",
    RowKind.SELF_INVITATION: "self_invitations",
}


def weigh(
    session_id: str, facts: Sequence[Fact], warnings: Warnings, decisions: Decisions = NOTHING
) -> Weighed:
    """The session that the rows describe; ``warnings`` of their reading are kept first.

    What was decided here stands over what the rows say. Raises Reject (``no_owner``) where nobody
    can be its owner (R4).
    """
    ordered = sorted(facts, key=lambda fact: fact.order)
    evidence = _evidence(ordered)
    owner = decisions.owner or _owner(ordered, warnings)
    people = {
        email: _owner_person(email, of_person)
        if email == owner
        else _person(email, of_person, warnings)
        for email, of_person in sorted(evidence.items())
        if email not in decisions.people
    }
    _tell_of_text(ordered, owner, evidence, warnings)
    own = evidence[owner].creations if owner in evidence else []
    title = _text("name", own, ordered) or f"Session {session_id}"
    if len(title) > _LONGEST_TITLE:
        detail = gettext_noop(
            "The name has %(title)s characters and is cut after %(longest_title)s."
        ) % {"title": len(title), "longest_title": _LONGEST_TITLE}
        warnings.append(Warning_("name_truncated", detail))
    created_at, updated_at = _times(ordered, warnings)
    return Weighed(
        title=(title if decisions.title is None else decisions.title)[:_LONGEST_TITLE],
        description=_text("description", own, ordered)
        if decisions.description is None
        else decisions.description,
        status=decisions.status,
        created_at=decisions.created_at or created_at,
        updated_at=max(filter(None, (updated_at, decisions.updated_at))),
        owner=owner,
        people=dict(sorted({**people, **decisions.people}.items())),
        files=_files(ordered),
        warnings=warnings,
    )


def _evidence(ordered: Sequence[Fact]) -> Mapping[str, _Evidence]:
    """Everybody whom a row names, with their rows; orphan rows name nobody."""
    people: defaultdict[str, _Evidence] = defaultdict(_Evidence)
    for fact in ordered:
        if fact.kind is RowKind.INVITATION and fact.invited:
            people[fact.invited].invitations.append(fact)
        rows = _ROWS_OF_SENDER.get(fact.kind)
        if rows and fact.email:
            getattr(people[fact.email], rows).append(fact)
    return people


def _owner(ordered: Sequence[Fact], warnings: Warnings) -> str:
    """R4: the earliest creator, else the busiest inviter, else the earliest uploader."""
    for fact in ordered:
        if fact.kind is RowKind.CREATION and fact.email:
            return fact.email
    inviters = [fact.email for fact in ordered if fact.kind is RowKind.INVITATION and fact.email]
    if inviters:
        owner, number = Counter(inviters).most_common(1)[0]  # of equals the one met first
        detail = gettext_noop(
            "No row of a creator is left; %(owner)s invited most (%(number)s)."
        ) % {"owner": owner, "number": number}
        warnings.append(Warning_("owner_inferred", detail))
        return owner
    for fact in ordered:
        if fact.kind is RowKind.UPLOAD and fact.email:
            detail = gettext_noop(
                "No row of a creator or an inviter is left; %(email)s uploaded first."
            ) % {"email": fact.email}
            warnings.append(Warning_("owner_inferred_from_upload", detail))
            return fact.email
    raise Reject("no_owner", gettext_noop("No row names a creator, an inviter or an uploader."))


def _owner_person(email: str, evidence: _Evidence) -> Person:
    return Person(
        role=ParticipantRole.OWNER,
        status=ParticipantStatus.ACTIVE,
        display_name=_display_name(email),
        joined_at=_joined_at(evidence),
    )


def _person(email: str, evidence: _Evidence, warnings: Warnings) -> Person:
    """R5–R7 for everybody but the owner."""
    is_present = any(True for _ in evidence.presence())
    person = Person(
        role=_role(email, evidence, warnings),
        status=ParticipantStatus.ACTIVE if is_present else ParticipantStatus.INVITED,
        display_name=_display_name(email),
        joined_at=_joined_at(evidence),
    )
    if evidence.invitations:
        earliest = evidence.invitations[0]
        person.invited_by = earliest.email or ""
        person.invited_at = earliest.at
    return person


def _role(email: str, evidence: _Evidence, warnings: Warnings) -> ParticipantRole:
    """R5: the earliest invitation decides; without one, what else the person did.

    The rules do not say what follows for people who did nothing but invite others, or invited
    only themselves: the first are editors, the second have the role they gave themselves.
    """
    granting = evidence.invitations
    if not granting:
        for rows, code in (
            (evidence.creations, "multiple_creators"),
            (evidence.uploads, "upload_only_participant"),
            (evidence.invited_others, "inviter_only_participant"),
        ):
            if rows:
                detail = gettext_noop(
                    "%(email)s is known by row %(key)s alone and becomes editor."
                ) % {"email": email, "key": rows[0].key}
                warnings.append(Warning_(code, detail))
                return ParticipantRole.EDITOR
        granting = evidence.self_invitations
        detail = gettext_noop("%(email)s was invited by nobody else (row %(key)s).") % {
            "email": email,
            "key": granting[0].key,
        }
        warnings.append(Warning_("self_invited_participant", detail))
    for fact in granting:
        if fact.access_warning:
            said = "no access word" if fact.access_warning == "access_missing" else fact.access
            detail = gettext_noop("Row %(key)s grants %(email)s %(said)s: read as %(role)s.") % {
                "key": fact.key,
                "email": email,
                "said": said,
                "role": fact.role,
            }
            warnings.append(Warning_(fact.access_warning, detail))
    if len({fact.role for fact in granting}) > 1:
        told = ", ".join(f"{fact.key} ({fact.role})" for fact in granting)
        detail = gettext_noop(
            "%(email)s was invited as different things by rows %(told)s; the first counts."
        ) % {"email": email, "told": told}
        warnings.append(Warning_("access_conflict", detail))
    return granting[0].role


def _joined_at(evidence: _Evidence) -> datetime | None:
    return min((fact.at for fact in evidence.presence() if fact.at), default=None)


def _display_name(email: str) -> str:
    return email.partition("@")[0][:255]


def _text(name: str, own: Sequence[Fact], ordered: Sequence[Fact]) -> str:
    """R9: of the owner's creation rows, else of any row, the first that is not blank."""
    texts = (getattr(fact, name) for rows in (own, ordered) for fact in rows)
    return next(filter(None, texts), "")


def _tell_of_text(
    ordered: Sequence[Fact], owner: str, evidence: Mapping[str, _Evidence], warnings: Warnings
) -> None:
    """Copies that drifted (R9). What ``multiple_creators`` tells of is another text, no copy."""
    others = {
        fact.key
        for email, of_person in evidence.items()
        if email != owner and not of_person.invitations
        for fact in of_person.creations
    }
    for name in ("name", "description"):
        texts = dict.fromkeys(
            getattr(fact, name) for fact in ordered if fact.key not in others
        ).keys() - {""}
        if len(texts) > 1:
            shown = ", ".join(f"“{text[:40]}”" for text in sorted(texts)[:3])
            detail = gettext_noop(
                "The rows have %(texts)s different texts as %(name)s: %(shown)s"
            ) % {"texts": len(texts), "name": name, "shown": shown}
            warnings.append(Warning_("name_conflict", detail))


def _times(ordered: Sequence[Fact], warnings: Warnings) -> tuple[datetime, datetime]:
    """R8: when the session was made, and when something happened last."""
    valid = [fact.uploaded_at for fact in ordered if fact.uploaded_at]
    if valid:
        of_creators = [
            fact.uploaded_at
            for fact in ordered
            if fact.kind is RowKind.CREATION and fact.uploaded_at
        ]
        return min(of_creators or valid), max(valid)
    made = [fact.made_at for fact in ordered if fact.made_at]
    if made:
        return min(made), max(made)
    warnings.append(
        Warning_("no_date", gettext_noop("No row has a time; that of the import is taken."))
    )
    staged = [fact.staged_at for fact in ordered]
    return min(staged), max(staged)


#: Whose row tells best who put a file there (R10); other rows only copy the last upload.
_TELLING: Final = (RowKind.UPLOAD, RowKind.CREATION)


def _files(ordered: Sequence[Fact]) -> dict[FileName, Upload]:
    """Every file once, with its earliest uploader; of copies alone nobody knows who it was."""
    files: dict[FileName, Upload] = {}
    for kind in _TELLING:
        for fact in ordered:
            if fact.kind is kind and fact.file is not None:
                files.setdefault(fact.file, Upload(fact.email or "", fact.at))
    for fact in ordered:
        if fact.file is not None:
            files.setdefault(fact.file, Upload("", fact.at))
    return dict(sorted(files.items()))
