"""Import batches: how guarantees came in."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from migrations_tools.history_tracking import tracked_history


class BatchKind(models.TextChoices):
    EXCEL = "excel", _("Excel file")  # one batch per file
    MANUAL = "manual", _("manual entry")  # one batch per local day
    PASTE = "paste", _("text paste")  # one batch per local day


#: Kinds with one batch per local calendar day (guarantees.md "Target models").
DAILY_KINDS = (BatchKind.MANUAL, BatchKind.PASTE)


class ImportBatch(models.Model):
    """``day`` is the local calendar day of a manual or paste batch; constraints make it one.

    ``legacy_ref`` names what an Excel batch was made from, such as ``session:50``.
    ``total_records`` and ``ready_records`` are derived: they count the batch's guarantees.
    """

    kind = models.CharField(max_length=6, choices=BatchKind)
    description = models.TextField(blank=True, default="")
    file_name = models.TextField(blank=True, default="")
    sha256 = models.CharField(max_length=64, blank=True, default="")
    day = models.DateField(null=True, blank=True)
    total_records = models.PositiveIntegerField(default=0)
    ready_records = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    uploaded_by = models.CharField(max_length=254, blank=True, default="")  # e-mail
    legacy_ref = models.TextField(null=True, blank=True, unique=True)

    history = tracked_history()

    class Meta:
        verbose_name_plural = "import batches"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "day"], condition=Q(kind__in=DAILY_KINDS), name="one_batch_per_day"
            ),
            models.CheckConstraint(condition=Q(kind__in=BatchKind.values), name="batch_kind_known"),
            models.CheckConstraint(
                condition=~Q(kind__in=DAILY_KINDS) | Q(day__isnull=False),
                name="daily_batch_has_a_day",
            ),
            models.CheckConstraint(
                condition=Q(ready_records__lte=models.F("total_records")),
                name="batch_ready_within_total",
            ),
        ]
        indexes = [
            models.Index(fields=["sha256"], condition=~Q(sha256=""), name="batch_by_file"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.file_name or self.day or self.description}"
