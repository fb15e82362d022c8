"""Which agent sessions and projects a person sees (docs/agent-sessions.md)."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext as _

from migrations_tools.text import storable
from sessions_app.models import AgentSession, Profile, Project, Session
from sessions_app.models.project import ProjectQuerySet
from sessions_app.models.session import SessionQuerySet
from sessions_app.services.agent_sessions.errors import ProjectNotFound, SessionNotFound
from sessions_app.services.agent_sessions.permissions import may_work_on_all


def visible_agent_sessions(user: User) -> SessionQuerySet:
    """A person's own, for staff all; each with its project and its person, by one query."""
    sessions: SessionQuerySet = AgentSession.objects.select_related("project", "user")
    return sessions if may_work_on_all(user) else sessions.filter(user=user)


def find_agent_session(user: User, session_id: str) -> Session:
    """One of them. Raises SessionNotFound, for other people's ones too."""
    found = None
    if storable(session_id):
        found = visible_agent_sessions(user).filter(session_id=session_id).first()
    if found is None:
        raise SessionNotFound(
            _("There is no agent session “%(session_id)s”.") % {"session_id": session_id},
            session=session_id,
        )
    return found


def may_view_all_projects(user: User) -> bool:
    return may_work_on_all(user) or (user.is_active and user.has_perm("sessions_app.view_project"))


def visible_projects(user: User) -> ProjectQuerySet:
    """For staff, and with the permission to view projects, all; else the primary one, one's
    personal and one's current one, and those of one's own sessions.
    """
    if may_view_all_projects(user):
        return Project.objects.all()
    own = AgentSession.objects.filter(user=user, project=OuterRef("pk"))
    current = Profile.objects.filter(user=user, current_project=OuterRef("pk"))
    return Project.objects.real().filter(
        Q(is_primary=True) | Q(personal_of=user) | Exists(own) | Exists(current)
    )


def find_visible_project(user: User, project_id: uuid.UUID) -> Project:
    """One of them. Raises ProjectNotFound, for hidden ones too."""
    found = visible_projects(user).filter(pk=project_id).first()
    if found is None:
        raise ProjectNotFound(
            _("There is no project “%(project_id)s”.") % {"project_id": project_id},
            project=str(project_id),
        )
    return found
