"""Suppliers, and the other names they are known by."""

from __future__ import annotations

from django.contrib.postgres.indexes import HashIndex
from django.db import models
from django.utils import timezone

from migrations_tools.history_tracking import tracked_history


class Supplier(models.Model):
    """A supplier keeps its legacy id as ``id``; the import moves the sequence above the highest.

    ``normalized_name`` is what name matching compares (guarantees.md "Reading values"), here and
    in aliases and overrides; whoever writes the name fills it.
    """

    name = models.TextField()
    display_name = models.TextField(blank=True, default="")
    normalized_name = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        ordering = ["name", "id"]
        # hash: names of any length, equality only
        indexes = [HashIndex(fields=["normalized_name"], name="supplier_by_name")]

    def __str__(self) -> str:
        return self.display_name or self.name


class SupplierAlias(models.Model):
    """Another name of a supplier: imported, or learnt from a decision.

    One name may lead to several suppliers; matching then is not certain.
    """

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="aliases")
    name = models.TextField()
    normalized_name = models.TextField(blank=True, default="")
    source = models.CharField(max_length=30, blank=True, default="")
    uses = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        verbose_name_plural = "supplier aliases"
        ordering = ["name", "id"]
        indexes = [HashIndex(fields=["normalized_name"], name="supplier_alias_by_name")]

    def __str__(self) -> str:
        return self.name


class SupplierOverride(models.Model):
    """A name that a person tied to a supplier; it goes before every other match."""

    supplier = models.ForeignKey(Supplier, models.CASCADE, related_name="overrides")
    name = models.TextField()
    normalized_name = models.TextField(blank=True, default="")
    notes = models.TextField(blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        ordering = ["name", "id"]
        indexes = [HashIndex(fields=["normalized_name"], name="supplier_override_by_name")]

    def __str__(self) -> str:
        return self.name
