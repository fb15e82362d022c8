"""Drafts: made, changed, thrown away (guarantees.md "Actions")."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext

from guarantees.action_errors import AlreadyIssued, KeyReused, ValueRefused
from guarantees.models import ActionStatus, Guarantee, GuaranteeAction
from guarantees.models.number import comparable
from guarantees.services.actions.finding import lock_draft, lock_guarantee
from guarantees.services.actions.sessions import count, lock_open_session, lock_session_of
from guarantees.services.actions.terms import ActionRequest, Terms, agree_terms
from guarantees.services.actions.writing import local_day
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import Clock, history_reason, save, sign
from migrations_tools.text import storable

LONGEST_KEY = 200


def draft_action(
    request: ActionRequest, *, acting_user: User, surface: str, now: Clock = timezone.now
) -> GuaranteeAction:
    """A draft of what is asked; the guarantee stays as it is until the draft is issued.

    Raises PermissionRefused or a refusal of `action_errors`; nothing is written then.
    """
    require_permission(
        acting_user,
        "guarantees.add_guaranteeaction",
        deed=f"draft a {request.action_type}",
        surface=surface,
    )
    require_storable(request)
    with transaction.atomic():
        guarantee = lock_guarantee(request.number, request.guarantee_id)
        first = answered_before(request)
        return first or insert_draft(
            request, guarantee, acting_user=acting_user, surface=surface, now=now
        )


def answered_before(request: ActionRequest, *, status: str | None = None) -> GuaranteeAction | None:
    """The action that the request's idempotency key made. Raises KeyReused for another deed."""
    if request.idempotency_key is None:
        return None
    first = GuaranteeAction.objects.filter(idempotency_key=request.idempotency_key).first()
    if first is None:
        return None
    same_deed = (first.action_type, comparable(first.number)) == (
        request.action_type,
        comparable(request.number),
    )
    if not same_deed or status not in (None, first.status):
        raise KeyReused(
            gettext("The key “%(idempotency_key)s” belongs to another request: %(first)s.")
            % {"idempotency_key": request.idempotency_key, "first": first},
            action=first.pk,
        )
    return first


def insert_draft(
    request: ActionRequest, guarantee: Guarantee, *, acting_user: User, surface: str, now: Clock
) -> GuaranteeAction:
    """The draft in the day's session. ``guarantee`` is locked, the key was looked for."""
    terms = agree_terms(request, guarantee)
    at = now()
    reason = history_reason(f"draft {request.action_type}", surface, request.reason)
    action = GuaranteeAction(
        guarantee=guarantee,
        number=guarantee.number,
        action_type=request.action_type,
        action_date=local_day(at),
        idempotency_key=request.idempotency_key,
        created_by=acting_user,
        created_at=at,
        session=lock_open_session(local_day(at), acting_user=acting_user, reason=reason),
        **snapshot(guarantee),
    )
    set_terms(action, request, terms)
    try:
        with transaction.atomic():
            save(action, acting_user=acting_user, reason=reason)
    except IntegrityError:
        # the same key for another guarantee, at the same time; this one lost
        if answered_before(request) is None:
            raise
        raise KeyReused(
            gettext("The key “%(idempotency_key)s” belongs to another request.")
            % {"idempotency_key": request.idempotency_key}
        ) from None
    count(action.session, total=1, issued=0, acting_user=acting_user, reason=reason)
    return action


def edit_draft(
    action_id: int,
    request: ActionRequest,
    *,
    acting_user: User,
    surface: str,
    before: Callable[[GuaranteeAction], None] | None = None,
) -> GuaranteeAction:
    """Change what a draft says; it keeps its guarantee, type and key, and notes what stands now.

    ``before`` is shown the locked draft and may refuse by raising.
    Raises PermissionRefused, NotFound, AlreadyIssued, SessionLocked or a refusal of its terms.
    """
    require_permission(
        acting_user, "guarantees.change_guaranteeaction", deed="change a draft", surface=surface
    )
    require_storable(request)
    with transaction.atomic():
        action, guarantee = lock_draft(action_id)
        if before is not None:
            before(action)
        require_draft(action)
        lock_session_of(action.session_id)
        request = replace(request, action_type=action.action_type)
        set_terms(action, request, agree_terms(request, guarantee))
        for name, value in snapshot(guarantee).items():
            setattr(action, name, value)
        save(action, acting_user=acting_user, reason=_told("change", action, surface))
    return action


def discard_draft(
    action_id: int,
    *,
    acting_user: User,
    surface: str,
    before: Callable[[GuaranteeAction], None] | None = None,
) -> None:
    """Delete a draft; its history stays. ``before`` as of `edit_draft`.

    Raises PermissionRefused, NotFound, AlreadyIssued or SessionLocked.
    """
    require_permission(
        acting_user, "guarantees.delete_guaranteeaction", deed="discard a draft", surface=surface
    )
    with transaction.atomic():
        action, _ = lock_draft(action_id)
        if before is not None:
            before(action)
        require_draft(action)
        session = lock_session_of(action.session_id)
        reason = _told("discard", action, surface)
        sign(action, acting_user=acting_user, reason=reason)
        action.delete()
        count(session, total=-1, issued=0, acting_user=acting_user, reason=reason)


def require_draft(action: GuaranteeAction) -> None:
    """Raises AlreadyIssued."""
    if action.status != ActionStatus.DRAFT:
        raise AlreadyIssued(
            gettext(
                "Action %(action)s on %(number)s is issued: it can be neither issued "
                "again, nor changed, nor discarded."
            )
            % {"action": action.pk, "number": action.number},
            action=action.pk,
        )


def set_terms(action: GuaranteeAction, request: ActionRequest, terms: Terms) -> None:
    action.previous_expiry, action.previous_amount = terms.previous_expiry, terms.previous_amount
    action.new_expiry, action.new_amount = terms.new_expiry, terms.new_amount
    action.changes = terms.changes
    action.reason, action.notes = request.reason.strip(), request.notes.strip()


def snapshot(guarantee: Guarantee) -> dict[str, object]:
    """Supplier and bank as they are at the time of the action."""
    supplier, bank = guarantee.supplier, guarantee.bank
    return {
        "supplier": supplier,
        "bank": bank,
        "supplier_name": supplier.name if supplier else guarantee.raw_supplier_name,
        "bank_name": str(bank) if bank else guarantee.raw_bank_name,
        "supplier_display_name": str(supplier) if supplier else "",
        "bank_display_name": (bank.name_ar or str(bank)) if bank else "",
    }


def _told(deed: str, action: GuaranteeAction, surface: str) -> str:
    return history_reason(f"{deed} {action.action_type}", surface, action.reason)


def require_storable(request: ActionRequest) -> None:
    """Raises ValueRefused for texts that no database can hold and keys that are none."""
    key = request.idempotency_key
    if key is not None and not 0 < len(key) <= LONGEST_KEY:
        raise ValueRefused(
            gettext("An idempotency key has 1 to %(longest_key)s characters.")
            % {"longest_key": LONGEST_KEY},
            field="idempotency_key",
        )
    for name in ("reason", "notes", "idempotency_key"):
        if not storable(getattr(request, name) or ""):
            raise ValueRefused(
                gettext("%(name)s: it is no text that can be stored.")
                % {"name": gettext(name.replace("_", " ")).capitalize()},
                field=name,
            )
