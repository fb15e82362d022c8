"""What a letter says, taken from the action itself: what it made of the guarantee, as it was then.

The words around it are the templates'. Settings name the organisation and who signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from django.conf import settings
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from guarantees.action_errors import LetterRefused
from guarantees.letters.figures import arabic_digits, written_amount, written_date
from guarantees.models import ActionStatus, ActionType, GuaranteeAction

#: Types of action that the bank is written about.
_LETTERS: Final = frozenset({ActionType.EXTENSION, ActionType.RELEASE})


@dataclass(frozen=True, slots=True)
class Letter:
    """One letter, every value as it is printed; '' where nothing is known.

    ``reference`` is the action's number here: a letter can be traced to it.
    """

    is_extension: bool
    reference: str
    day: str
    bank: str
    number: str
    supplier: str
    contract: str
    amount: str
    previous_expiry: str
    new_expiry: str


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes, from the settings ``CARRYOVER_LETTER_…``; ``address`` is a list of lines."""

    organisation: str
    address: list[str]
    signatory: str
    signatory_title: str


def letter_of(action: GuaranteeAction, language: str) -> Letter:
    """The letter of an issued action; its guarantee, supplier and bank are read before.

    Raises LetterRefused for drafts, other types of action, and extensions to no known day.
    """
    _require_letter(action)
    guarantee = action.guarantee
    amount, currency = action.previous_amount, guarantee.currency if guarantee else "SAR"
    return Letter(
        is_extension=action.action_type == ActionType.EXTENSION,
        reference=_digits(str(action.pk), language),
        day=written_date(action.action_date, language),
        bank=_named(action.bank_display_name, action.bank_name, language),
        number=action.number,
        supplier=_named(action.supplier_display_name, action.supplier_name, language),
        contract=guarantee.contract_number if guarantee else "",
        amount="" if amount is None else written_amount(amount, currency, language),
        previous_expiry=_date(action.previous_expiry, language),
        new_expiry=_date(action.new_expiry, language),
    )


def with_letters(actions: QuerySet[GuaranteeAction]) -> QuerySet[GuaranteeAction]:
    """Those of ``actions`` that `letter_of` does not refuse."""
    return actions.filter(status=ActionStatus.ISSUED, action_type__in=_LETTERS).exclude(
        Q(action_type=ActionType.EXTENSION, new_expiry=None)
    )


def has_letter(action: GuaranteeAction) -> bool:
    """Whether there is a letter of this action."""
    try:
        _require_letter(action)
    except LetterRefused:
        return False
    return True


def sender(language: str) -> Sender:
    """The sender in ``language``; where only the other language's words are set, those."""

    def words(name: str) -> str:
        english = getattr(settings, f"CARRYOVER_LETTER_{name}", "")
        arabic = getattr(settings, f"CARRYOVER_LETTER_{name}_AR", "")
        return str((arabic or english) if language == "ar" else (english or arabic))

    return Sender(
        organisation=words("ORGANISATION"),
        address=[line.strip() for line in words("ADDRESS").split("|") if line.strip()],
        signatory=words("SIGNATORY"),
        signatory_title=words("SIGNATORY_TITLE"),
    )


def _require_letter(action: GuaranteeAction) -> None:
    named: dict[str, Any] = {"action": action.pk}
    if action.status != ActionStatus.ISSUED:
        raise LetterRefused(
            _("Action %(action)s is a draft: issue it first.") % {"action": action.pk}, **named
        )
    if action.action_type not in _LETTERS:
        raise LetterRefused(
            _("Action %(action)s is a %(action_type)s: letters are for extensions and releases.")
            % {"action": action.pk, "action_type": _(action.action_type)},
            **named,
        )
    if action.action_type == ActionType.EXTENSION and action.new_expiry is None:
        raise LetterRefused(
            _(
                "Action %(action)s of the old system extends to no day that could be "
                "read: it has no letter."
            )
            % {"action": action.pk},
            **named,
        )


def _named(shown: str, name: str, language: str) -> str:
    """A name as it was then; the one that is shown here is the Arabic one where there are two."""
    return (shown or name) if language == "ar" else (name or shown)


def _digits(text: str, language: str) -> str:
    return arabic_digits(text) if language == "ar" else text


def _date(day: date | None, language: str) -> str:
    return "" if day is None else written_date(day, language)
