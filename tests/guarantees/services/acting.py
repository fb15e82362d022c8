"""What tests of actions share: a clerk, a complete guarantee, requests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.contrib.auth.models import Permission, User

from guarantees.models import (
    ActionSession,
    ActionType,
    Guarantee,
    GuaranteeAction,
    GuaranteeStatus,
)
from guarantees.services.actions import ActionRequest, draft_action, issue_action
from tests.guarantees.factories import BankFactory, GuaranteeFactory, SupplierFactory

#: 1:30 on the second of May in Riyadh.
NIGHT = datetime(2025, 5, 1, 22, 30, tzinfo=UTC)

PERMISSIONS = (
    "add_guaranteeaction",
    "change_guaranteeaction",
    "delete_guaranteeaction",
    "change_actionsession",
)


def clerk(*permissions: str, name: str = "clerk") -> User:
    """A person with these permissions; without any, with all that actions ask for."""
    user, _ = User.objects.get_or_create(username=name)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions or PERMISSIONS))
    return User.objects.get(pk=user.pk)


def guarantee(**values: Any) -> Guarantee:
    """A guarantee that may be acted on."""
    parties = {"supplier": SupplierFactory.create(), "bank": BankFactory.create()}
    return GuaranteeFactory.create(**parties | {"number": "LG-1"} | values)


def asked(action_type: str = ActionType.EXTENSION, **values: Any) -> ActionRequest:
    return ActionRequest(action_type=action_type, **{"number": "LG-1"} | values)


def who(user: User | None = None) -> dict[str, Any]:
    return {"acting_user": user or clerk(), "surface": "api", "now": lambda: NIGHT}


def issue(action_type: str = ActionType.EXTENSION, **values: Any) -> GuaranteeAction:
    return issue_action(asked(action_type, **values), **who())


def draft(action_type: str = ActionType.EXTENSION, **values: Any) -> GuaranteeAction:
    return draft_action(asked(action_type, **values), **who())


def currently(found: Guarantee) -> tuple[Any, Any, str]:
    """Expiry, amount and status as they are stored."""
    found = Guarantee.objects.get(pk=found.pk)
    return found.current_expiry, found.current_amount, GuaranteeStatus(found.status).value


def written() -> dict[str, int]:
    """How many rows there are of what an action writes."""
    models = (GuaranteeAction, ActionSession, Guarantee.history.model)
    return {model.__name__: model._default_manager.count() for model in models}
