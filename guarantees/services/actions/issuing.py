"""Issuing: one-way, once, and with it what the guarantee currently is (guarantees.md "Actions")."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext

from guarantees.action_errors import ChangedMeanwhile
from guarantees.cutovers import write_both
from guarantees.models import ActionStatus, ActionType, Guarantee, GuaranteeAction, GuaranteeStatus
from guarantees.services.actions.corrections import apply_changes
from guarantees.services.actions.drafting import (
    answered_before,
    insert_draft,
    require_draft,
    require_storable,
)
from guarantees.services.actions.finding import lock_draft, lock_guarantee
from guarantees.services.actions.sessions import count, lock_session_of
from guarantees.services.actions.terms import ActionRequest, Terms, agree_terms
from guarantees.services.actions.writing import local_day
from guarantees.services.legacy_writing import write_legacy_action, write_legacy_correction
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import Clock, history_reason, save


def issue_action(
    request: ActionRequest, *, acting_user: User, surface: str, now: Clock = timezone.now
) -> GuaranteeAction:
    """Draft and issue in one step. The same idempotency key again answers the first action.

    Raises PermissionRefused or a refusal of `action_errors`; nothing is written then.
    """
    require_permission(
        acting_user,
        "guarantees.add_guaranteeaction",
        deed=f"issue a {request.action_type}",
        surface=surface,
    )
    require_storable(request)
    with transaction.atomic():
        guarantee = lock_guarantee(request.number, request.guarantee_id)
        first = answered_before(request, status=ActionStatus.ISSUED)
        if first is not None:
            return first
        action = insert_draft(request, guarantee, acting_user=acting_user, surface=surface, now=now)
        return _issue(action, guarantee, acting_user=acting_user, surface=surface, now=now)


def issue_draft(
    action_id: int,
    *,
    acting_user: User,
    surface: str,
    agreed: str | None = None,
    now: Clock = timezone.now,
) -> GuaranteeAction:
    """Issue a draft, if the guarantee still is what it was when the draft was made.

    ``agreed`` names the terms that somebody has looked at (`Terms.digest`); without, any are meant.

    Raises PermissionRefused, NotFound, AlreadyIssued, SessionLocked, ChangedMeanwhile or a refusal
    of its terms; nothing is written then.
    """
    require_permission(
        acting_user, "guarantees.change_guaranteeaction", deed="issue a draft", surface=surface
    )
    with transaction.atomic():
        action, guarantee = lock_draft(action_id)
        require_draft(action)
        lock_session_of(action.session_id)
        require_unchanged(action, guarantee, agreed)
        return _issue(action, guarantee, acting_user=acting_user, surface=surface, now=now)


def require_unchanged(
    action: GuaranteeAction, guarantee: Guarantee, agreed: str | None = None
) -> Terms:
    """The draft's terms, agreed again, are the draft's terms. Raises a refusal of `action_errors`.

    A draft may also have been edited by hand, so everything is asked again.
    """
    request = ActionRequest(
        action_type=action.action_type,
        number=action.number,
        new_expiry=action.new_expiry,
        new_amount=action.new_amount,
        changes={name: new for name, (_, new) in action.changes.items()},
        reason=action.reason,
    )
    terms = agree_terms(request, guarantee)
    kept = Terms(
        action.previous_expiry,
        action.previous_amount,
        action.new_expiry,
        action.new_amount,
        action.changes,
    )
    if terms != kept:
        raise ChangedMeanwhile(
            gettext(
                "Guarantee %(number)s has changed since the draft was made; look at it, "
                "and change the draft or make a new one."
            )
            % {"number": guarantee.number},
            action=action.pk,
        )
    if agreed not in (None, terms.digest()):
        raise ChangedMeanwhile(
            gettext("The draft on %(number)s is no longer what it was when you looked at it.")
            % {"number": action.number},
            action=action.pk,
        )
    return terms


def _issue(
    action: GuaranteeAction, guarantee: Guarantee, *, acting_user: User, surface: str, now: Clock
) -> GuaranteeAction:
    """Every action that people issue goes through here, in one transaction with its consequences.

    While the old system is written too, its row of the action is one of them. Status, lock and time
    are set once. Guarantee and session are locked.
    """
    at = now()
    action.status, action.is_locked, action.issued_at = ActionStatus.ISSUED, True, at
    action.action_date = local_day(at)
    changed = _carry_out(action, guarantee)
    write_both(
        legacy=lambda: _write_legacy(action, guarantee),
        new=lambda: _write(action, guarantee, changed, acting_user=acting_user, surface=surface),
    )
    return action


def _write_legacy(action: GuaranteeAction, guarantee: Guarantee) -> None:
    write_legacy_action(action)
    write_legacy_correction(guarantee, action.changes)


def _write(
    action: GuaranteeAction,
    guarantee: Guarantee,
    changed: list[str],
    *,
    acting_user: User,
    surface: str,
) -> None:
    """Action, guarantee – its fields ``changed`` –, session.

    The action comes before the guarantee: a protected one lets itself be changed only by the
    transaction that has issued its modification.
    """
    reason = history_reason(f"issue {action.action_type}", surface, action.reason)
    save(action, acting_user=acting_user, reason=reason)
    save(guarantee, acting_user=acting_user, reason=reason, update_fields=changed)
    session = lock_session_of(action.session_id)
    count(session, total=0, issued=1, acting_user=acting_user, reason=reason)


def _carry_out(action: GuaranteeAction, guarantee: Guarantee) -> list[str]:
    """Set on ``guarantee`` what the action makes of it; the names of the fields to save."""
    changed = apply_changes(guarantee, action.changes) if action.changes else []
    if action.new_expiry is not None:
        guarantee.current_expiry = action.new_expiry
        changed.append("current_expiry")
    if action.new_amount is not None:
        guarantee.current_amount = action.new_amount
        changed.append("current_amount")
    if action.action_type == ActionType.RELEASE:
        guarantee.status = GuaranteeStatus.RELEASED
        changed.append("status")
    return changed
