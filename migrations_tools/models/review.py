"""Review items: what the migration may not decide alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q, Subquery

from migrations_tools.models.ledger import LedgerEntry
from migrations_tools.models.run import Run
from migrations_tools.states import (
    DECIDED_OUTCOMES,
    Outcome,
    ReviewDecision,
    RunKind,
    RunState,
)


class ReviewItemQuerySet(models.QuerySet["ReviewItem"]):
    def waiting(self) -> ReviewItemQuerySet:
        """Items a person has to decide. Left out are those whose run was rolled back or purged,
        and those whose key was decided since: by a later run, or left to a newer item.
        """
        entries = LedgerEntry.objects.filter(step=OuterRef("step"), key=OuterRef("key"))
        own = entries.filter(run=OuterRef("run"), outcome=Outcome.REVIEW).order_by("-id")
        restored = LedgerEntry.objects.filter(
            run__kind=RunKind.ROLLBACK,
            run__parent=OuterRef("run"),
            step=OuterRef("step"),
            key=OuterRef("key"),
            outcome=Outcome.RESTORED,
        )
        later = entries.filter(
            ~Exists(restored),
            run__definition=OuterRef("run__definition"),
            run__kind=RunKind.APPLY,
            outcome__in=DECIDED_OUTCOMES,
            id__gt=OuterRef("entry"),
        ).exclude(run__state=RunState.ROLLED_BACK)
        return (
            self.filter(decision=ReviewDecision.OPEN)
            .exclude(run__state=RunState.ROLLED_BACK)
            .alias(entry=Subquery(own.values("id")[:1]))
            .filter(~Exists(later), entry__isnull=False)
        )

    def with_waiting(self) -> ReviewItemQuerySet:
        """All items, each with ``waiting``: whether a person has to decide it."""
        waiting = ReviewItem.objects.filter(pk=OuterRef("pk")).waiting()
        return self.annotate(waiting=Exists(waiting))

    def reopen(self) -> int:
        """Take the decisions back: nothing of them stands. The number of items."""
        return self.update(
            decision=ReviewDecision.OPEN,
            choice=None,
            decided_by=None,
            decided_at=None,
            reason="",
            decision_run=None,
            applied_by=None,
        )


class ReviewItem(models.Model):
    """A key that ``run`` left to a person.

    An item is decided, with ``decision_run``, in one transaction; it gets its ``applied_by`` in
    the transaction that carries the decision out. Whatever keeps a decision from being carried
    out, or takes it back, opens the item again in its own transaction: so ``decision_run``
    without ``applied_by`` means that this run is still to do it. What is skipped has neither.
    """

    run = models.ForeignKey(Run, models.PROTECT, related_name="review_items")
    step = models.PositiveSmallIntegerField()
    key = models.TextField(db_collation="C")
    proposal = models.JSONField(default=dict)
    confidence = models.FloatField(null=True, blank=True)  # ratio 0–1
    evidence = models.JSONField(default=dict)
    decision = models.CharField(max_length=8, choices=ReviewDecision, default=ReviewDecision.OPEN)
    choice = models.JSONField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.TextField(blank=True, default="")
    decision_run = models.ForeignKey(
        Run, models.PROTECT, null=True, blank=True, related_name="decided_reviews"
    )
    applied_by = models.ForeignKey(
        Run, models.PROTECT, null=True, blank=True, related_name="applied_reviews"
    )

    objects = ReviewItemQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["run", "step", "key"], name="review_key_unique"),
        ]
        indexes = [
            models.Index(
                fields=["run", "id"], name="review_open", condition=Q(decision=ReviewDecision.OPEN)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.key}: {self.decision}"
