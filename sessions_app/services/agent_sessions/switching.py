"""Moving a session to another project: announced, locked, checked (agents.md "Switch project").

Two transactions. The first announces the switch under the session's lock: the record outlives a
crash. The second takes the lock again, writes, looks at what was stored, and ends the record. Who
finds an open record while holding the lock knows that nothing of it was written: it is closed as
failed, and its owner, should it be alive, finds that out in its second transaction and stops. So
switches of a session come one at a time, and none waits for one that crashed.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

from django.contrib.auth.models import User
from django.db import DatabaseError, IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from psycopg.errors import LockNotAvailable

from migrations_tools.exceptions import CarryoverError
from migrations_tools.signing import Clock
from sessions_app.models import (
    UNASSIGNED_ID,
    Profile,
    ProjectSwitch,
    Session,
    SwitchState,
)
from sessions_app.services.agent_sessions.changes import (
    has_ended,
    locked,
    refusing_what_cannot_be_stored,
    require_open,
    save,
    settle_interrupted_switch,
)
from sessions_app.services.agent_sessions.errors import ConcurrentSwitch, SwitchNotCompleted
from sessions_app.services.agent_sessions.permissions import require_work_on
from sessions_app.services.agent_sessions.projects import (
    ProjectReference,
    find_project,
    find_project_by_name,
)

#: Whether a session may be moved; raises where not.
MoveCheck = Callable[[Session], None]

_LOCK_TIMEOUT: Final = "5s"  # an announced switch waits so long for the session's row


def switch_project(
    session: Session,
    *,
    project: ProjectReference,
    acting_user: User,
    surface: str,
    reason: str = "",
    now: Clock = timezone.now,
) -> Session:
    """Move a session that has not ended to ``project``; the session as stored then.

    Who switches their own session works in that project from now on (`Profile.current_project`).
    Call it outside of a transaction. Raises Forbidden, SessionAlreadyEnded, ProjectNotFound,
    ProjectInactive, ConcurrentSwitch or SwitchNotCompleted; the session is then as before.
    """
    require_work_on(session, action="switch", acting_user=acting_user, surface=surface)
    return _move(
        session,
        project=project,
        may_move=require_open,
        acting_user=acting_user,
        surface=surface,
        reason=reason,
        now=now,
    )


def assign_by_name(
    session: Session,
    *,
    name: str,
    acting_user: User,
    surface: str,
    reason: str = "",
    now: Clock = timezone.now,
) -> Session:
    """`switch_project` to the project that ``name`` means, see `find_project_by_name`.

    An orphan, or a session that is parked on the sentinel, gets its project even if it has ended.
    Raises ProjectAmbiguous besides.
    """
    require_work_on(session, action="assign", acting_user=acting_user, surface=surface)
    return _move(
        session,
        project=find_project_by_name(name),
        may_move=_require_open_or_unassigned,
        acting_user=acting_user,
        surface=surface,
        reason=reason,
        now=now,
    )


def _require_open_or_unassigned(session: Session) -> None:
    if session.project_id not in (None, UNASSIGNED_ID):
        require_open(session)


def _move(
    session: Session,
    *,
    project: ProjectReference,
    may_move: MoveCheck,
    acting_user: User,
    surface: str,
    reason: str,
    now: Clock,
) -> Session:
    switch = _announce(
        session,
        project=project,
        may_move=may_move,
        acting_user=acting_user,
        surface=surface,
        reason=reason,
        at=now(),
    )
    if switch is not None:
        _carry_out(switch, may_move=may_move, now=now)
    session.refresh_from_db()
    return session


def _announce(
    session: Session,
    *,
    project: ProjectReference,
    may_move: MoveCheck,
    acting_user: User,
    surface: str,
    reason: str,
    at: datetime,
) -> ProjectSwitch | None:
    """Record what is about to be done; None where the session has that project already."""
    with transaction.atomic(durable=True):
        try:
            session = locked(session, nowait=True)
        except OperationalError as error:
            if isinstance(error.__cause__, LockNotAvailable):
                raise _concurrent(session) from error
            raise
        may_move(session)
        target = find_project(project)
        settle_interrupted_switch(session, at)
        if session.project_id == target.pk:
            return None
        with refusing_what_cannot_be_stored():
            return ProjectSwitch.objects.create(
                session=session,
                from_project_id=session.project_id,
                to_project=target,
                actor=acting_user,
                surface=surface,
                reason=reason,
                started_at=at,
            )


def _carry_out(switch: ProjectSwitch, *, may_move: MoveCheck, now: Clock) -> None:
    """Write the announced switch, check it, and end its record."""
    try:
        with transaction.atomic(durable=True):
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT}'")
            session = locked(switch.session)
            if not ProjectSwitch.objects.open().filter(pk=switch.pk).exists():
                may_move(session)
                raise _concurrent(session)
            refusal = _write(session, switch, may_move=may_move, at=now())
            _end_record(switch, refusal, at=now())
    except OperationalError as error:
        if not isinstance(error.__cause__, LockNotAvailable):
            raise  # the connection is gone: the next switch or recovery settles the record
        refusal = _concurrent(switch.session)
        _end_record(switch, refusal, at=now())
    if refusal is not None:
        raise refusal


def _write(
    session: Session, switch: ProjectSwitch, *, may_move: MoveCheck, at: datetime
) -> CarryoverError | None:
    """Pre-checks, the change, post-checks. Refused, the session has its previous project again."""
    try:
        with transaction.atomic():  # a savepoint: taken back alone
            may_move(session)
            session.project = find_project(switch.to_project_id)
            session.updated_at = at
            save(
                session,
                action="switch project",
                acting_user=switch.actor,
                surface=switch.surface,
                reason=switch.reason,
            )
            if session.user_id == switch.actor_id and not has_ended(session):
                _work_there(switch)
            _require_written(switch)
    except CarryoverError as refused:
        return refused
    except OperationalError:
        raise
    except DatabaseError as error:
        refusal = _not_completed(switch)
        refusal.__cause__ = error
        return refusal
    return None


def _work_there(switch: ProjectSwitch) -> None:
    """The new project becomes the person's current one."""
    profile, _made = Profile.objects.select_for_update(no_key=True).get_or_create(user=switch.actor)
    profile.current_project = switch.to_project
    save(profile, action="switch project", acting_user=switch.actor, surface=switch.surface)


def _require_written(switch: ProjectSwitch) -> None:
    """What is stored is what was decided, and every reference leads somewhere.

    Raises SwitchNotCompleted.
    """
    try:
        connection.check_constraints()  # deferred foreign keys would speak at COMMIT only
    except IntegrityError as error:
        raise _not_completed(switch) from error
    stored = Session.objects.filter(pk=switch.session_id, project=switch.to_project_id)
    if not stored.exists():
        raise _not_completed(switch)


def _end_record(switch: ProjectSwitch, refusal: CarryoverError | None, *, at: datetime) -> None:
    ProjectSwitch.objects.open().filter(pk=switch.pk).update(
        state=SwitchState.COMPLETED if refusal is None else SwitchState.FAILED,
        failure="" if refusal is None else refusal.code,
        finished_at=at,
    )


def _concurrent(session: Session) -> ConcurrentSwitch:
    return ConcurrentSwitch(
        _("Session “%(session)s” is being changed elsewhere. Look again, then try again.")
        % {"session": session.session_id},
        session=session.session_id,
    )


def _not_completed(switch: ProjectSwitch) -> SwitchNotCompleted:
    return SwitchNotCompleted(
        _(
            "Session “%(session)s” could not be moved to “%(name)s”: what was stored "
            "is not what was decided. It has its previous project again."
        )
        % {"session": switch.session.session_id, "name": switch.to_project.name},
        session=switch.session.session_id,
        project=str(switch.to_project_id),
    )
