"""The values that a modification sets: read, compared with what stands, and applied."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.db.models import Model
from django.utils.translation import gettext

from guarantees.action_errors import NotFound, NothingChanged, ValueRefused
from guarantees.models import Bank, Guarantee, Supplier
from guarantees.models.json_values import kept
from guarantees.models.number import comparable
from guarantees.reading import ValueNotUnderstood, day_first, read_amount, read_date
from guarantees.services.actions.finding import LARGEST_ID
from migrations_tools.text import storable, storable_text

#: Field → [old, new], as an action keeps them: text, numbers of rows, or null.
Changes = dict[str, list[Any]]

_CURRENCY_LETTERS: Final = 3
_LONGEST_TOLD: Final = 50  # characters of a value in a sentence


def _text(value: Any) -> str:
    if not isinstance(value, str) or not storable(value):
        raise ValueRefused(gettext("it is no text that can be stored."))
    return value


def _number(value: Any) -> str:
    if not comparable(_text(value)):
        raise ValueRefused(gettext("a guarantee needs a number."))
    return comparable(_text(value))


def _currency(value: Any) -> str:
    code = _text(value).strip().upper()
    if len(code) != _CURRENCY_LETTERS or not code.isascii() or not code.isalpha():
        raise ValueRefused(gettext("a currency has three letters, such as SAR."))
    return code


def _amount(value: Any) -> Decimal | None:
    return read_amount(value)


def _date(value: Any) -> date | None:
    if value is None or isinstance(value, date):
        return value
    return read_date(value, day_first=day_first())


def _row(model: type[Model]) -> Callable[[Any], Model | None]:
    def read(value: Any) -> Model | None:
        if value in (None, ""):
            return None
        if isinstance(value, model):
            return value
        text = str(value)
        is_number = text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST_ID))
        key = int(text) if is_number else 0
        found = model._default_manager.filter(pk=key).first() if key <= LARGEST_ID else None
        if found is None:
            told = storable_text(text[:_LONGEST_TOLD])
            raise NotFound(
                gettext("There is no %(model)s %(told)s.")
                % {"model": model._meta.verbose_name, "told": told}
            )
        return found

    return read


#: What a modification can set, and how each value is read. How the guarantee came in – batch,
#: kind, date – is no value to correct, and a match is decided where matches are.
MODIFIABLE: Final[dict[str, Callable[[Any], Any]]] = {
    "number": _number,
    "raw_supplier_name": _text,
    "raw_bank_name": _text,
    "supplier": _row(Supplier),
    "bank": _row(Bank),
    "contract_number": _text,
    "related_to": _text,
    "amount": _amount,
    "currency": _currency,
    "issue_date": _date,
    "expiry_date": _date,
    "type": _text,
    "comment": _text,
}


def changes_asked(guarantee: Guarantee, asked: Mapping[str, Any]) -> Changes:
    """What ``asked`` changes in ``guarantee``; values that it has already are left out.

    Raises ValueRefused, NotFound for an unknown supplier or bank, or NothingChanged.
    """
    changes = {}
    for name, value in asked.items():
        old, new = kept(getattr(guarantee, _column(name))), kept(read_value(name, value))
        if old != new:
            changes[name] = [old, new]
    if not changes:
        raise NothingChanged(
            gettext("Guarantee %(number)s has these values already; nothing would change.")
            % {"number": guarantee.number}
        )
    return changes


def read_value(name: str, value: Any) -> Any:
    """The value of a field as people write it. Raises ValueRefused or NotFound."""
    if name not in MODIFIABLE:
        raise ValueRefused(
            gettext("“%(name)s” is no field that a modification sets; those are %(modifiable)s.")
            % {"name": name, "modifiable": ", ".join(MODIFIABLE)},
            field=name,
        )
    told = gettext(name.replace("_", " ")).capitalize()
    try:
        return MODIFIABLE[name](value)
    except ValueNotUnderstood as error:
        raise ValueRefused(f"{told}: {error.detail}", code=error.code, field=name) from error
    except (ValueRefused, NotFound) as error:
        raise type(error)(f"{told}: {error.message}", field=name) from error


def apply_changes(guarantee: Guarantee, changes: Changes) -> list[str]:
    """Set the new values on ``guarantee``; the names of the fields that are to be saved.

    What the guarantee currently is follows a corrected import, unless an action has set it since.
    """
    for name, (_, new) in changes.items():
        setattr(guarantee, name, read_value(name, new))
    names = list(changes)
    issued = guarantee.actions.filter(status="issued")
    for name, current, setter in _CURRENT:
        if name in changes and not issued.filter(**{f"{setter}__isnull": False}).exists():
            setattr(guarantee, current, getattr(guarantee, name))
            names.append(current)
    return names


#: Imported value, what it currently is, and where an action says that it sets it.
_CURRENT: Final = (
    ("expiry_date", "current_expiry", "new_expiry"),
    ("amount", "current_amount", "new_amount"),
)


def _column(name: str) -> str:
    """The attribute to compare; unknown names are refused when their value is read."""
    return f"{name}_id" if name in ("supplier", "bank") else name if name in MODIFIABLE else "pk"
