"""Currencies as people write them."""

from __future__ import annotations

import re
from typing import Final

from django.utils.translation import gettext as _

from guarantees.reading.errors import ValueNotUnderstood
from guarantees.reading.text import plain

#: Code → other ways to write it; a code is known by itself.
_WRITTEN: Final = {
    "SAR": "SR S.R. S.R S.A.R. RIYAL RIYALS RIAL RIALS ﷼ \u20c1 ريال ريالات ر.س ر.س. رس سعودي",
    "USD": "$ US$ DOLLAR DOLLARS دولار دولارات",
    "EUR": "€ EURO EUROS يورو",
    "GBP": "£ POUND POUNDS STERLING استرليني",
    "AED": "DIRHAM DIRHAMS درهم",
    "KWD": "",
    "BHD": "",
    "QAR": "",
    "OMR": "",
    "EGP": "جنيه",
    "JOD": "",
    "JPY": "",
    "CHF": "",
    "CNY": "",
    "INR": "",
}
_CODES: Final = {word: code for code, words in _WRITTEN.items() for word in (code, *words.split())}
_SIGNS: Final = re.compile(r"[$€£﷼\u20c1]|[^\W\d_][^\W\d_.]*(?:\.[^\W\d_]+)*\.?")
_OF_SEVERAL: Final = frozenset({"دينار"})  # countries: it does not say whose
_SAUDI: Final = frozenset({"SAUDI", "SAUDIA", "سعودية", "سعوديه"})


def read_currency(value: object) -> str | None:
    """The three-letter code; blank is None.

    Raises `ValueNotUnderstood`: ``unknown_currency``.
    """
    if value is None:
        return None
    text = plain(str(value))
    if not text:
        return None
    code = currency_in(text)
    if code is None:
        raise ValueNotUnderstood("unknown_currency", value, _("is no currency that is known."))
    return code


def currency_in(value: object) -> str | None:
    """The currency that an amount names, such as ``USD 1,000``; None where it names none.

    Words that are none are the business of whoever reads the amount. Raises `ValueNotUnderstood`:
    ``unknown_currency``, for a word that several currencies have.
    """
    if not isinstance(value, str):
        return None
    words = [word.upper() for word in _SIGNS.findall(plain(value)[:100])]
    found = {_CODES[word] for word in words if word in _CODES}
    if len(found) == 1:
        return found.pop()
    if not found and _OF_SEVERAL.intersection(words):
        raise ValueNotUnderstood("unknown_currency", value, _("does not say which currency it is."))
    return "SAR" if not found and _SAUDI.intersection(words) else None
