"""Checks: results of verifications."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from migrations_tools.models.run import Run


class Check(models.Model):
    """One check of one verification; ``failures`` of ``examined`` rows, some of them named.

    ``run`` is null where the definition's checks looked at all data.
    """

    verification = models.UUIDField(db_index=True)
    definition = models.CharField(max_length=100)
    run = models.ForeignKey(Run, models.PROTECT, null=True, blank=True, related_name="checks")
    code = models.CharField(max_length=60)
    title = models.CharField(max_length=200)
    ok = models.BooleanField()
    examined = models.BigIntegerField()
    failures = models.BigIntegerField()
    # rows whose difference a newer history row explains
    edited_since = models.BigIntegerField(default=0)
    sample = models.JSONField(default=list)
    seconds = models.FloatField(default=0)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.code}: {'ok' if self.ok else 'failed'}"
