"""The review queue, as JSON (SPEC §3)."""

from __future__ import annotations

from typing import Any

from django.db.models import Case, IntegerField, Q, Value, When

from migrations_tools.models import ReviewItem, Run
from migrations_tools.states import ReviewDecision


def review_queue(run: Run) -> dict[str, Any]:
    """What ``run`` left to a person: items that wait, then those decided, each as they came.

    Open items that a later run looked at again are left out.
    """
    listed = ReviewItem.objects.filter(run=run).filter(
        ~Q(decision=ReviewDecision.OPEN) | Q(pk__in=ReviewItem.objects.filter(run=run).waiting())
    )
    decided_last = Case(
        When(decision=ReviewDecision.OPEN, then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    names = ("key", "confidence", "proposal", "evidence", "decision")
    items = listed.order_by(decided_last, "id").values(*names, "decided_by__username", "reason")
    return {
        "run": str(run.pk),
        "items": [
            {
                **{name: item[name] for name in names},
                "decided_by": item["decided_by__username"],
                "reason": item["reason"],
            }
            for item in items
        ],
    }


def awaiting_review(definition: str) -> int:
    """Number of keys of a definition, over all its runs, that wait for a person."""
    return ReviewItem.objects.filter(run__definition=definition).waiting().count()
