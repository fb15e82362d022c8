"""Rows of a workbook that were not imported, kept so that a clerk can mend and send them again."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext as _

from guarantees.models.batch import ImportBatch
from migrations_tools.models import QueuedImport


class RejectedRow(models.Model):
    """A row of the sheet as it was written, with all that is wrong with it.

    It belongs to the batch that the good rows became, and to the upload it came with; a workbook
    without a good row makes no batch.
    """

    batch = models.ForeignKey(
        ImportBatch, models.CASCADE, null=True, blank=True, related_name="rejected_rows"
    )
    upload = models.ForeignKey(
        QueuedImport, models.CASCADE, null=True, blank=True, related_name="+"
    )
    row = models.PositiveIntegerField()  # as Excel counts
    cells = models.JSONField()  # column → text of the cell
    # [{field, code, message}, …]
    problems = models.JSONField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(batch__isnull=False) | Q(upload__isnull=False),
                name="rejected_row_belongs_somewhere",
            )
        ]

    def __str__(self) -> str:
        return _("row %(row)s") % {"row": self.row}
