"""Notices that wait to be sent: an outbox, so that none is lost and a far service stops no run."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from migrations_tools.models.transition import Transition
from migrations_tools.states import NoticeKind


class Notice(models.Model):
    """What one channel is told of one transition.

    ``channel`` names the address of the settings by its hash: addresses hold secrets.
    """

    transition = models.ForeignKey(Transition, models.PROTECT, related_name="notices")
    kind = models.CharField(max_length=12, choices=NoticeKind)
    channel = models.CharField(max_length=16)
    title = models.CharField(max_length=250)
    body = models.TextField()
    created_at = models.DateTimeField(db_default=Now())
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(db_default=Now())
    sent_at = models.DateTimeField(null=True, blank=True)
    given_up = models.BooleanField(default=False)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["transition", "kind", "channel"], name="notice_told_once"
            )
        ]
        indexes = [
            models.Index(
                fields=["not_before"],
                name="notices_waiting",
                condition=models.Q(sent_at=None, given_up=False),
            )
        ]

    def __str__(self) -> str:
        return self.title
