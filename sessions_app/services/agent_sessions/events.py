"""Activity events of sessions at work. Each carries a project: it is evidence (agents.md)."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_tools.signing import Clock
from sessions_app.models import UNASSIGNED_ID, ActivityEvent, Actor, Project, Session
from sessions_app.services.agent_sessions.changes import (
    locked,
    refusing_what_cannot_be_stored,
    require_open,
    save,
)
from sessions_app.services.agent_sessions.errors import InvalidValue
from sessions_app.services.agent_sessions.permissions import require_work_on
from sessions_app.services.agent_sessions.projects import resolve_project


def record_event(
    session: Session,
    *,
    event_type: str,
    actor: Actor,
    acting_user: User,
    surface: str,
    payload: dict[str, Any] | None = None,
    now: Clock = timezone.now,
) -> ActivityEvent:
    """Record what happened now in a session that has not ended; that is activity.

    The event carries the session's project, or for an orphan the one that a new session of its
    person would get. Raises Forbidden, SessionAlreadyEnded, ProjectInactive or InvalidValue.
    """
    require_work_on(session, action="record an event in", acting_user=acting_user, surface=surface)
    with transaction.atomic():
        session = locked(session)
        require_open(session)
        at = now()
        project = _project_of(session, acting_user=acting_user, surface=surface)
        event = ActivityEvent(
            event_id=str(uuid.uuid4()),
            occurred_at=at,
            actor=actor,
            project=str(project.pk),
            session_ref=session.session_id,
            event_type=event_type,
            payload={} if payload is None else payload,
        )
        if not event_type.strip():
            raise InvalidValue(_("An event needs a type."))
        with refusing_what_cannot_be_stored():
            event.clean_fields()
            event.save(force_insert=True)
        session.last_activity_at = session.updated_at = at
        save(session, action="event", acting_user=acting_user, surface=surface)
    return event


def _project_of(session: Session, *, acting_user: User, surface: str) -> Project:
    """The session's own project, even one that takes no new sessions; else the resolved one."""
    if session.project is not None and session.project_id != UNASSIGNED_ID:
        return session.project
    return resolve_project(
        user=session.user or acting_user, acting_user=acting_user, surface=surface
    )
