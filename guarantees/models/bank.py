"""Banks, and the other names they are known by."""

from __future__ import annotations

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.utils import timezone

from migrations_tools.history_tracking import tracked_history


class Bank(models.Model):
    """A bank keeps its legacy id as ``id``; the import moves the sequence above the highest.

    ``normalized_name`` is that of the English name, or of the Arabic one where there is none.
    """

    short_code = models.CharField(max_length=50, blank=True, default="")
    name_en = models.TextField(blank=True, default="")
    name_ar = models.TextField(blank=True, default="")
    normalized_name = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        ordering = ["name_en", "name_ar", "id"]
        indexes = [
            HashIndex(fields=["normalized_name"], name="bank_by_name"),
            HashIndex(fields=["short_code"], name="bank_by_short_code"),
        ]

    def __str__(self) -> str:
        return self.name_en or self.name_ar or self.short_code


class BankAlias(models.Model):
    """Another name of a bank: imported, or learnt from a decision."""

    bank = models.ForeignKey(Bank, models.CASCADE, related_name="aliases")
    name = models.TextField()
    normalized_name = models.TextField(blank=True, default="")
    source = models.CharField(max_length=30, blank=True, default="")
    uses = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        verbose_name_plural = "bank aliases"
        ordering = ["name", "id"]
        indexes = [HashIndex(fields=["normalized_name"], name="bank_alias_by_name")]

    def __str__(self) -> str:
        return self.name
