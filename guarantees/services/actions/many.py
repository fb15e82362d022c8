"""The same action on many guarantees: each by itself, so that none costs the others anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _

from guarantees.action_errors import ActionRefused, ValueRefused
from guarantees.models import ActionType, Guarantee, GuaranteeAction
from guarantees.services.actions.finding import LARGEST_ID
from guarantees.services.actions.issuing import issue_action
from guarantees.services.actions.previewing import ActionPreview, preview_of
from guarantees.services.actions.terms import ActionRequest
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import Clock

#: Guarantees of one request.
MOST_AT_ONCE = 500

#: Longest key of a whole request; each guarantee's own key adds its id.
_LONGEST_KEY = 150

#: What may be done to many: nothing has to be said of each.
BULK_TYPES = (ActionType.EXTENSION, ActionType.RELEASE)


@dataclass(frozen=True, kw_only=True)
class BulkRequest:
    """What is asked for all of ``guarantee_ids``; `ActionRequest` says what the values mean."""

    action_type: str
    guarantee_ids: Sequence[int]
    new_expiry: date | None = None
    reason: str = ""
    notes: str = ""
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """A guarantee on which nothing was done, and why. ``guarantee`` is None where there is none."""

    pk: int
    guarantee: Guarantee | None
    code: str
    message: str


@dataclass(slots=True)
class BulkPreview:
    """What would be done, by guarantee, in the order in which they are named."""

    possible: list[ActionPreview] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


@dataclass(slots=True)
class BulkResult:
    """What was done. ``repeated`` are those that an earlier request of the same key did."""

    issued: list[GuaranteeAction] = field(default_factory=list)
    repeated: list[GuaranteeAction] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)


def preview_many(request: BulkRequest, *, acting_user: User, surface: str) -> BulkPreview:
    """What `issue_many` would do; a constant number of queries. Raises PermissionRefused or
    ValueRefused for what concerns all of them.
    """
    _require(request, acting_user, surface)
    preview = BulkPreview()
    found = _read(request)
    for pk in _named(request):
        guarantee = found.get(pk)
        if guarantee is None:
            preview.refused.append(_unknown(pk))
            continue
        try:
            preview.possible.append(preview_of(_single(request, guarantee), guarantee))
        except ActionRefused as refusal:
            preview.refused.append(Refused(pk, guarantee, refusal.code, refusal.message))
    return preview


def issue_many(
    request: BulkRequest, *, acting_user: User, surface: str, now: Clock = timezone.now
) -> BulkResult:
    """Issue the action on each guarantee, in a transaction of its own.

    A refusal is kept beside those that were issued. The same key again does nothing twice, and
    takes up what was refused or cut off. Raises PermissionRefused or ValueRefused.
    """
    _require(request, acting_user, surface)
    result = BulkResult()
    found = _read(request)
    for pk in _named(request):
        guarantee = found.get(pk)
        if guarantee is None:
            result.refused.append(_unknown(pk))
            continue
        at = now()
        try:
            action = issue_action(
                _single(request, guarantee),
                acting_user=acting_user,
                surface=surface,
                now=lambda at=at: at,  # type: ignore[misc]
            )
        except ActionRefused as refusal:
            result.refused.append(Refused(pk, guarantee, refusal.code, refusal.message))
        else:
            (result.issued if action.created_at == at else result.repeated).append(action)
    return result


def _require(request: BulkRequest, acting_user: User, surface: str) -> None:
    require_permission(
        acting_user,
        "guarantees.add_guaranteeaction",
        deed=f"issue a {request.action_type}",
        surface=surface,
    )
    if request.action_type not in BULK_TYPES:
        raise ValueRefused(
            _("“%(action_type)s” is not done to many at once: %(bulk_types)s.")
            % {"action_type": request.action_type, "bulk_types": ", ".join(BULK_TYPES)},
            field="action_type",
        )
    named = _named(request)
    if not named:
        raise ValueRefused(_("Name at least one guarantee."), field="guarantees")
    if len(named) > MOST_AT_ONCE:
        raise ValueRefused(
            _(
                "%(named)s guarantees are more than are done at once; take "
                "%(most_at_once)s at a time."
            )
            % {"named": f"{len(named):,}", "most_at_once": MOST_AT_ONCE},
            field="guarantees",
        )
    key = request.idempotency_key
    if key is not None and not 0 < len(key) <= _LONGEST_KEY:
        raise ValueRefused(
            _("An idempotency key has 1 to %(longest_key)s characters.")
            % {"longest_key": _LONGEST_KEY},
            field="idempotency_key",
        )


def _named(request: BulkRequest) -> list[int]:
    return list(dict.fromkeys(request.guarantee_ids))


def _read(request: BulkRequest) -> dict[int, Guarantee]:
    storable = [pk for pk in _named(request) if 0 < pk <= LARGEST_ID]
    return Guarantee.objects.select_related("supplier", "bank").in_bulk(storable)


def _single(request: BulkRequest, guarantee: Guarantee) -> ActionRequest:
    key = request.idempotency_key
    return ActionRequest(
        action_type=request.action_type,
        number=guarantee.number,
        guarantee_id=guarantee.pk,
        new_expiry=request.new_expiry,
        reason=request.reason,
        notes=request.notes,
        idempotency_key=None if key is None else f"{key}:{guarantee.pk}",
    )


def _unknown(pk: int) -> Refused:
    return Refused(
        pk, None, "not_found", _("There is no guarantee with the id %(pk)s.") % {"pk": pk}
    )
