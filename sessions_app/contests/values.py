"""Single values of contest documents, however they are written (contests.md "Input and models").

A reader answers None for what it does not understand; whether that matters, its caller knows.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final

from sessions_app.reading.blanks import WHITE_SPACE

#: Largest number that is believed. As milliseconds it is 31 years.
LARGEST: Final = 10**12

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{0,6})?")
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}(?::?[0-5][0-9])?)?)?"
)
_YEARS: Final = range(1900, 2201)
_LARGEST_OFFSET: Final = timedelta(hours=16)  # no place is further from UTC
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TRUTH: Final = {"true": True, "false": False}

#: Keys of a topic that is an object: its area, then its sub-topic.
AREA_KEYS: Final = ("area", "topic", "name")
SUB_TOPIC_KEYS: Final = ("sub_topic", "subtopic", "subTopic")


def read_text(value: Any) -> str | None:
    """Text as it is; numbers and booleans as JSON writes them. Lists and objects are no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and math.isfinite(value):
        value = Decimal(repr(value))
    if isinstance(value, Decimal) and value.is_finite():
        return format(value, "f")
    return None


def read_number(value: Any) -> Decimal | None:
    """A number, or text of one, of a size that is believed."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        number = Decimal(value)
    elif isinstance(value, float) and math.isfinite(value):
        number = Decimal(repr(value))
    elif isinstance(value, str) and _NUMBER.fullmatch(value.strip(WHITE_SPACE)):
        number = Decimal(value.strip(WHITE_SPACE))
    else:
        return None
    return number if number.is_finite() and abs(number) <= LARGEST else None


def read_count(value: Any, highest: int = 2**31 - 1) -> int | None:
    """A whole number from 0 to ``highest``."""
    number = read_number(value)
    if number is None or number != number.to_integral_value() or not 0 <= number <= highest:
        return None
    return int(number)


def read_milliseconds(value: Any) -> int | None:
    """A time span, not negative; fractions of a millisecond are rounded half up."""
    number = read_number(value)
    if number is None or number < 0:
        return None
    return int(number.quantize(Decimal(1), ROUND_HALF_UP))


def read_truth(value: Any) -> bool | None:
    """A boolean, or the text “true” or “false”."""
    if isinstance(value, bool):
        return value
    return _TRUTH.get(value.strip(WHITE_SPACE).lower()) if isinstance(value, str) else None


def read_instant(value: Any) -> datetime | None:
    """An aware instant in UTC: of ISO text – without an offset it is UTC –, or of the number of
    milliseconds since 1970.
    """
    try:
        if isinstance(value, str) and _INSTANT.fullmatch(value.strip(WHITE_SPACE)):
            instant = datetime.fromisoformat(value.strip(WHITE_SPACE))
        elif isinstance(value, int) and not isinstance(value, bool):
            instant = _EPOCH + timedelta(milliseconds=value)
        else:
            return None
        if abs(instant.utcoffset() or timedelta()) >= _LARGEST_OFFSET:
            return None
        aware = instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return aware if aware.year in _YEARS else None


def read_topics(value: Any) -> list[str]:
    """Names of topics, trimmed, in the order of first appearance, each once.

    A plain string is one topic; an object has an area and a sub-topic, which count alike.
    """
    given = value if isinstance(value, list) else [value]
    names = (name.strip(WHITE_SPACE) for topic in given for name in _names(topic))
    return list(dict.fromkeys(filter(None, names)))


def _names(topic: Any) -> list[str]:
    if isinstance(topic, str):
        return [topic]
    if not isinstance(topic, Mapping):
        return []
    parts = (
        next((topic[key] for key in keys if isinstance(topic.get(key), str)), "")
        for keys in (AREA_KEYS, SUB_TOPIC_KEYS)
    )
    return list(parts)
