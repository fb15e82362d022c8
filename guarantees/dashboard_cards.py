"""What the overview tells of the department: what expires, what waits for somebody."""

from __future__ import annotations

from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models import Count, Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from guarantees.models import (
    ActionStatus,
    Guarantee,
    GuaranteeAction,
    GuaranteeStatus,
    MatchStatus,
)
from migrations_tools.dashboard import Card, Figure, dashboard_card

#: Days within which an expiry is soon.
_SOON = 30


@dashboard_card(order=60, permission="guarantees.view_guarantee")
def guarantees(user: User) -> Card | None:
    """Two queries. None where there are no guarantees: the overview says what to do first."""
    today = timezone.localdate()
    active = Q(status=GuaranteeStatus.ACTIVE)
    counts = Guarantee.objects.aggregate(
        all=Count("pk"),
        expired=Count("pk", filter=active & Q(current_expiry__lt=today)),
        soon=Count(
            "pk",
            filter=active & Q(current_expiry__range=(today, today + timedelta(days=_SOON))),
        ),
        unmatched=Count("pk", filter=Q(match_status=MatchStatus.NEEDS_REVIEW)),
    )
    if not counts["all"]:
        return None
    drafts = (
        GuaranteeAction.objects.filter(status=ActionStatus.DRAFT)
        .exclude(session__is_locked=True)
        .count()
    )
    listed = reverse("admin:guarantees_guarantee_changelist")
    actions = reverse("admin:guarantees_guaranteeaction_changelist")
    names = reverse("admin:guarantees_guarantee_matching")
    figures = [
        Figure(counts["soon"], _("expire within 30 days"), f"{listed}?validity=soon", "warn"),
        Figure(counts["expired"], _("are expired"), f"{listed}?validity=expired", "bad"),
        Figure(counts["unmatched"], _("wait for a name to be decided"), names, "warn"),
    ]
    if user.has_perm("guarantees.view_guaranteeaction"):
        figures.append(
            Figure(drafts, _("drafts wait to be issued"), f"{actions}?status__exact=draft")
        )
    return Card(
        title=_("Bank guarantees"),
        figures=figures,
        link=_("All guarantees"),
        url=listed,
        tone="warn" if counts["soon"] or counts["expired"] else "",
    )
