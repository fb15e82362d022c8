"""What is asked for, and whether a guarantee as it stands allows it (guarantees.md "Actions").

The rules by type are a table; nothing here writes.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, date
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from django.utils.translation import gettext as _

from guarantees.action_errors import (
    ActionRefused,
    AlreadyReleased,
    AmountOutOfRange,
    BankUnknown,
    ChangedMeanwhile,
    GuaranteeReleased,
    NoAmount,
    NoExpiry,
    NotLater,
    ReasonMissing,
    SupplierUnknown,
    ValueRefused,
)
from guarantees.models import ActionType, Guarantee, GuaranteeStatus
from guarantees.services.actions.corrections import Changes, changes_asked

#: Amounts have sixteen digits, two of them decimals.
_TOO_LARGE: Final = Decimal(10) ** 14
_CENT: Final = Decimal("0.01")


@dataclass(frozen=True, kw_only=True)
class ActionRequest:
    """What somebody wants done to a guarantee.

    The newest guarantee of ``number`` is meant, unless ``guarantee_id`` names one.
    ``new_expiry`` is for extensions and renewals (one year later if left out), ``new_amount`` for
    reductions and renewals, ``changes`` (field → new value, text as people write it) for
    modifications. A second request with the same ``idempotency_key`` does nothing and is answered
    with the first one's action. ``agreed`` is what a preview said that the terms are
    (`Terms.digest`): where they have become others meanwhile, nothing is done.
    """

    action_type: str
    number: str
    guarantee_id: int | None = None
    new_expiry: date | None = None
    new_amount: Decimal | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    notes: str = ""
    idempotency_key: str | None = None
    agreed: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """What an action will say: what the guarantee is now, and what it is to become."""

    previous_expiry: date | None
    previous_amount: Decimal | None
    new_expiry: date | None = None
    new_amount: Decimal | None = None
    changes: Changes = field(default_factory=dict)

    def digest(self) -> str:
        """A name of these terms: other terms have another one."""
        return sha256(repr(self).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a type of action takes of a request, and what it asks of the guarantee."""

    takes: frozenset[str]
    agree: Callable[[ActionRequest, Guarantee, Terms], Terms]
    known_parties: bool = True  # supplier and bank
    after_release: bool = False


def agree_terms(request: ActionRequest, guarantee: Guarantee) -> Terms:
    """The terms of an action on ``guarantee`` as it stands. Raises a refusal of `action_errors`."""
    rule = RULES.get(request.action_type)
    if rule is None:
        raise ValueRefused(
            _("“%(action_type)s” is no type of action: %(known)s.")
            % {"action_type": request.action_type, "known": ", ".join(ActionType.values)}
        )
    for name in ("new_expiry", "new_amount", "changes"):
        if getattr(request, name) not in (None, {}) and name not in rule.takes:
            raise ValueRefused(
                _("%(name)s: not for actions of the type %(action_type)s.")
                % {
                    "name": _(name.replace("_", " ")).capitalize(),
                    "action_type": _(request.action_type),
                },
                field=name,
            )
    _require_fit(rule, request.action_type, guarantee)
    terms = rule.agree(request, guarantee, _as_it_stands(guarantee))
    if request.agreed not in (None, terms.digest()):
        raise ChangedMeanwhile(
            _(
                "Guarantee %(number)s is no longer what it was when you looked at it. "
                "Look at what would be done now."
            )
            % {"number": guarantee.number},
            guarantee=guarantee.pk,
        )
    return terms


def _require_fit(rule: _Rule, action_type: str, guarantee: Guarantee) -> None:
    named: dict[str, Any] = {"number": guarantee.number, "guarantee": guarantee.pk}
    if guarantee.status == GuaranteeStatus.RELEASED and not rule.after_release:
        if action_type == ActionType.RELEASE:
            raise AlreadyReleased(
                _("Guarantee %(number)s is released already.") % {"number": guarantee.number},
                **named,
            )
        raise GuaranteeReleased(
            _("Guarantee %(number)s is released: it takes no %(action_type)s any more.")
            % {"number": guarantee.number, "action_type": _(action_type)},
            **named,
        )
    if not rule.known_parties:
        return
    if guarantee.supplier_id is None:
        raise SupplierUnknown(
            _("The supplier of guarantee %(number)s is not known yet; decide it first.")
            % {"number": guarantee.number},
            **named,
        )
    if guarantee.bank_id is None:
        raise BankUnknown(
            _("The bank of guarantee %(number)s is not known yet; decide it first.")
            % {"number": guarantee.number},
            **named,
        )


def _as_it_stands(guarantee: Guarantee) -> Terms:
    """Current values; those of the import where nothing has set any."""
    expiry, amount = guarantee.current_expiry, guarantee.current_amount
    return Terms(
        previous_expiry=guarantee.expiry_date if expiry is None else expiry,
        previous_amount=guarantee.amount if amount is None else amount,
    )


def _released(request: ActionRequest, guarantee: Guarantee, now: Terms) -> Terms:
    return now


def _extended(request: ActionRequest, guarantee: Guarantee, now: Terms) -> Terms:
    current = now.previous_expiry
    if current is None:
        raise NoExpiry(
            _("Guarantee %(number)s has no date of expiry; correct it by a modification first.")
            % {"number": guarantee.number},
            number=guarantee.number,
        )
    new = request.new_expiry or one_year_later(current)
    if new <= current:
        raise NotLater(
            _("Guarantee %(number)s is valid until %(current)s; %(new)s is not later.")
            % {"number": guarantee.number, "current": current, "new": new},
            number=guarantee.number,
        )
    return Terms(current, now.previous_amount, new_expiry=new)


def _reduced(request: ActionRequest, guarantee: Guarantee, now: Terms) -> Terms:
    new, current = request.new_amount, now.previous_amount
    if current is None:
        raise NoAmount(
            _("Guarantee %(number)s has no amount; correct it by a modification first.")
            % {"number": guarantee.number},
            number=guarantee.number,
        )
    if new is None:
        raise ValueRefused(_("A reduction needs the new amount."), field="new_amount")
    new = _money(new)
    if new >= current:
        raise AmountOutOfRange(
            _("Guarantee %(number)s is for %(current)s; %(new)s is not less.")
            % {"number": guarantee.number, "current": current, "new": new},
            number=guarantee.number,
        )
    return Terms(now.previous_expiry, current, new_amount=new)


def _renewed(request: ActionRequest, guarantee: Guarantee, now: Terms) -> Terms:
    extended = _extended(request, guarantee, now)
    amount = None if request.new_amount is None else _money(request.new_amount)
    return Terms(now.previous_expiry, now.previous_amount, extended.new_expiry, amount)


def _modified(request: ActionRequest, guarantee: Guarantee, now: Terms) -> Terms:
    if not request.reason.strip():
        raise ReasonMissing(_("A modification needs a reason."), field="reason")
    changes = changes_asked(guarantee, request.changes)
    return Terms(now.previous_expiry, now.previous_amount, changes=changes)


RULES: Final[dict[str, _Rule]] = {
    ActionType.EXTENSION: _Rule(frozenset({"new_expiry"}), _extended),
    ActionType.RELEASE: _Rule(frozenset(), _released),
    ActionType.REDUCTION: _Rule(frozenset({"new_amount"}), _reduced),
    ActionType.RENEWAL: _Rule(frozenset({"new_expiry", "new_amount"}), _renewed),
    # corrects what is wrong, whatever state the guarantee is in
    ActionType.MODIFICATION: _Rule(
        frozenset({"changes"}), _modified, known_parties=False, after_release=True
    ),
}


def obstacle(action_type: str, guarantee: Guarantee) -> ActionRefused | None:
    """Why ``guarantee`` takes no action of that type as it stands, whatever is asked for."""
    try:
        agree_terms(ActionRequest(action_type=action_type, number=guarantee.number), guarantee)
    except ActionRefused as refusal:
        # of a field: nothing was asked for yet
        return None if "field" in refusal.fields else refusal
    return None


def one_year_later(day: date) -> date:
    """The same day of the next calendar year; 28 February after the 29th."""
    if day.year == MAXYEAR:
        raise NotLater(_("There is no day a year after %(day)s.") % {"day": day})
    last = calendar.monthrange(day.year + 1, day.month)[1]
    return day.replace(year=day.year + 1, day=min(day.day, last))


def _money(amount: Decimal) -> Decimal:
    """An amount that can be stored as it is, above zero."""
    if not amount.is_finite() or not 0 < amount < _TOO_LARGE:
        raise AmountOutOfRange(
            _("%(amount)s is no amount above zero.") % {"amount": amount}, field="new_amount"
        )
    cents = amount.quantize(_CENT)
    if cents != amount:
        raise AmountOutOfRange(
            _("%(amount)s has more than two decimals.") % {"amount": amount}, field="new_amount"
        )
    return cents
