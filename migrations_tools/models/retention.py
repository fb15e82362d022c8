"""Retention records: the only key that opens ledger and journal, and only in its transaction."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from migrations_tools.models.fields import CurrentTransaction, TransactionIdField
from migrations_tools.models.run import Run


class RetentionRecord(models.Model):
    """Who removed what, and why. The append-only triggers look for it in their own transaction."""

    class Kind(models.TextChoices):
        PURGE = "purge"  # delete ledger and journal of a whole run
        ERASE = "erase"  # set personal values to null; digests stay

    kind = models.CharField(max_length=5, choices=Kind)
    run = models.ForeignKey(Run, models.PROTECT, related_name="retention_records")
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reason = models.TextField()
    rows = models.BigIntegerField(default=0)
    transaction_id = TransactionIdField(db_default=CurrentTransaction())
    at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return _("%(kind)s of %(run_id)s") % {"kind": self.kind, "run_id": self.run_id}
