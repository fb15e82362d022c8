"""Activity events: the evidence of what people and agents worked on (agents.md "Shape")."""

from __future__ import annotations

from typing import Any, Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from sessions_app.models.project import UNASSIGNED_ID

#: What stands in ``project`` of events that name none.
NO_PROJECT: Final = ("", str(UNASSIGNED_ID))


class Actor(models.TextChoices):
    """Who acted; other words of the old system are kept as written."""

    HUMAN = "human", _("human")
    AI = "ai", _("AI")
    SYSTEM = "system", _("system")


class WrittenReference(models.TextField[Any, Any]):
    """An id as it was written, of an object that may not exist. Takes the object too."""

    def deconstruct(self) -> Any:
        """For migrations it is plain text."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def get_prep_value(self, value: Any) -> Any:
        return super().get_prep_value(value.pk if isinstance(value, models.Model) else value)


class ActivityEventQuerySet(models.QuerySet["ActivityEvent"]):
    def evidence(self) -> ActivityEventQuerySet:
        """Events that name a project, even one that does not exist; the sentinel is none."""
        return self.filter(project__isnull=False).exclude(project__in=NO_PROJECT)


class ActivityEvent(models.Model):
    """One event. ``project`` and ``session_ref`` are ids as written, without a constraint: they
    may name what does not exist. UUIDs among them are in canonical form.

    Events are evidence, and there are millions: they have no field history. Nothing changes one but
    an import of the same event with other content, which counts it as updated.
    """

    event_id = models.CharField(max_length=255, unique=True, db_collation="C")
    occurred_at = models.DateTimeField(null=True, blank=True)
    actor = models.CharField(max_length=50, choices=Actor, blank=True, default="")
    project = WrittenReference(null=True, blank=True, db_collation="C")
    session_ref = WrittenReference(null=True, blank=True, db_collation="C")
    event_type = models.CharField(max_length=100, blank=True, default="")
    payload = models.JSONField(default=dict, blank=True)

    objects = ActivityEventQuerySet.as_manager()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        indexes = [
            # evidence of a session is counted from the index alone
            models.Index(
                fields=["session_ref", "project"],
                condition=Q(session_ref__isnull=False),
                name="event_evidence",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event_type} {self.event_id}"
