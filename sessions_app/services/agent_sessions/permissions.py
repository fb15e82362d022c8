"""Who may work on which agent session."""

from __future__ import annotations

from typing import NoReturn

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from migrations_tools.services.actors import record_refusal
from sessions_app.models import Session
from sessions_app.services.agent_sessions.errors import Forbidden


def may_work_on(session: Session, user: User) -> bool:
    """A person works on their own sessions; staff and superusers on any."""
    return may_work_on_all(user) or (user.is_active and session.user_id == user.pk)


def may_work_on_all(user: User) -> bool:
    """Staff and superusers."""
    return user.is_active and (user.is_staff or user.is_superuser)


def require_work_on(session: Session, *, action: str, acting_user: User, surface: str) -> None:
    """Refuse, on record, what ``acting_user`` may not do. Call it before the transaction."""
    if not may_work_on(session, acting_user):
        _refuse(f"{action} session “{session.session_id}”", acting_user, surface)


def require_work_on_all(*, action: str, acting_user: User, surface: str) -> None:
    """The same for what is done to everybody's sessions."""
    if not may_work_on_all(acting_user):
        _refuse(f"{action} all sessions", acting_user, surface)


def _refuse(deed: str, acting_user: User, surface: str) -> NoReturn:
    record_refusal(acting_user, surface=surface, deed=deed)
    name = acting_user.get_username()
    raise Forbidden(
        _("%(name)s may not %(deed)s: people work on their own sessions, staff on any.")
        % {"name": name, "deed": deed}
    )
