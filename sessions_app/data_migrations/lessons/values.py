"""What the columns of a staged row say (lessons.md "Migration").

A column that is missing, null or blank says nothing. A list or an object where a single value
belongs is a fault of shape: ``invalid_document``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_noop

from migrations_tools.definitions import Reject, Warning_

Document = Mapping[str, Any]
Warnings = list[str | Warning_]

_HIGHEST_INTEGER: Final = 2**31 - 1  # of the columns that take whole numbers
_SHORT: Final = 255  # characters of a short text
_YEARS: Final = range(1900, 9999)  # that are believed; as in the services
_FLAGS: Final = {
    **dict.fromkeys(("true", "t", "yes", "y", "1", "1.0"), True),
    **dict.fromkeys(("false", "f", "no", "n", "0", "0.0"), False),
}


class UnreadableError(ValueError):
    """The text says something, but not a value of its kind."""


@lru_cache
def zone_of(name: str) -> ZoneInfo:
    """The time zone of that name. Raises ValidationError for one that does not exist."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        raise ValidationError(
            gettext_noop("There is no time zone “%(name)s”.") % {"name": name}
        ) from None


def written(document: Document, column: str) -> str:
    """The value as text without white space around it; blank where there is none."""
    value = document.get(column)
    if value is None:
        return ""
    if isinstance(value, dict | list):
        raise Reject(
            "invalid_document",
            gettext_noop("“%(column)s” holds a list or an object, not one value.")
            % {"column": column},
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value).strip()


def word(document: Document, column: str) -> str:
    """A status word, a mode: in small letters, with ``_`` between its parts."""
    return "_".join(written(document, column).casefold().replace("-", " ").split())


def short_text(document: Document, column: str, warnings: Warnings) -> str:
    """Text of up to 255 characters; the rest is cut off, with a warning."""
    text = written(document, column)
    if len(text) <= _SHORT:
        return text
    warnings.append(
        Warning_(
            "shortened",
            gettext_noop("“%(column)s” has %(text)s characters; the first %(short)s are kept.")
            % {"column": column, "text": len(text), "short": _SHORT},
        )
    )
    return text[:_SHORT].rstrip()


def whole_number(document: Document, column: str) -> int | None:
    """A whole number, also where an export made it decimal. Raises UnreadableError."""
    text = written(document, column)
    if not text:
        return None
    number = _number(text)
    if number != number.to_integral_value() or abs(number) > _HIGHEST_INTEGER:
        raise UnreadableError(
            gettext_noop("“%(text)s” is no whole number.") % {"text": _shown(text)}
        )
    return int(number)


def decimal_number(document: Document, column: str) -> Decimal | None:
    """Raises UnreadableError."""
    text = written(document, column)
    return _number(text) if text else None


def _number(text: str) -> Decimal:
    try:
        number = Decimal(text)
    except InvalidOperation:
        raise UnreadableError(
            gettext_noop("“%(text)s” is no number.") % {"text": _shown(text)}
        ) from None
    if not number.is_finite():
        raise UnreadableError(gettext_noop("“%(text)s” is no number.") % {"text": _shown(text)})
    return number


def flag(document: Document, column: str, default: bool, warnings: Warnings) -> bool:
    """Yes or no; ``default`` where nothing is said, and with a warning where it is unclear."""
    text = written(document, column).casefold()
    if not text:
        return default
    if text not in _FLAGS:
        answer = "yes" if default else "no"
        warnings.append(
            Warning_(
                "bad_flag",
                gettext_noop("“%(column)s” is “%(text)s”, not yes or no; it is %(answer)s.")
                % {"column": column, "text": _shown(text), "answer": answer},
            )
        )
    return _FLAGS.get(text, default)


def instant(document: Document, column: str, zone: tzinfo, warnings: Warnings) -> datetime | None:
    """An instant in UTC; a time without an offset is read in ``zone``. Raises UnreadableError.

    A time that the clocks went through twice is the first of the two; one that they left out is
    as much later as they were put forward. Both have a warning.
    """
    text = written(document, column)
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        if read.year not in _YEARS:
            raise UnreadableError(
                gettext_noop("“%(text)s” is in no year that lessons are held in.")
                % {"text": _shown(text)}
            )
        if read.tzinfo is not None:
            return read.astimezone(UTC)
        found = read.replace(tzinfo=zone, fold=0).astimezone(UTC)
        if found.astimezone(zone).replace(tzinfo=None) != read:
            warnings.append(Warning_("nonexistent_time", _in_zone(column, text, zone, "never was")))
        elif read.replace(tzinfo=zone, fold=1).astimezone(UTC) != found:
            warnings.append(Warning_("ambiguous_time", _in_zone(column, text, zone, "was twice")))
    except UnreadableError:
        raise
    except ValueError:
        raise UnreadableError(
            gettext_noop("“%(text)s” is no time.") % {"text": _shown(text)}
        ) from None
    return found


def _in_zone(column: str, text: str, zone: tzinfo, what: str) -> str:
    return gettext_noop("“%(column)s” %(text)s %(what)s in %(zone)s.") % {
        "column": column,
        "text": text,
        "what": what,
        "zone": zone,
    }


def instant_or_none(
    document: Document, column: str, zone: tzinfo, warnings: Warnings
) -> datetime | None:
    """As `instant`; a text that cannot be read is none, with a warning."""
    try:
        return instant(document, column, zone, warnings)
    except UnreadableError as error:
        warnings.append(Warning_("bad_time", f"“{column}”: {error}"))
        return None


def day_or_none(document: Document, column: str, zone: tzinfo, warnings: Warnings) -> date | None:
    """A calendar day, that of an instant as it is in ``zone``; none if it cannot be read."""
    text = written(document, column)
    if not text:
        return None
    try:
        read = datetime.fromisoformat(text)
        return (read if read.tzinfo is None else read.astimezone(zone)).date()
    except (ValueError, OverflowError):
        warnings.append(
            Warning_(
                "bad_date",
                gettext_noop("“%(column)s”: “%(text)s” is no date.")
                % {"column": column, "text": _shown(text)},
            )
        )
        return None


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
