"""Cutovers, what their shadow reads found, and keys that are never carried over."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from migrations_tools.cutover.stages import Stage


class Cutover(models.Model):
    """One row for each key; read by all processes, changed only by the service.

    Figures count since the stage began: comparisons, those that differed, and milliseconds of both
    sides. Budgets are a share (0–1) of comparisons and milliseconds of a new read on average.
    """

    key = models.CharField(max_length=50, unique=True)
    stage = models.CharField(max_length=10, choices=Stage, default=Stage.OFF)
    # share of the readers that the new side answers while live, in percent
    read_percentage = models.PositiveSmallIntegerField(default=100)
    mismatch_budget = models.FloatField(default=0.01)
    latency_budget_ms = models.FloatField(default=200)
    # [{"operation": "list" or "*", "field": "updated_at"}, …]: differences that are expected
    ignored = models.JSONField(default=list, blank=True)
    compared = models.BigIntegerField(default=0)
    mismatched = models.BigIntegerField(default=0)
    legacy_ms = models.FloatField(default=0)
    new_ms = models.FloatField(default=0)
    since = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["key"]
        constraints = [
            models.CheckConstraint(condition=Q(stage__in=Stage.values), name="cutover_stage_known"),
            models.CheckConstraint(
                condition=Q(read_percentage__lte=100), name="cutover_percentage_within_100"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.stage}"


class Mismatch(models.Model):
    """A read that both sides answered differently. The same difference again raises ``times``."""

    cutover = models.ForeignKey(Cutover, models.CASCADE, related_name="mismatches")
    operation = models.CharField(max_length=50)
    subject = models.TextField(blank=True, default="")
    digest = models.CharField(max_length=64)
    legacy = models.JSONField(null=True, blank=True)
    new = models.JSONField(null=True, blank=True)
    error = models.TextField(blank=True, default="")  # the new side did not answer at all
    times = models.BigIntegerField(default=1)
    first_seen = models.DateTimeField(auto_now_add=True)
    last_seen = models.DateTimeField(auto_now=True)
    explained_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    explanation = models.TextField(blank=True, default="")

    class Meta:
        ordering = ["-last_seen", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["cutover", "operation", "digest"], name="mismatch_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.subject}"


class Waiver(models.Model):
    """A key that can never be carried over, and who decided that."""

    definition = models.CharField(max_length=100)
    step = models.PositiveSmallIntegerField()
    key = models.TextField(db_collation="C")
    reason = models.TextField()
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["definition", "step", "key"], name="waiver_once"),
        ]

    def __str__(self) -> str:
        return f"{self.definition} {self.key}"


class DualWritten(models.Model):
    """A key of a data migration whose rows, as ``source_digest`` has them, the application wrote
    to both sides of a cutover: nothing of it waits for a run (`migrations_tools.cutover.carried`).
    """

    definition = models.CharField(max_length=100)
    step = models.PositiveSmallIntegerField()
    key = models.TextField(db_collation="C")
    source_digest = models.BinaryField(null=True, blank=True)  # 32 bytes, as the ledger has it
    written_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name_plural = "dual written keys"
        constraints = [
            models.UniqueConstraint(fields=["definition", "step", "key"], name="dual_written_once"),
        ]

    def __str__(self) -> str:
        return f"{self.definition} {self.key}"
