"""Saving contest sessions (contests.md "Saving and analytics")."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models import Model, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from migrations_tools.definitions import Warning_
from migrations_tools.exceptions import CarryoverError, PermissionRefused, TransitionRefused
from migrations_tools.services.actors import record_refusal
from migrations_tools.signing import delete, save
from migrations_tools.states import Surface
from migrations_tools.text import storable
from migrations_tools.told import told
from sessions_app.contests.building import attempt_values, result_values, session_title
from sessions_app.contests.problems import complete
from sessions_app.contests.reading import (
    LONGEST_NAME,
    ContestDocument,
    Unreadable,
    read_document,
)
from sessions_app.legacy_imports.contests import CONTEST_USERS
from sessions_app.models import (
    ContestResult,
    LegacyIdentity,
    ProblemAttempt,
    Session,
    SessionKind,
)
from sessions_app.models.session import may_change
from sessions_app.reading.blanks import is_blank
from sessions_app.selectors.contest_bank import bank_of

#: What has to be in a document that is saved.
REQUIRED: Final = ("session_id", "year", "contest", "problems_attempted")

MOST_ATTEMPTS: Final = 1_000  # in one session
PAUSE: Final = 1  # seconds between two saves of one account


class InvalidContestSession(CarryoverError):
    """400: data is missing or cannot be read; ``missing`` names the fields that are not there."""

    code = "invalid_document"
    http_status = 400


class SavedTooSoon(CarryoverError):
    """429: the account saved less than a second ago."""

    code = "saved_too_soon"
    http_status = 429


class SessionIdTaken(CarryoverError):
    """409: the id belongs to a session that is not the person's own."""

    code = "session_id_taken"


class SaveOutcome(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Saved:
    """The session, what became of it, and what was noticed in the document."""

    session: Session
    outcome: SaveOutcome
    warnings: Sequence[Warning_]


def save_contest_session(
    values: Mapping[str, Any],
    *,
    acting_user: User,
    surface: str = Surface.API,
    now: datetime | None = None,
) -> Saved:
    """Save the person's own session; ``now`` stands in for the database's clock.

    The same content again changes nothing; other content of the same session id is written in
    place, and when the session was made stays. Raises InvalidContestSession, SavedTooSoon,
    SessionIdTaken, PermissionRefused, TransitionRefused.
    """
    try:
        document = _read(values, acting_user)
    except PermissionRefused:
        record_refusal(acting_user, surface=surface, deed="save a session of somebody else")
        raise
    with transaction.atomic():
        return _save(document, acting_user, now)


def _save(document: ContestDocument, acting_user: User, now: datetime | None) -> Saved:
    _take_turn(acting_user, now)
    complete(document, bank_of([document]))
    session, is_new = _find_or_create(document, acting_user, now)
    if is_new:
        outcome = SaveOutcome.CREATED
    elif _update(session, document, acting_user, now):
        outcome = SaveOutcome.UPDATED
    else:
        outcome = SaveOutcome.UNCHANGED
    return Saved(session, outcome, document.notes.warnings())


# ---------------------------------------------------------------------------------- what is refused


def _read(values: Mapping[str, Any], acting_user: User) -> ContestDocument:
    _refuse_unstorable(values)
    _refuse_missing([name for name in REQUIRED if is_blank(values.get(name))])
    given = values.get("username")
    if given is not None and given not in (acting_user.get_username(), *_former(acting_user)):
        raise PermissionRefused(
            _("%(user)s may only save their own sessions.") % {"user": acting_user.get_username()}
        )
    try:
        document = read_document({**values, "username": given or acting_user.get_username()})
    except Unreadable as unreadable:
        raise InvalidContestSession(told(unreadable.detail), code=unreadable.code) from unreadable
    if len(document.attempts) > MOST_ATTEMPTS:
        raise InvalidContestSession(
            _("A session has at most %(most_attempts)s attempts.")
            % {"most_attempts": MOST_ATTEMPTS}
        )
    if not document.session_ref:
        raise InvalidContestSession(_("The session id is no text."))
    _refuse_missing([name for name in ("year", "contest") if not getattr(document, name)])
    document.user_ref = _user_ref(document, acting_user)
    return document


def _refuse_missing(names: Sequence[str]) -> None:
    if names:
        raise InvalidContestSession(
            _("The session says nothing of: %(names)s.") % {"names": ", ".join(names)},
            code="missing_data",
            missing=list(names),
        )


def _refuse_unstorable(values: Any) -> None:
    """What is no JSON object, or has texts and numbers that no column can hold."""
    try:
        json.dumps(values, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        raise InvalidContestSession(_("The session cannot be written as JSON.")) from None
    if not isinstance(values, Mapping):
        raise InvalidContestSession(_("The session is no JSON object."))
    if not all(map(storable, _texts(values))):
        raise InvalidContestSession(_("A text of the session has NUL or a broken character."))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value, names too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _identities(user: User) -> QuerySet[LegacyIdentity]:
    """Who the person was in the old system, as far as a users file says so."""
    return LegacyIdentity.objects.filter(user=user, kind=CONTEST_USERS).order_by("pk")


def _former(user: User) -> list[str]:
    """What the person was called in the old system."""
    return list(_identities(user).exclude(username="").values_list("username", flat=True))


def _user_ref(document: ContestDocument, user: User) -> str:
    """The id of the person in the old system: as given, unless it is another's, else theirs."""
    if not document.user_ref:
        return _identities(user).values_list("legacy_id", flat=True).first() or ""
    others = LegacyIdentity.objects.filter(kind=CONTEST_USERS, legacy_id=document.user_ref)
    if others.exclude(user=user).exists():
        raise PermissionRefused(
            _("%(user)s may only save their own sessions.") % {"user": user.get_username()}
        )
    return document.user_ref


_TURN: Final = """
    INSERT INTO sessions_app_contestsave AS s (user_id, saved_at)
    VALUES (%(user)s, coalesce(%(now)s::timestamptz, clock_timestamp()))
    ON CONFLICT (user_id) DO UPDATE SET saved_at = coalesce(%(now)s, clock_timestamp())
    WHERE s.saved_at + %(pause)s * interval '1 second' <= coalesce(%(now)s, clock_timestamp())
"""


def _take_turn(user: User, now: datetime | None) -> None:
    """One save a second: the row stays locked until commit, so that saves side by side take turns.

    The time is the database's, read after the lock is held.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TURN, {"user": user.pk, "now": now, "pause": PAUSE})
        if not cursor.rowcount:
            raise SavedTooSoon(
                _("A session was saved less than a second ago; try again in a moment."),
                retry_after=PAUSE,
            )


def _find(document: ContestDocument, user: User) -> tuple[str, Session | None]:
    """The public id of the document's session, and the session where it is there already.

    Where another person has the id, the session's own has the user's name behind it.
    """
    own = document.session_ref
    shared = f"{own}~{document.username}"
    found = {
        session.session_id: session
        for session in Session.objects.filter(session_id__in=[own, shared])
        .select_for_update(no_key=True)
        .order_by("session_id")
    }
    mine = set(
        ContestResult.objects.filter(session__in=found.values(), user=user).values_list(
            "session_id", flat=True
        )
    )
    for public_id in (own, shared):
        session = found.get(public_id)
        if session is not None and session.pk in mine:
            return public_id, session
    if own not in found:
        return own, None
    if shared in found or len(shared) > LONGEST_NAME:
        raise SessionIdTaken(_("The session id %(own)s belongs to another session.") % {"own": own})
    document.notes.add("session_id_shared", f"{own} becomes {shared}")
    return shared, None


# --------------------------------------------------------------------------------- what is written


def _find_or_create(
    document: ContestDocument, user: User, now: datetime | None
) -> tuple[Session, bool]:
    """The document's session, and whether it is new. Of two people who save the same id at once
    the second one waits here, and then finds it taken.
    """
    public_id, session = _find(document, user)
    if session is not None:
        return session, False
    try:
        with transaction.atomic():
            return _create(document, public_id, user, now), True
    except IntegrityError:
        public_id, session = _find(document, user)
        if session is not None:
            return session, False
        return _create(document, public_id, user, now), True


def _create(document: ContestDocument, public_id: str, user: User, now: datetime | None) -> Session:
    now = now or timezone.now()
    created_at = document.created_at or now
    session = Session(
        session_id=public_id,
        kind=SessionKind.CONTEST,
        title=session_title(document),
        status=document.status,
        user=user,
        created_at=created_at,
        updated_at=now,
        started_at=created_at,
        ended_at=document.completed_at,
        last_activity_at=document.completed_at or now,
    )
    save(session, acting_user=user)
    result = ContestResult(
        session=session, user=user, user_ref=document.user_ref, **result_values(document)
    )
    save(result, acting_user=user)
    attempts = [
        ProblemAttempt(result=result, **attempt_values(attempt)) for attempt in document.attempts
    ]
    bulk_create_with_history(attempts, ProblemAttempt, default_user=user)
    return session


def _update(session: Session, document: ContestDocument, user: User, now: datetime | None) -> bool:
    """Write what differs; whether anything did."""
    result = ContestResult.objects.get(session=session)
    changed = _assign(result, {"user_ref": document.user_ref, **result_values(document)}, user)
    changed |= _update_attempts(result, document, user)
    if session.status != document.status and not may_change(
        session.kind, session.status, document.status
    ):
        raise TransitionRefused(
            _("A contest session that is %(status)s cannot become %(next)s.")
            % {"status": session.status, "next": document.status}
        )
    of_session = {"status": document.status, "ended_at": document.completed_at}
    changed |= any(getattr(session, name) != value for name, value in of_session.items())
    if changed:
        now = now or timezone.now()
        of_session |= {"updated_at": now, "last_activity_at": document.completed_at or now}
        _assign(session, of_session, user)
    return changed


def _update_attempts(result: ContestResult, document: ContestDocument, user: User) -> bool:
    """Make the stored attempts those of the document; whether any differed."""
    known = {attempt.position: attempt for attempt in result.attempts.all()}
    new, other = [], []
    for attempt in document.attempts:
        values = attempt_values(attempt)
        found = known.pop(attempt.position, None)
        if found is None:
            new.append(ProblemAttempt(result=result, **values))
        elif _set(found, values):
            other.append(found)
    bulk_create_with_history(new, ProblemAttempt, default_user=user)
    fields = [field.name for field in ProblemAttempt._meta.concrete_fields if not field.primary_key]
    bulk_update_with_history(other, ProblemAttempt, fields, default_user=user)
    for surplus in known.values():
        delete(surplus, acting_user=user)
    return bool(new or other or known)


def _assign(row: Model, values: Mapping[str, Any], user: User) -> bool:
    """Set and save what differs; whether anything did."""
    different = _set(row, values)
    if different:
        save(row, acting_user=user)
    return different


def _set(row: Model, values: Mapping[str, Any]) -> bool:
    different = {name: value for name, value in values.items() if getattr(row, name) != value}
    for name, value in different.items():
        setattr(row, name, value)
    return bool(different)
