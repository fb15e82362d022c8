"""Actions on guarantees, immutable once issued, and the daily sessions they are made in."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import MD5
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from guarantees.models.bank import Bank
from guarantees.models.guarantee import Guarantee
from guarantees.models.number import trimmed
from guarantees.models.supplier import Supplier
from migrations_tools.history_tracking import tracked_history


class ActionType(models.TextChoices):
    EXTENSION = "extension", _("extension")  # a later expiry
    RELEASE = "release", _("release")  # the guarantee is given back
    REDUCTION = "reduction", _("reduction")  # a smaller amount
    RENEWAL = "renewal", _("renewal")
    MODIFICATION = "modification", _("modification")  # corrects values; the way to protected ones


class ActionStatus(models.TextChoices):
    DRAFT = "draft", _("draft")  # can be edited, deleted or issued
    ISSUED = "issued", _("issued")  # locked for good


class ActionSession(models.Model):
    """A day's work on actions: one open session per day. Locked, it takes no new or changed
    action and stays locked; the database sees to it.
    """

    day = models.DateField()
    is_locked = models.BooleanField(default=False)
    total_actions = models.PositiveIntegerField(default=0)
    issued_actions = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        ordering = ["-day", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["day"], condition=Q(is_locked=False), name="one_open_session_per_day"
            ),
            models.CheckConstraint(
                condition=Q(issued_actions__lte=F("total_actions")),
                name="session_issued_within_total",
            ),
        ]

    def __str__(self) -> str:
        return gettext("actions of %(day)s") % {"day": self.day}


class GuaranteeAction(models.Model):
    """Issued ⇒ locked; the database refuses every change and deletion of a locked action, but
    for the rollback of the run that inserted it (guarantees.md "Immutable").

    ``guarantee`` is null where a legacy action names a number never imported. ``changes`` of a
    modification: ``{field: [old, new]}``. Supplier and bank are kept as they were at the time.
    """

    guarantee = models.ForeignKey(
        Guarantee, models.PROTECT, null=True, blank=True, related_name="actions"
    )
    number = models.TextField()
    action_type = models.CharField(max_length=12, choices=ActionType)
    session = models.ForeignKey(
        ActionSession, models.PROTECT, null=True, blank=True, related_name="actions"
    )
    action_date = models.DateField()
    previous_expiry = models.DateField(null=True, blank=True)
    new_expiry = models.DateField(null=True, blank=True)
    previous_amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    new_amount = models.DecimalField(max_digits=16, decimal_places=2, null=True, blank=True)
    notes = models.TextField(blank=True, default="")
    changes = models.JSONField(default=dict, blank=True)
    reason = models.TextField(blank=True, default="")
    supplier = models.ForeignKey(
        Supplier, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    bank = models.ForeignKey(
        Bank, models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    supplier_name = models.TextField(blank=True, default="")
    bank_name = models.TextField(blank=True, default="")
    supplier_display_name = models.TextField(blank=True, default="")
    bank_display_name = models.TextField(blank=True, default="")
    status = models.CharField(max_length=6, choices=ActionStatus, default=ActionStatus.DRAFT)
    is_locked = models.BooleanField(default=False, editable=False)
    issued_at = models.DateTimeField(null=True, blank=True, editable=False)
    # id of the transaction that issued a modification, filled by the database
    issued_in = models.BigIntegerField(null=True, blank=True, editable=False)
    # of the request that made it: a second one with the same key makes nothing
    idempotency_key = models.CharField(max_length=200, null=True, blank=True)  # noqa: DJ001
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    created_at = models.DateTimeField(default=timezone.now)

    history = tracked_history()

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["idempotency_key"],
                condition=Q(idempotency_key__isnull=False),
                name="action_idempotency_key_unique",
            ),
            models.CheckConstraint(
                condition=Q(action_type__in=ActionType.values), name="action_type_known"
            ),
            # with the trigger on locked rows: issuing happens once, in one step, and is one-way
            models.CheckConstraint(
                condition=Q(status=ActionStatus.DRAFT, is_locked=False, issued_at__isnull=True)
                | Q(status=ActionStatus.ISSUED, is_locked=True, issued_at__isnull=False),
                name="action_issued_means_locked",
            ),
            models.CheckConstraint(
                # the two IS NOT NULL: a comparison with null would pass
                condition=~Q(action_type=ActionType.REDUCTION)
                | Q(
                    previous_amount__isnull=False,
                    new_amount__isnull=False,
                    new_amount__gt=0,
                    new_amount__lt=F("previous_amount"),
                    new_expiry__isnull=True,
                ),
                name="reduction_to_a_smaller_amount",
            ),
            models.CheckConstraint(
                condition=~Q(action_type=ActionType.RELEASE)
                | Q(new_expiry__isnull=True, new_amount__isnull=True),
                name="release_sets_nothing_new",
            ),
            models.CheckConstraint(
                condition=~Q(action_type=ActionType.MODIFICATION, status=ActionStatus.ISSUED)
                | Q(reason__regex=r"\S"),
                name="issued_modification_has_a_reason",
            ),
        ]
        indexes = [models.Index(MD5(trimmed("number")), name="action_by_number")]

    def __str__(self) -> str:
        return gettext("%(action_type)s of %(number)s") % {
            "action_type": self.get_action_type_display(),
            "number": self.number,
        }
