"""The journal: the before-image of every row that was written."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from migrations_tools.models.batch import Batch
from migrations_tools.models.fields import CurrentTransaction, TransactionIdField
from migrations_tools.models.run import Run
from migrations_tools.states import Operation


class RowChange(models.Model):
    """One written row: before and after of exactly the columns written.

    An insert keeps no copy of the row but ``image``, the digest of its columns as they stood
    after the write (columns declared derived are left out). A delete keeps the whole row.
    ``digest`` is over this entry's own values.
    """

    id = models.BigAutoField(primary_key=True)
    run = models.ForeignKey(
        Run, models.PROTECT, db_constraint=False, db_index=False, related_name="changes"
    )
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="changes")
    step = models.PositiveSmallIntegerField()
    # the source key that caused the write; null for objects that several keys share
    key = models.TextField(null=True, blank=True, db_collation="C")  # noqa: DJ001
    model = models.CharField(max_length=100)
    pk_text = models.TextField(db_collation="C")
    operation = models.CharField(max_length=6, choices=Operation)
    before = models.JSONField(null=True, blank=True)
    after = models.JSONField(null=True, blank=True)
    image = models.BinaryField(null=True, blank=True, editable=False)
    transaction_id = TransactionIdField(db_default=CurrentTransaction())
    digest = models.BinaryField(editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["model", "pk_text"], name="journal_by_row"),
            models.Index(
                fields=["run", "model"], name="journal_shared", condition=Q(key__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operation} {self.model} {self.pk_text}"
