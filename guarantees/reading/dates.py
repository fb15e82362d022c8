"""Calendar dates as written in letters, workbooks and the old system."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.utils.translation import gettext as _

from guarantees.reading.errors import ValueNotUnderstood
from guarantees.reading.text import plain

#: Excel's day numbers of 1990-01-01 to 2099-12-31; other bare numbers are no dates.
SERIALS: Final = range(32_874, 73_050 + 1)
_SERIAL_ZERO: Final = date(1899, 12, 30)

_HIJRI_YEARS: Final = range(1300, 1600)
#: Years that dates and instants may have.
PLAUSIBLE_YEARS: Final = range(1900, 2200)

_MONTHS: Final = (
    ("january jan", "يناير كانون_الثاني"),
    ("february feb", "فبراير شباط"),
    ("march mar", "مارس اذار"),
    ("april apr", "ابريل نيسان"),
    ("may", "مايو ايار"),
    ("june jun", "يونيو يونيه حزيران"),
    ("july jul", "يوليو يوليه تموز"),
    ("august aug", "اغسطس اب"),
    ("september sept sep", "سبتمبر ايلول"),
    ("october oct", "اكتوبر تشرين_الاول"),
    ("november nov", "نوفمبر تشرين_الثاني"),
    ("december dec", "ديسمبر كانون_الاول"),
)
_MONTH_NUMBERS: Final = {
    name.replace("_", " "): number
    for number, (english, arabic) in enumerate(_MONTHS, 1)
    for name in f"{english} {arabic}".split()
}
_ONE_ALEF: Final = str.maketrans("أإآٱ", "اااا")

_USUAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(
    r"(?:[T ] ?[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AP]M)?"
    r"(?: ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?| ?م\.?)$",
    re.IGNORECASE,
)
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
_YEAR_LAST: Final = re.compile(r"([0-9]{1,2}) ?([-/.]) ?([0-9]{1,2}) ?\2 ?([0-9]{4})")
_DAY_NAME_YEAR: Final = re.compile(r"([0-9]{1,2})[-/. ,]*([^\W\d_][^\d]*?)[-/. ,]*([0-9]{4})")
_NAME_DAY_YEAR: Final = re.compile(r"([^\W\d_][^\d]*?)[-/. ,]*([0-9]{1,2})[-/. ,]+([0-9]{4})")
_NUMBER: Final = re.compile(r"([0-9]+)(?:\.[0-9]+)?")
_HIJRI_MARK: Final = re.compile(r"(?<=[0-9]) ?(?:ه|A\.?H)\.?$", re.IGNORECASE)
_LONGEST: Final = 60  # characters; keeps the patterns from long work on garbage


def day_first() -> bool:
    """Whether 1/2/2025 is the first of February here (setting ``CARRYOVER_DAY_FIRST``)."""
    return bool(getattr(settings, "CARRYOVER_DAY_FIRST", True))


def read_date(value: object, *, day_first: bool = True) -> date | None:
    """A calendar date; blank is None. A time of day behind it is ignored.

    ``31/12/2025`` is read with the day first, or with the month first where ``day_first`` is
    off – and the other way round where only that is possible. Raises `ValueNotUnderstood`:
    ``impossible_date``, ``not_a_date``, ``hijri_year``, ``implausible_year``,
    ``implausible_serial``.
    """
    if value is None:
        return None
    if isinstance(value, str):
        return _read_text(value, day_first)
    if isinstance(value, datetime):
        return value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _from_serial(value, value)
    raise ValueNotUnderstood("not_a_date", value, _("is not a date."))


@lru_cache(maxsize=65_536)  # the dates of a file repeat
def _read_text(value: str, day_first: bool) -> date | None:
    text = value if _USUAL.fullmatch(value) else plain(value)
    if not text:
        return None
    if len(text) > _LONGEST:
        raise ValueNotUnderstood("not_a_date", value, _("is not a date."))
    if _HIJRI_MARK.search(text):
        raise _hijri(value)
    text = _TIME.sub("", text)
    if found := _YEAR_FIRST.fullmatch(text):
        return _date(int(found[1]), int(found[3]), int(found[4]), value)
    if found := _YEAR_LAST.fullmatch(text):
        day, month = int(found[1]), int(found[3])
        if not day_first:
            day, month = month, day
        if month > 12 >= day:
            day, month = month, day
        return _date(int(found[4]), month, day, value)
    if found := _DAY_NAME_YEAR.fullmatch(text):
        return _date(int(found[3]), _month(found[2], value), int(found[1]), value)
    if found := _NAME_DAY_YEAR.fullmatch(text):
        return _date(int(found[3]), _month(found[1], value), int(found[2]), value)
    if found := _NUMBER.fullmatch(text):
        return _from_serial(int(found[1]) if len(found[1]) < 10 else 0, value)
    raise ValueNotUnderstood("not_a_date", value, _("is not a date."))


def _month(name: str, value: str) -> int:
    words = " ".join(name.lower().translate(_ONE_ALEF).split())
    number = _MONTH_NUMBERS.get(words.rstrip("."))
    if number is None:
        raise ValueNotUnderstood("not_a_date", value, _("names no month of the calendar."))
    return number


def _date(year: int, month: int, day: int, value: str) -> date:
    if year in _HIJRI_YEARS:
        raise _hijri(value)
    if year not in PLAUSIBLE_YEARS:
        raise ValueNotUnderstood("implausible_year", value, _("lies too far away to be meant."))
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueNotUnderstood(
            "impossible_date", value, _("is no day of the calendar.")
        ) from None


def _from_serial(serial: float, value: object) -> date:
    if SERIALS[0] <= serial < SERIALS[-1] + 1:
        return _SERIAL_ZERO + timedelta(days=int(serial))
    raise ValueNotUnderstood("implausible_serial", value, _("is a number and no date."))


def _hijri(value: str) -> ValueNotUnderstood:
    return ValueNotUnderstood("hijri_year", value, _("is a Hijri date; write the Gregorian one."))
