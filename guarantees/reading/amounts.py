"""Amounts as written in letters, workbooks and the old system."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from django.utils.translation import gettext

from guarantees.reading.errors import ValueNotUnderstood
from guarantees.reading.text import plain

_CENT: Final = Decimal("0.01")
_ZERO: Final = Decimal(0)
_WHOLE_DIGITS: Final = 14  # of Decimal(16, 2)
# a float of a workbook is its exact decimal value, give or take the error of a calculation
_FLOAT_ERROR: Final = Decimal("0.000001")

# The shapes nearly all values have, read without the general grammar.
_USUAL: Final = re.compile(
    r"(?:[0-9]{1,14}|[1-9][0-9]{0,2}(?:,[0-9]{3}){1,3})(?:\.[0-9]{1,2})?"
    r"|[0-9]{4,14}\.[0-9]{2}0+"
)

_CURRENCY: Final = re.compile(
    r"(?<![^\W\d_])(?:"
    r"sar|s\.?r\.?|saudi|riyals?|rials?|usd|us|dollars?|eur|euros?|gbp|aed|kwd|bhd|qar|omr|egp|jod"
    r"|ر\.? ?س\.?|ريال(?:ات)?|سعود[يى](?:ة|ه)?|دولار|يورو|درهم|دينار|جنيه"
    r")\.?(?![^\W\d_])|[$€£﷼\u20c1]",
    re.IGNORECASE,
)
_LONGEST: Final = 100  # characters; keeps the patterns below from long work on garbage
_WORD: Final = "¤"  # stands for a currency word, so that two numbers do not grow together

_BODY: Final = re.compile(r"[0-9.,٬٫ ]*[0-9][0-9.,٬٫ ]*")
_SPACE_AT_MARK: Final = re.compile(r" +(?=[.,٬٫])|(?<=[.,٬٫]) +")
_GROUPED: Final = re.compile(r"[1-9][0-9]{0,2}(?:([.,٬]| +)[0-9]{3})(?:\1[0-9]{3})*")
_EXPONENT: Final = re.compile(r"[0-9.,]+ ?e ?[-+]?[0-9]+", re.IGNORECASE)
_TWO_NUMBERS: Final = re.compile(r"[0-9][^0-9]+[0-9]")


def read_amount(value: object, *, legacy: bool = False) -> Decimal | None:
    """An amount of money with two decimals; blank is None.

    One kind of separator marks thousands where every group is well formed, else decimals; of
    two kinds the last marks decimals. With ``legacy``, zero and negative amounts are let through
    – the caller warns ``unusual_amount`` (guarantees.md N17); in new input they are refused.
    Raises `ValueNotUnderstood`: ``not_a_number``, ``several_numbers``, ``exponent``,
    ``bad_grouping``, ``too_many_decimals``, ``too_large``, ``zero``, ``negative``.
    """
    if value is None:
        return None
    if isinstance(value, str):
        if _USUAL.fullmatch(value):
            amount = Decimal(value.replace(",", "")).quantize(_CENT)
        else:
            text = plain(value)
            if not text:
                return None
            amount = _read_text(text, value)
    else:
        amount = _read_number(value)
    if not legacy and amount <= _ZERO:
        if amount == _ZERO:
            raise ValueNotUnderstood(
                "zero", value, gettext("is zero; an amount is more than that.")
            )
        raise ValueNotUnderstood(
            "negative", value, gettext("is negative; an amount is more than zero.")
        )
    return amount


def _read_number(value: object) -> Decimal:
    """A cell that is a number already."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueNotUnderstood("not_a_number", value, gettext("is not an amount."))
    exact = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not exact.is_finite():
        raise ValueNotUnderstood("not_a_number", value, gettext("is not an amount."))
    if exact.adjusted() >= _WHOLE_DIGITS:
        raise ValueNotUnderstood("too_large", value, gettext("is larger than any amount."))
    amount = exact.quantize(_CENT)
    if abs(amount - exact) > (_FLOAT_ERROR if isinstance(value, float) else _ZERO):
        raise ValueNotUnderstood("too_many_decimals", value, gettext("has more than two decimals."))
    return amount


def _read_text(text: str, value: str) -> Decimal:
    if len(text) > _LONGEST:
        raise ValueNotUnderstood("not_a_number", value, gettext("is not an amount."))
    sign, body = _without_sign(_CURRENCY.sub(_WORD, text))
    if not _BODY.fullmatch(body):
        raise _not_a_number(body, value)
    whole, fraction = _split(_SPACE_AT_MARK.sub("", body), value)
    digits = _without_thousands(whole, value).lstrip("0")
    decimals = fraction.rstrip("0")
    if decimals and not decimals.isdigit():
        raise ValueNotUnderstood("several_numbers", value, gettext("contains several numbers."))
    if len(decimals) > 2:
        raise ValueNotUnderstood("too_many_decimals", value, gettext("has more than two decimals."))
    if len(digits) > _WHOLE_DIGITS:
        raise ValueNotUnderstood("too_large", value, gettext("is larger than any amount."))
    return Decimal(f"{sign}{digits or '0'}.{decimals or '0'}").quantize(_CENT)


def _without_sign(text: str) -> tuple[str, str]:
    """``-`` or nothing, and the rest; currency words at the ends are dropped."""
    body = text.strip(f" {_WORD}")
    if body.startswith("(") and body.endswith(")"):  # as accountants write it
        return "-", body[1:-1].strip(f" {_WORD}")
    for sign in ("-", "+"):
        if body.startswith(sign):
            return sign.strip("+"), body[1:].strip(f" {_WORD}")
    if body.endswith("-"):  # as some accounting programs export it
        return "-", body[:-1].strip(f" {_WORD}")
    return "", body


def _not_a_number(body: str, value: str) -> ValueNotUnderstood:
    if _EXPONENT.fullmatch(body):
        return ValueNotUnderstood(
            "exponent", value, gettext("has an exponent; write all its digits.")
        )
    if _TWO_NUMBERS.search(body):
        return ValueNotUnderstood("several_numbers", value, gettext("contains several numbers."))
    return ValueNotUnderstood("not_a_number", value, gettext("is not an amount."))


def _split(body: str, value: str) -> tuple[str, str]:
    """What stands before and after the decimal mark."""
    marks = [character for character in body if character in ".,٬٫"]
    kinds = set(marks)
    if not marks or (len(kinds) == 1 and "٫" not in kinds and _GROUPED.fullmatch(body)):
        return body, ""
    decimal_mark = "٫" if "٫" in kinds else marks[-1]
    whole, _, fraction = body.rpartition(decimal_mark)
    if not whole and decimal_mark in ".٫":  # ``.50``: the zero before the point is often left out
        return "0", fraction
    if not whole or decimal_mark in whole or decimal_mark == "٬":
        raise _bad_grouping(value)
    return whole, fraction


def _without_thousands(whole: str, value: str) -> str:
    if whole.isdigit():
        return whole
    if _GROUPED.fullmatch(whole):
        return re.sub("[^0-9]", "", whole)
    if " " in whole:
        raise ValueNotUnderstood("several_numbers", value, gettext("contains several numbers."))
    raise _bad_grouping(value)


def _bad_grouping(value: str) -> ValueNotUnderstood:
    return ValueNotUnderstood("bad_grouping", value, gettext("has separators where none belong."))
