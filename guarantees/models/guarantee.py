"""Guarantees: what was imported, and what it currently is."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, Value
from django.db.models.functions import MD5
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guarantees.models.bank import Bank
from guarantees.models.batch import BatchKind, ImportBatch
from guarantees.models.number import comparable, trimmed
from guarantees.models.supplier import Supplier
from migrations_tools.history_tracking import tracked_history


class MatchStatus(models.TextChoices):
    READY = "ready", _("ready")  # supplier and bank known and certain
    NEEDS_REVIEW = "needs_review", _("needs review")  # a person decides


class GuaranteeStatus(models.TextChoices):
    ACTIVE = "active", _("active")
    RELEASED = "released", _("released")  # given back to the bank; takes no further extension


class GuaranteeQuerySet(models.QuerySet["Guarantee"]):
    def with_number(self, number: str) -> GuaranteeQuerySet:
        """Guarantees of that number, white space around it apart; uses the index."""
        key = MD5(Value(comparable(number)))
        return self.alias(number_key=MD5(trimmed("number"))).filter(number_key=key)


class Guarantee(models.Model):
    """One imported guarantee. Numbers repeat; nothing is merged (guarantees.md N7).

    The imported values stay; ``current_amount``, ``current_expiry`` and ``status`` follow the
    issued actions. While ``is_protected`` (set by the migration only), the database refuses
    changes to `BUSINESS_FIELDS` but for an issued modification.
    """

    number = models.TextField()
    raw_supplier_name = models.TextField(blank=True, default="")
    raw_bank_name = models.TextField(blank=True, default="")
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, null=True, blank=True, related_name="guarantees"
    )
    bank = models.ForeignKey(Bank, models.PROTECT, null=True, blank=True, related_name="guarantees")
    contract_number = models.TextField(blank=True, default="")
    related_to = models.TextField(blank=True, default="")  # contract, purchase_order
    amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="SAR")
    issue_date = models.DateField(null=True, blank=True)
    expiry_date = models.DateField(null=True, blank=True)
    type = models.TextField(blank=True, default="")
    comment = models.TextField(blank=True, default="")
    match_status = models.CharField(
        max_length=12, choices=MatchStatus, default=MatchStatus.NEEDS_REVIEW
    )
    batch = models.ForeignKey(ImportBatch, models.PROTECT, related_name="guarantees")
    import_kind = models.CharField(max_length=6, choices=BatchKind)
    import_date = models.DateField()  # local day of created_at
    is_protected = models.BooleanField(default=False, editable=False)
    current_amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    current_expiry = models.DateField(null=True, blank=True)
    status = models.CharField(max_length=8, choices=GuaranteeStatus, default=GuaranteeStatus.ACTIVE)
    created_at = models.DateTimeField(default=timezone.now)

    objects = GuaranteeQuerySet.as_manager()
    history = tracked_history()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=~Q(number=""), name="guarantee_number_not_blank"),
            models.CheckConstraint(
                condition=Q(match_status__in=MatchStatus.values),
                name="guarantee_match_status_known",
            ),
            models.CheckConstraint(
                condition=Q(status__in=GuaranteeStatus.values), name="guarantee_status_known"
            ),
            models.CheckConstraint(
                condition=Q(import_kind__in=BatchKind.values), name="guarantee_import_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(is_protected=False) | Q(match_status=MatchStatus.READY),
                name="protected_guarantee_is_ready",
            ),
        ]
        indexes = [
            # "the newest guarantee of that number before"; MD5: numbers of any length
            models.Index(
                MD5(trimmed("number")),
                models.F("created_at").desc(),
                models.F("id").desc(),
                name="guarantee_newest_of_number",
            ),
        ]

    def __str__(self) -> str:
        return self.number


#: What was imported: frozen while a guarantee is protected. The trigger of migration
#: ``0003_protected_guarantees`` lists the same columns; a test compares the two.
BUSINESS_FIELDS = (
    "number",
    "raw_supplier_name",
    "raw_bank_name",
    "supplier",
    "bank",
    "contract_number",
    "related_to",
    "amount",
    "currency",
    "issue_date",
    "expiry_date",
    "type",
    "comment",
    "match_status",
    "batch",
    "import_kind",
    "import_date",
    "created_at",
)
