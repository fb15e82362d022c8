"""Dates, amounts and digits as a letter writes them, in either language."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Final

_ARABIC_DIGITS: Final = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
_MONTHS: Final[dict[str, Sequence[str]]] = {
    "en": (
        *("January", "February", "March", "April", "May", "June", "July"),
        *("August", "September", "October", "November", "December"),
    ),
    "ar": (
        *("يناير", "فبراير", "مارس", "أبريل", "مايو", "يونيو", "يوليو"),
        *("أغسطس", "سبتمبر", "أكتوبر", "نوفمبر", "ديسمبر"),
    ),
}
#: Currencies that Arabic has a word for; others stay as their code.
_ARABIC_CURRENCIES: Final = {
    "SAR": "ريال سعودي",
    "USD": "دولار أمريكي",
    "EUR": "يورو",
    "AED": "درهم إماراتي",
    "KWD": "دينار كويتي",
    "QAR": "ريال قطري",
    "BHD": "دينار بحريني",
    "OMR": "ريال عماني",
    "GBP": "جنيه إسترليني",
}


def written_date(day: date, language: str) -> str:
    """``31 December 2026``, ``٣١ ديسمبر ٢٠٢٦``."""
    month = _MONTHS[language][day.month - 1]
    if language == "ar":
        return f"{arabic_digits(str(day.day))} {month} {arabic_digits(str(day.year))}"
    return f"{day.day} {month} {day.year}"


def written_amount(amount: Decimal, currency: str, language: str) -> str:
    """``SAR 1,234.50``, ``١٬٢٣٤٫٥٠ ريال سعودي``."""
    plain = f"{amount:,.2f}"
    if language == "ar":
        marked = arabic_digits(plain.replace(",", "٬").replace(".", "٫"))
        return f"{marked} {_ARABIC_CURRENCIES.get(currency, currency)}"
    return f"{currency} {plain}"


def arabic_digits(text: str) -> str:
    """The text with Arabic-Indic digits."""
    return text.translate(_ARABIC_DIGITS)
