"""Start, end, time-out and recovery of agent sessions (agents.md "The session service")."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_tools.engine.history import CHANGED, write_history
from migrations_tools.signing import Clock, history_reason
from sessions_app.models import AgentSession, Session, SessionKind, SessionStatus
from sessions_app.services.agent_sessions.changes import (
    change_status,
    locked,
    refusing_what_cannot_be_stored,
    require_open,
    save,
    settle_interrupted_switch,
)
from sessions_app.services.agent_sessions.errors import NothingToRecover, SessionExists
from sessions_app.services.agent_sessions.permissions import (
    require_work_on,
    require_work_on_all,
)
from sessions_app.services.agent_sessions.projects import ProjectReference, resolve_project

#: A session without activity for so long times out.
IDLE_AFTER: Final = timedelta(hours=2)

_TIME_OUT_AT_ONCE = 10_000  # sessions of one transaction


def start_session(
    *,
    acting_user: User,
    surface: str,
    user: User | None = None,
    project: ProjectReference | None = None,
    session_id: str | None = None,
    title: str = "",
    description: str = "",
    metadata: dict[str, Any] | None = None,
    now: Clock = timezone.now,
) -> Session:
    """Start a session of ``user`` (default: the acting one) in its resolved project.

    ``session_id`` is its public id; without one it gets a UUID. Raises Forbidden, ProjectNotFound,
    ProjectInactive, SessionExists or InvalidValue.
    """
    at = now()
    session = AgentSession(
        session_id=str(uuid.uuid4()) if session_id is None else session_id,
        kind=SessionKind.AGENT,
        title=title,
        description=description,
        status=SessionStatus.ACTIVE,
        user=user or acting_user,
        created_at=at,
        updated_at=at,
        started_at=at,
        last_activity_at=at,
        metadata={} if metadata is None else metadata,
    )
    require_work_on(session, action="start", acting_user=acting_user, surface=surface)
    with transaction.atomic():
        session.project = resolve_project(
            user=user or acting_user, given=project, acting_user=acting_user, surface=surface
        )
        try:
            with refusing_what_cannot_be_stored():
                session.clean_fields(exclude=["project", "user"])
                save(session, action="start", acting_user=acting_user, surface=surface)
        except IntegrityError as error:
            if not Session.objects.filter(session_id=session.session_id).exists():
                raise
            raise SessionExists(
                _("There is a session “%(session)s” already.") % {"session": session.session_id},
                session=session.session_id,
            ) from error
    return session


def end_session(
    session: Session,
    *,
    acting_user: User,
    surface: str,
    to_status: Literal[SessionStatus.COMPLETED, SessionStatus.ABANDONED] = SessionStatus.COMPLETED,
    reason: str = "",
    now: Clock = timezone.now,
) -> Session:
    """End a session: completed, or abandoned. Raises Forbidden or SessionAlreadyEnded."""
    require_work_on(session, action="end", acting_user=acting_user, surface=surface)
    with transaction.atomic():
        session = locked(session)
        require_open(session)
        at = now()
        settle_interrupted_switch(session, at)
        change_status(session, to_status)
        session.ended_at = session.updated_at = at
        save(session, action="end", acting_user=acting_user, surface=surface, reason=reason)
    return session


def recover_session(
    *,
    acting_user: User,
    surface: str,
    only: Session | None = None,
    now: Clock = timezone.now,
) -> Session:
    """Go on with the acting user's own newest session that is active or inactive.

    Its end is cleared, and a switch that a crash interrupted is settled. Raises NothingToRecover,
    also where ``only`` is given and it is not that one.
    """
    with transaction.atomic():
        session = (
            AgentSession.objects.select_for_update(no_key=True)
            .filter(user=acting_user, status__in=[SessionStatus.ACTIVE, SessionStatus.INACTIVE])
            .order_by(Coalesce("started_at", "created_at").desc(), "-id")
            .first()
        )
        if session is None:
            raise NothingToRecover(
                _("%(user)s has no active or timed out session; start a new one.")
                % {"user": acting_user.get_username()}
            )
        if only is not None and only.pk != session.pk:
            raise NothingToRecover(
                _(
                    "People recover their own newest session only. That of %(user)s is "
                    "“%(session)s”."
                )
                % {"user": acting_user.get_username(), "session": session.session_id},
                session=session.session_id,
            )
        at = now()
        settle_interrupted_switch(session, at)
        if session.status == SessionStatus.INACTIVE:
            change_status(session, SessionStatus.ACTIVE)
        session.ended_at = None
        session.last_activity_at = session.updated_at = at
        save(session, action="recover", acting_user=acting_user, surface=surface)
    return session


def time_out_sessions(*, acting_user: User, surface: str, now: Clock = timezone.now) -> int:
    """Make every active session without activity for `IDLE_AFTER` inactive; how many.

    Without a time of activity that of its start counts. Sessions that somebody works on at this
    moment are passed over; the next call looks at them again. Raises Forbidden.
    """
    require_work_on_all(action="time out", acting_user=acting_user, surface=surface)
    at = now()
    reason = history_reason("time out", surface)
    timed_out = 0
    while True:
        found = _time_out_some(at, reason=reason, user_id=acting_user.pk)
        timed_out += found
        if found < _TIME_OUT_AT_ONCE:
            return timed_out


_IDLE = f"""
CREATE TEMPORARY TABLE idle_sessions ON COMMIT DROP AS
SELECT id AS pk FROM sessions_app_session
WHERE kind = '{SessionKind.AGENT}' AND status = '{SessionStatus.ACTIVE}'
    AND (last_activity_at <= %(limit)s
        OR last_activity_at IS NULL AND coalesce(started_at, created_at) <= %(limit)s)
LIMIT {_TIME_OUT_AT_ONCE} FOR NO KEY UPDATE SKIP LOCKED
"""
_TIME_OUT = f"""
UPDATE sessions_app_session SET status = '{SessionStatus.INACTIVE}',
    ended_at = coalesce(ended_at, %(at)s), updated_at = %(at)s
FROM idle_sessions WHERE id = pk
"""


def _time_out_some(at: datetime, *, reason: str, user_id: int) -> int:
    """Statements over sets: no session comes to Python, however many there are."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_IDLE, {"limit": at - IDLE_AFTER})
        cursor.execute(_TIME_OUT, {"at": at})
        found: int = cursor.rowcount
        write_history(cursor, Session, "idle_sessions", CHANGED, reason, user_id)
        cursor.execute("DROP TABLE idle_sessions")
    return found
