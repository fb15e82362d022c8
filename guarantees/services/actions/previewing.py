"""What an action would do, shown before anybody does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils.translation import gettext as _

from guarantees.action_errors import NotFound
from guarantees.models import ActionType, Guarantee, GuaranteeAction, GuaranteeStatus
from guarantees.models.json_values import kept
from guarantees.services.actions.drafting import require_draft, require_storable
from guarantees.services.actions.finding import LARGEST_ID, find_guarantee
from guarantees.services.actions.issuing import require_unchanged
from guarantees.services.actions.terms import ActionRequest, Terms, agree_terms
from migrations_tools.services.actors import require_permission


@dataclass(frozen=True, slots=True)
class ActionPreview:
    """What an action would make of a guarantee as it stands; nothing was written.

    ``differences`` has what would be another: field → [now, then], as JSON keeps values.
    ``agreed`` names these terms: a request that carries it is refused once they are others.
    """

    guarantee: Guarantee
    terms: Terms
    differences: dict[str, list[Any]]
    agreed: str


def preview_action(request: ActionRequest, *, acting_user: User, surface: str) -> ActionPreview:
    """What `issue_action` would do now. Raises what that would raise."""
    require_permission(
        acting_user,
        "guarantees.add_guaranteeaction",
        deed=f"preview a {request.action_type}",
        surface=surface,
    )
    require_storable(request)
    guarantee = find_guarantee(request.number, request.guarantee_id)
    return preview_of(request, guarantee)


def preview_of(request: ActionRequest, guarantee: Guarantee) -> ActionPreview:
    """The same for a guarantee that was read before."""
    return _preview(request.action_type, guarantee, agree_terms(request, guarantee))


def preview_draft(action_id: int, *, acting_user: User, surface: str) -> ActionPreview:
    """What `issue_draft` would do now. Raises what that would raise, a locked session apart."""
    require_permission(
        acting_user, "guarantees.change_guaranteeaction", deed="preview a draft", surface=surface
    )
    pk = action_id if 0 < action_id <= LARGEST_ID else 0
    found = GuaranteeAction.objects.select_related("guarantee__supplier", "guarantee__bank")
    action = found.filter(pk=pk).first()
    if action is None or action.guarantee is None:
        raise NotFound(
            _("There is no draft %(action_id)s.") % {"action_id": action_id}, action=action_id
        )
    require_draft(action)
    terms = require_unchanged(action, action.guarantee)
    return _preview(action.action_type, action.guarantee, terms)


#: What a guarantee currently is, and where the terms have it before and after.
_CURRENT: Final = (
    ("current_expiry", "previous_expiry", "new_expiry"),
    ("current_amount", "previous_amount", "new_amount"),
)


def _preview(action_type: str, guarantee: Guarantee, terms: Terms) -> ActionPreview:
    differences: dict[str, list[Any]] = dict(terms.changes)
    for name, previous, new in _CURRENT:
        if getattr(terms, new) is not None:
            differences[name] = [kept(getattr(terms, previous)), kept(getattr(terms, new))]
    if action_type == ActionType.RELEASE:
        differences["status"] = [guarantee.status, GuaranteeStatus.RELEASED.value]
    return ActionPreview(guarantee, terms, differences, terms.digest())
