"""The ledger: what became of every source key."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from migrations_tools.models.batch import Batch
from migrations_tools.models.run import Run
from migrations_tools.states import Outcome


class LedgerEntry(models.Model):
    """One key, one attempt, one outcome. Never changed; the newest attempt counts.

    ``digest`` is over the row's values, filled by the database when it is written.
    """

    id = models.BigAutoField(primary_key=True)
    # the batch's foreign key already ties the entry to its run
    run = models.ForeignKey(
        Run, models.PROTECT, db_constraint=False, db_index=False, related_name="ledger"
    )
    batch = models.ForeignKey(Batch, models.PROTECT, related_name="ledger")
    step = models.PositiveSmallIntegerField()
    key = models.TextField(db_collation="C")
    attempt = models.PositiveSmallIntegerField(default=1)
    outcome = models.CharField(max_length=11, choices=Outcome)
    code = models.CharField(max_length=60, blank=True, default="")
    detail = models.TextField(null=True, blank=True)  # noqa: DJ001 - null: none, or erased
    category = models.CharField(max_length=30, blank=True, default="")
    confidence = models.FloatField(null=True, blank=True)  # ratio 0–1
    # [[code, detail], …]
    warnings = models.JSONField(null=True, blank=True)
    # of the source row or group as it was read; a later change makes the key selectable again
    source_digest = models.BinaryField(null=True, blank=True, editable=False)
    digest = models.BinaryField(editable=False)

    class Meta:
        verbose_name_plural = "ledger entries"
        constraints = [
            models.UniqueConstraint(
                fields=["run", "step", "key", "attempt"], name="ledger_key_attempt_unique"
            ),
        ]
        indexes = [
            models.Index(
                fields=["run", "outcome", "id"],
                name="ledger_problems",
                condition=~Q(outcome__in=[Outcome.APPLIED, Outcome.UNCHANGED, Outcome.RESTORED]),
            ),
            models.Index(
                fields=["run", "id"], name="ledger_warnings", condition=Q(warnings__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.outcome}"
