"""Transitions: every change of state and every action of a person, append-only."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now

from migrations_tools.models.run import Run
from migrations_tools.states import Surface


class Transition(models.Model):
    """Written in the transaction of the change it tells of."""

    run = models.ForeignKey(Run, models.PROTECT, null=True, blank=True, related_name="transitions")
    action = models.CharField(max_length=40)
    from_state = models.CharField(max_length=24, blank=True, default="")
    to_state = models.CharField(max_length=24, blank=True, default="")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    surface = models.CharField(max_length=8, choices=Surface)
    reason = models.TextField(blank=True, default="")
    details = models.JSONField(default=dict)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.action}: {self.from_state} → {self.to_state}"
