"""Switches of an agent session from one project to another (agents.md "The session service")."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from migrations_tools.states import Surface
from sessions_app.models.project import Project
from sessions_app.models.session import Session


class SwitchState(models.TextChoices):
    STARTED = "started", _("started")  # announced; the session still has its previous project
    COMPLETED = "completed", _("completed")  # written and checked
    FAILED = "failed", _("failed")  # the session kept its previous project; `failure` says why


class ProjectSwitchQuerySet(models.QuerySet["ProjectSwitch"]):
    def open(self) -> ProjectSwitchQuerySet:
        """Announced and neither completed nor failed: under way, or interrupted by a crash."""
        return self.filter(state=SwitchState.STARTED)


class ProjectSwitch(models.Model):
    """One attempt, announced before the session is touched, so that a crash leaves a trace.

    A session has one open switch at most. Its row is locked while the switch is written; an
    ended one is never changed again (a trigger). ``failure`` is the code of what went wrong.
    """

    session = models.ForeignKey(Session, models.PROTECT, related_name="project_switches")
    from_project = models.ForeignKey(Project, models.PROTECT, null=True, related_name="+")
    to_project = models.ForeignKey(Project, models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=SwitchState, default=SwitchState.STARTED)
    failure = models.CharField(max_length=40, blank=True, default="")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    surface = models.CharField(max_length=8, choices=Surface)
    reason = models.TextField(blank=True, default="")
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ProjectSwitchQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "project switches"
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["session"],
                condition=Q(state=SwitchState.STARTED),
                name="one_open_switch_per_session",
            ),
            models.CheckConstraint(
                condition=Q(state__in=SwitchState.values), name="switch_state_known"
            ),
            models.CheckConstraint(
                condition=Q(state=SwitchState.STARTED, finished_at__isnull=True)
                | (~Q(state=SwitchState.STARTED) & Q(finished_at__isnull=False)),
                name="switch_finished_when_ended",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_project_id} → {self.to_project_id}: {self.state}"
