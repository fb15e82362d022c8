"""What may be refused with actions and letters (guarantees.md "Running the department").

One tree, a code for each. `http_status` tells the class: 404 not there, 409 not in this state,
422 a value that cannot be.
"""

from __future__ import annotations

from migrations_tools.exceptions import CarryoverError


class ActionRefused(CarryoverError):
    """Base of these refusals; nothing was written."""

    code = "action_refused"


class NotFound(ActionRefused):
    """No guarantee of that number or id, or no such action."""

    code = "not_found"
    http_status = 404


class NoExpiry(ActionRefused):
    """The guarantee has no date of expiry that could be extended."""

    code = "no_expiry"


class NoAmount(ActionRefused):
    """The guarantee has no amount that could be reduced."""

    code = "no_amount"


class AlreadyReleased(ActionRefused):
    """It is released a second time."""

    code = "already_released"


class GuaranteeReleased(ActionRefused):
    """An extension, reduction or renewal after the release."""

    code = "guarantee_released"


class GuaranteeProtected(ActionRefused):
    """Imported values of a protected guarantee, changed without a modification."""

    code = "guarantee_protected"


class SupplierUnknown(ActionRefused):
    """Nobody has said yet which supplier it is."""

    code = "supplier_unknown"


class BankUnknown(ActionRefused):
    """Nobody has said yet which bank it is."""

    code = "bank_unknown"


class SessionLocked(ActionRefused):
    """The draft belongs to an action session that is locked."""

    code = "session_locked"


class AlreadyIssued(ActionRefused):
    """An issued action is neither issued again, nor changed, nor deleted."""

    code = "already_issued"


class ChangedMeanwhile(ActionRefused):
    """The guarantee is no longer what it was when the draft was made."""

    code = "changed_meanwhile"


class KeyReused(ActionRefused):
    """The idempotency key belongs to another deed."""

    code = "key_reused"


class ValueRefused(ActionRefused):
    """A value that cannot be stored or is not for this type of action."""

    code = "invalid_value"
    http_status = 422


class NotLater(ValueRefused):
    """The new date of expiry is not later than the current one."""

    code = "not_later"


class AmountOutOfRange(ValueRefused):
    """The new amount is not above zero, or not below the current one."""

    code = "amount_out_of_range"


class ReasonMissing(ValueRefused):
    """A modification says why."""

    code = "reason_missing"


class NothingChanged(ValueRefused):
    """A modification to the values that the guarantee has already."""

    code = "nothing_changed"


class LetterRefused(ActionRefused):
    """No letter is written for this action: it is a draft, or of a type without a letter."""

    code = "no_letter"
