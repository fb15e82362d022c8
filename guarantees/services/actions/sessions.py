"""The day's action session and its counters (guarantees.md "Actions").

Counters change under a lock on the session's row, so they are right whoever works at once.
"""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from guarantees.action_errors import NotFound, SessionLocked, ValueRefused
from guarantees.models import ActionSession
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import history_reason, save
from migrations_tools.text import storable


def lock_open_session(day: date, *, acting_user: User, reason: str) -> ActionSession:
    """The day's open session, its row locked; made where there is none, or only locked ones."""
    while True:
        rows = ActionSession.objects.select_for_update(no_key=True)
        session = rows.filter(day=day, is_locked=False).first()
        if session is not None:
            return session
        try:
            with transaction.atomic():
                save(ActionSession(day=day), acting_user=acting_user, reason=reason)
        except IntegrityError:
            # somebody else made it meanwhile
            if not ActionSession.objects.filter(day=day).exists():
                raise


def lock_session_of(session_id: int | None) -> ActionSession | None:
    """The session of a draft, its row locked. Raises SessionLocked."""
    if session_id is None:
        return None
    session = ActionSession.objects.select_for_update(no_key=True).filter(pk=session_id).first()
    if session is not None and session.is_locked:
        raise SessionLocked(
            _(
                "The action session of %(day)s is locked: its drafts can be neither "
                "changed nor issued. Make the action anew."
            )
            % {"day": session.day},
            session=session.pk,
        )
    return session


def count(
    session: ActionSession | None, *, total: int, issued: int, acting_user: User, reason: str
) -> None:
    """Add to the counters of a session whose row is locked; nothing for actions without one."""
    if session is None or (total, issued) == (0, 0):
        return
    session.total_actions += total
    session.issued_actions += issued
    save(
        session,
        acting_user=acting_user,
        reason=reason,
        update_fields=["total_actions", "issued_actions"],
    )


def lock_action_session(
    session_id: int, *, acting_user: User, surface: str, reason: str = ""
) -> ActionSession:
    """Lock a session for good: it takes no new or changed action; the day's next is a new one.

    Raises PermissionRefused, ValueRefused, NotFound or SessionLocked.
    """
    require_permission(
        acting_user,
        "guarantees.change_actionsession",
        deed="lock an action session",
        surface=surface,
    )
    if not storable(reason):
        raise ValueRefused(_("Reason: it is no text that can be stored."), field="reason")
    with transaction.atomic():
        session = lock_session_of(session_id)
        if session is None:
            raise NotFound(
                _("There is no action session %(session_id)s.") % {"session_id": session_id},
                session=session_id,
            )
        session.is_locked = True
        save(
            session,
            acting_user=acting_user,
            reason=history_reason("lock", surface, reason),
            update_fields=["is_locked"],
        )
    return session
