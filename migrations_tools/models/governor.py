"""What holds for all runs at once: the global stop."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Governor(models.Model):
    """One row. While ``stopped``, no worker begins a batch of any run; batches in hand end."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    stopped = models.BooleanField(default=False)
    reason = models.TextField(blank=True, default="")
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="one_governor")]

    def __str__(self) -> str:
        return f"stopped: {self.reason}" if self.stopped else "going"
