"""Answers that are kept so that a request sent twice is carried out once."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now


class IdempotencyKey(models.Model):
    """What a caller was answered for a key of its own; written in the transaction of the deed.

    ``digest`` is that of method, address and body: a key belongs to one request.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    digest = models.BinaryField()
    status = models.PositiveSmallIntegerField(null=True)
    body = models.JSONField(null=True)
    location = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="idempotency_key_of_a_user")
        ]
        indexes = [models.Index(fields=["created_at"], name="idempotency_by_age")]

    def __str__(self) -> str:
        return self.key
