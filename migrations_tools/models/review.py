"""Review items: what the migration may not decide alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from migrations_tools.models.run import Run
from migrations_tools.states import ReviewDecision


class ReviewItem(models.Model):
    run = models.ForeignKey(Run, models.PROTECT, related_name="review_items")
    step = models.PositiveSmallIntegerField()
    key = models.TextField(db_collation="C")
    proposal = models.JSONField(default=dict)
    confidence = models.FloatField(null=True, blank=True)  # ratio 0–1
    evidence = models.JSONField(default=dict)
    decision = models.CharField(max_length=8, choices=ReviewDecision, default=ReviewDecision.OPEN)
    choice = models.JSONField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    applied_by = models.ForeignKey(
        Run, models.PROTECT, null=True, blank=True, related_name="applied_reviews"
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "step", "key"], name="review_key_unique"),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.decision}"
