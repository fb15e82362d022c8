"""Which actions have letters."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from guarantees.models import ActionStatus, ActionType, GuaranteeAction


def actions_with_letters() -> QuerySet[GuaranteeAction]:
    """Issued releases, and issued extensions to a known day."""
    return GuaranteeAction.objects.filter(
        Q(action_type=ActionType.RELEASE)
        | Q(action_type=ActionType.EXTENSION, new_expiry__isnull=False),
        status=ActionStatus.ISSUED,
    )


def letters_of_session(session_id: int) -> list[int]:
    """The actions of a session that have letters, in the order in which they were issued."""
    found = actions_with_letters().filter(session=session_id)
    return list(found.order_by("issued_at", "pk").values_list("pk", flat=True))


def newest_letter(guarantee_id: int) -> int | None:
    """The newest action of a guarantee that has a letter."""
    found = actions_with_letters().filter(guarantee=guarantee_id)
    return found.order_by("-issued_at", "-pk").values_list("pk", flat=True).first()
