"""Making, changing and deleting projects (docs/agent-sessions.md)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from migrations_tools.exceptions import CarryoverError
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import Clock, history_reason
from migrations_tools.signing import delete as delete_signed
from migrations_tools.signing import save as save_signed
from sessions_app.models import UNASSIGNED_ID, ActivityEvent, Project, ProjectSwitch
from sessions_app.services.agent_sessions.errors import InvalidValue, ProjectNotFound

#: What a person may say of a project.
FIELDS: Final = frozenset({"name", "description", "status", "is_primary"})


class ProjectNameTaken(CarryoverError):
    """Another project has the name."""

    code = "PROJECT_NAME_TAKEN"


class PrimaryProjectTaken(CarryoverError):
    """One project is primary: the other one has to give it up first."""

    code = "PRIMARY_PROJECT_TAKEN"


class ProjectInUse(CarryoverError):
    """Not deleted: ``blocking`` counts what names the project."""

    code = "PROJECT_IN_USE"


class SentinelStays(CarryoverError):
    """The project that parks sessions without one is neither changed nor deleted."""

    code = "SENTINEL_STAYS"


def create_project(
    values: Mapping[str, Any],
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    now: Clock = timezone.now,
) -> Project:
    """A project of these values, see `FIELDS`.

    Raises PermissionRefused, InvalidValue, ProjectNameTaken or PrimaryProjectTaken.
    """
    require_permission(
        acting_user, "sessions_app.add_project", surface=surface, deed="make projects"
    )
    project = Project(created_at=now())
    with transaction.atomic():
        _write(project, values, acting_user, history_reason("create project", surface, reason))
    return project


def update_project(
    project_id: uuid.UUID,
    values: Mapping[str, Any],
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    expected: Callable[[Project], None] = lambda project: None,
) -> Project:
    """Change what ``values`` names. ``expected`` looks at the locked project, and raises where it
    is not what the person means to change.

    Raises PermissionRefused, ProjectNotFound, SentinelStays, InvalidValue, ProjectNameTaken or
    PrimaryProjectTaken.
    """
    require_permission(
        acting_user, "sessions_app.change_project", surface=surface, deed="change projects"
    )
    if project_id == UNASSIGNED_ID:
        raise SentinelStays(_("This project parks sessions without one; it is not changed."))
    with transaction.atomic():
        project = Project.objects.select_for_update(no_key=True).filter(pk=project_id).first()
        if project is None:
            raise ProjectNotFound(
                _("There is no project “%(project_id)s”.") % {"project_id": project_id},
                project=str(project_id),
            )
        expected(project)
        _write(project, values, acting_user, history_reason("change project", surface, reason))
    return project


def delete_project(
    project_id: uuid.UUID,
    *,
    acting_user: User,
    surface: str,
    reason: str = "",
    expected: Callable[[Project], None] = lambda project: None,
) -> None:
    """Delete a project that nothing names. Its history stays. ``expected`` as of `update_project`.

    Raises PermissionRefused, ProjectNotFound, SentinelStays or ProjectInUse.
    """
    require_permission(
        acting_user, "sessions_app.delete_project", surface=surface, deed="delete projects"
    )
    if project_id == UNASSIGNED_ID:
        raise SentinelStays(_("This project parks sessions without one; it is not deleted."))
    with transaction.atomic():
        # also against rows that would newly refer to it
        project = Project.objects.select_for_update().filter(pk=project_id).first()
        if project is None:
            raise ProjectNotFound(
                _("There is no project “%(project_id)s”.") % {"project_id": project_id},
                project=str(project_id),
            )
        expected(project)
        blocking = {name: count for name, count in _named_by(project).items() if count}
        if blocking:
            others = ", ".join(_(name.replace("_", " ")) for name in blocking)
            told = _("“%(name)s” cannot be deleted, because of what refers to it: %(others)s.")
            raise ProjectInUse(told % {"name": project.name, "others": others}, blocking=blocking)
        delete_signed(
            project,
            acting_user=acting_user,
            reason=history_reason("delete project", surface, reason),
        )


def _named_by(project: Project) -> dict[str, int]:
    """What would be orphaned. Activity events name projects in words, without a constraint."""
    switches = ProjectSwitch.objects.filter(Q(from_project=project) | Q(to_project=project))
    return {
        "sessions": project.sessions.count(),
        "lessons": project.lesson_projects.count(),
        "switches": switches.count(),
        "activity_events": ActivityEvent.objects.filter(project=str(project.pk)).count(),
    }


def _write(project: Project, values: Mapping[str, Any], acting_user: User, reason: str) -> None:
    """Set and save what differs; a new project is saved anyway."""
    unknown = sorted(values.keys() - FIELDS)
    if unknown:
        raise InvalidValue(_("A project has no %(unknown)s.") % {"unknown": ", ".join(unknown)})
    changed = {name: value for name, value in values.items() if getattr(project, name) != value}
    if not changed and not project._state.adding:
        return
    for name, value in changed.items():
        setattr(project, name, value)
    try:
        project.clean_fields()
    except ValidationError as error:
        told = (f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
        raise InvalidValue("; ".join(told)) from error
    try:
        with transaction.atomic():
            save_signed(project, acting_user=acting_user, reason=reason)
    except IntegrityError as error:
        raise _taken(project) or error from error


def _taken(project: Project) -> CarryoverError | None:
    """Which unique value another project has."""
    others = Project.objects.exclude(pk=project.pk)
    if others.filter(name=project.name).exists():
        return ProjectNameTaken(
            _("There is a project “%(name)s” already.") % {"name": project.name}
        )
    primary = others.filter(is_primary=True).first()
    if project.is_primary and primary is not None:
        return PrimaryProjectTaken(
            _("“%(name)s” is the primary project: take that from it first.")
            % {"name": primary.name},
            project=str(primary.pk),
        )
    return None
