"""Projects, and the sentinel that parks sessions without one (agents.md "Shape")."""

from __future__ import annotations

import uuid
from typing import Final

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history

#: The sentinel: made by a schema migration, never evidence, never chosen by resolution.
UNASSIGNED_ID: Final = uuid.UUID(int=0)
UNASSIGNED_NAME: Final = "__unassigned__"


class ProjectStatus(models.TextChoices):
    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    COMPLETED = "completed", _("completed")  # takes no new sessions
    ARCHIVED = "archived", _("archived")  # takes no new sessions


#: A session of such a project is assigned with a warning only (agents.md "Decision").
INACTIVE_STATUSES: Final = (ProjectStatus.COMPLETED, ProjectStatus.ARCHIVED)


class ProjectQuerySet(models.QuerySet["Project"]):
    def real(self) -> ProjectQuerySet:
        """All but the sentinel."""
        return self.exclude(pk=UNASSIGNED_ID)

    def selectable(self) -> ProjectQuerySet:
        """Real projects that may get new sessions: neither completed nor archived."""
        return self.real().exclude(status__in=INACTIVE_STATUSES)

    def ensure_unassigned(self) -> None:
        """Make the sentinel where it is missing; one statement, safe at any time."""
        sentinel = Project(id=UNASSIGNED_ID, name=UNASSIGNED_NAME, status=ProjectStatus.ACTIVE)
        self.bulk_create([sentinel], ignore_conflicts=True)


class Project(models.Model):
    """``id`` is a UUID of any version, as the agents' system gave it. One project is primary.

    ``personal_of`` is the person whose sessions come here where nothing else is chosen; unique, so
    that a personal project is made once.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    name = models.CharField(max_length=255, unique=True)
    status = models.CharField(max_length=9, choices=ProjectStatus, default=ProjectStatus.ACTIVE)
    is_primary = models.BooleanField(default=False)
    description = models.TextField(blank=True, default="")
    personal_of = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now)

    objects = ProjectQuerySet.as_manager()
    history = tracked_history()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=ProjectStatus.values), name="project_status_known"
            ),
            models.CheckConstraint(condition=~Q(name=""), name="project_name_not_blank"),
            models.UniqueConstraint(
                fields=["is_primary"], condition=Q(is_primary=True), name="one_primary_project"
            ),
            models.CheckConstraint(
                condition=Q(is_primary=False) | ~Q(pk=UNASSIGNED_ID),
                name="sentinel_is_not_primary",
            ),
        ]

    def __str__(self) -> str:
        return self.name
