"""Finding a session, locking it, and writing it with its history."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import DataError, transaction
from django.utils.translation import gettext as _

from migrations_tools import signing
from migrations_tools.exceptions import TransitionRefused
from migrations_tools.signing import history_reason
from migrations_tools.text import storable
from sessions_app.models import (
    AgentSession,
    Profile,
    Project,
    ProjectSwitch,
    Session,
    SessionStatus,
    SwitchState,
)
from sessions_app.models.session import may_change
from sessions_app.services.agent_sessions.errors import (
    InvalidValue,
    SessionAlreadyEnded,
    SessionNotFound,
)

#: `ProjectSwitch.failure` of a switch whose process died.
INTERRUPTED: Final = "INTERRUPTED"


def find_session(session_id: str) -> Session:
    """The agent session of a public id. Raises SessionNotFound, for sessions of other kinds too."""
    found = None
    if storable(session_id):
        found = (
            AgentSession.objects.select_related("project", "user")
            .filter(session_id=session_id)
            .first()
        )
    if found is None:
        raise SessionNotFound(
            _("There is no agent session “%(session_id)s”.") % {"session_id": session_id},
            session=session_id,
        )
    return found


def locked(session: Session, *, nowait: bool = False) -> Session:
    """``session`` as it is stored now, its row locked until the transaction ends."""
    rows = AgentSession.objects.select_for_update(no_key=True, nowait=nowait)
    try:
        return rows.get(pk=session.pk)
    except Session.DoesNotExist:
        raise SessionNotFound(
            _("Agent session “%(session)s” is gone.") % {"session": session.session_id},
            session=session.session_id,
        ) from None


def has_ended(session: Session) -> bool:
    """Whether work on it is over, for good or until it is recovered."""
    return session.status != SessionStatus.ACTIVE or session.ended_at is not None


def require_open(session: Session) -> None:
    """Raises SessionAlreadyEnded."""
    if not has_ended(session):
        return
    way_on = _(" Recover it first.") if session.status == SessionStatus.INACTIVE else ""
    raise SessionAlreadyEnded(
        _("Session “%(session)s” has ended: it is %(status)s.%(way_on)s")
        % {"session": session.session_id, "status": session.get_status_display(), "way_on": way_on},
        session=session.session_id,
        status=session.status,
    )


def change_status(session: Session, to_status: SessionStatus) -> None:
    """Set the status of a locked session, as `SESSION_TRANSITIONS` allows; saving is left."""
    if not may_change(session.kind, session.status, to_status):
        raise TransitionRefused(
            _("Session “%(session)s” is %(status)s; it cannot become %(to_status)s.")
            % {
                "session": session.session_id,
                "status": session.get_status_display(),
                "to_status": to_status.label,
            },
            session=session.session_id,
            status=session.status,
        )
    session.status = to_status


def save(
    changed: Session | Project | Profile,
    *,
    action: str,
    acting_user: User,
    surface: str,
    reason: str = "",
) -> None:
    """Write a row and its history. Raises InvalidValue for what cannot be stored."""
    told = history_reason(action, surface, reason)
    with refusing_what_cannot_be_stored():
        signing.save(changed, acting_user=acting_user, reason=told)


def settle_interrupted_switch(session: Session, at: datetime) -> None:
    """Close what a crash left open. Call it with the session locked.

    An open switch has not written anything: it writes and ends in one transaction. If its owner is
    alive after all, it finds its switch closed, and stops (`switching`).
    """
    ProjectSwitch.objects.open().filter(session_id=session.pk).update(
        state=SwitchState.FAILED, failure=INTERRUPTED, finished_at=at
    )


@contextmanager
def refusing_what_cannot_be_stored() -> Iterator[None]:
    """Texts too long, NUL characters, lone surrogates, payloads that are no JSON: InvalidValue."""
    try:
        with transaction.atomic():
            yield
    except ValidationError as error:
        told = "; ".join(
            f"{name}: {' '.join(messages)}" for name, messages in error.message_dict.items()
        )
        raise InvalidValue(told) from error
    except (DataError, TypeError, UnicodeEncodeError) as error:
        raise InvalidValue(
            _(
                "A value cannot be stored: it holds characters that no text may hold, or "
                "objects that are no JSON."
            )
        ) from error
