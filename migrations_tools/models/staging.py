"""Base of staging models: rows as the old system exported them."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from migrations_tools.models.legacy_import import LegacyImport


class StagedRow(models.Model):
    """``content_hash`` is over the content as read; a new hash makes the row selectable again."""

    content_hash = models.BinaryField(null=True, blank=True, editable=False)  # 32 bytes, SHA-256
    # columns or values that the typed columns cannot hold, as they were read
    extra = models.JSONField(null=True, blank=True)
    # written by the import alone, a million at a time: no constraint to check for each
    legacy_import = models.ForeignKey(
        LegacyImport,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    staged_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
