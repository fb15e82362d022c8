"""Which project a session gets. The one place that decides it (agents.md "The session service")."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from migrations_tools.text import storable
from sessions_app.models import Profile, Project
from sessions_app.models.project import INACTIVE_STATUSES
from sessions_app.services.agent_sessions.changes import save
from sessions_app.services.agent_sessions.errors import (
    ProjectAmbiguous,
    ProjectInactive,
    ProjectNotFound,
)

#: A project, or its id as text or UUID.
ProjectReference = Project | uuid.UUID | str

_CURRENT = "current_project"
_MOST_LISTED = 20  # projects named in the sentence of a refusal; `matches` has them all


def resolve_project(
    *, user: User, given: ProjectReference | None = None, acting_user: User, surface: str
) -> Project:
    """The project of a new session of ``user``, the first there is of: the given one, the
    person's current one, the primary one, the one that DEFAULT_PROJECT_NAME names, a personal one.

    Never the sentinel, a completed or an archived one: such a given project is refused, elsewhere
    it is passed over. Raises ProjectNotFound or ProjectInactive.
    """
    if given is not None:
        return find_project(given)
    chosen, _source = choose_project(user)
    if chosen is not None:
        return chosen
    return _require_active(_personal_project(user, acting_user=acting_user, surface=surface))


class ProjectSource(StrEnum):
    """Why a new session would get its project."""

    CURRENT = "current"  # the one the person works in
    PRIMARY = "primary"
    DEFAULT = "default"  # DEFAULT_PROJECT_NAME
    PERSONAL = "personal"  # made when first needed


def choose_project(user: User) -> tuple[Project | None, ProjectSource]:
    """The project that a new session of ``user`` would get, and why; nothing is written.

    None with PERSONAL where the personal project has still to be made.
    """
    for source, candidates in (
        (ProjectSource.CURRENT, {"pk__in": Profile.objects.filter(user=user).values(_CURRENT)}),
        (ProjectSource.PRIMARY, {"is_primary": True}),
        (ProjectSource.DEFAULT, {"name": getattr(settings, "DEFAULT_PROJECT_NAME", "")}),
        (ProjectSource.PERSONAL, {"personal_of": user}),
    ):
        chosen = Project.objects.selectable().filter(**candidates).first()
        if chosen is not None:
            return chosen, source
    return None, ProjectSource.PERSONAL


def find_project(reference: ProjectReference) -> Project:
    """A project that takes sessions, as stored now. Raises ProjectNotFound or ProjectInactive."""
    key = reference.pk if isinstance(reference, Project) else reference
    try:
        project = Project.objects.real().filter(pk=uuid.UUID(str(key))).first()
    except ValueError:
        project = None
    if project is None:
        raise ProjectNotFound(_("There is no project “%(key)s”.") % {"key": key}, project=str(key))
    return _require_active(project)


def find_project_by_name(name: str) -> Project:
    """The project of that name, whatever its case, else the only one whose name contains it.

    Completed and archived projects are no candidates for a part of a name. Raises ProjectNotFound,
    ProjectInactive or ProjectAmbiguous, which lists the matches.
    """
    wanted = name.strip()
    if not wanted or not storable(wanted):
        raise ProjectNotFound(_("A project's name is needed."), project=name)
    projects = Project.objects.real()
    same = list(projects.filter(name__iexact=wanted))
    # “alpha” and “Alpha” may both be there; who writes one of them exactly means that one
    same = [project for project in same if project.name == wanted] or same
    if same:
        return _require_active(_only(same, wanted))
    alike = list(projects.filter(name__icontains=wanted))
    active = [project for project in alike if project.status not in INACTIVE_STATUSES]
    if not alike:
        raise ProjectNotFound(
            _("No project's name contains “%(wanted)s”.") % {"wanted": wanted}, project=wanted
        )
    return _require_active(_only(active or alike, wanted))


def _only(matches: Sequence[Project], wanted: str) -> Project:
    if len(matches) == 1:
        return matches[0]
    listed = ", ".join(f"“{match.name}” ({match.pk})" for match in matches[:_MOST_LISTED])
    more = (
        _(" and %(matches)s more") % {"matches": len(matches) - _MOST_LISTED}
        if len(matches) > _MOST_LISTED
        else ""
    )
    raise ProjectAmbiguous(
        _("“%(wanted)s” fits %(matches)s projects: %(listed)s%(more)s. Write more of the name.")
        % {"wanted": wanted, "matches": len(matches), "listed": listed, "more": more},
        matches=[{"id": str(match.pk), "name": match.name} for match in matches],
    )


def _require_active(project: Project) -> Project:
    if project.status not in INACTIVE_STATUSES:
        return project
    raise ProjectInactive(
        _(
            "Project “%(name)s” is %(status)s and takes no sessions. Choose another, "
            "or make it active again."
        )
        % {"name": project.name, "status": project.get_status_display()},
        project=str(project.pk),
    )


def _personal_project(user: User, *, acting_user: User, surface: str) -> Project:
    """The person's own project, made when first needed, and once however many ask at a time."""
    mine = Project.objects.filter(personal_of=user)
    for name in _personal_names(user):
        found = mine.first()
        if found is not None:
            return found
        project = Project(name=name, personal_of=user)
        try:
            with transaction.atomic():
                save(
                    project,
                    action="make personal project",
                    acting_user=acting_user,
                    surface=surface,
                )
        except IntegrityError:  # made by another start meanwhile, or the name is another's
            continue
        return project
    return mine.get()


def _personal_names(user: User) -> Iterator[str]:
    name = f"Personal project of {user.get_username()}"
    yield name
    yield f"{name} {uuid.uuid4()}"
