"""What a column of a staging model can hold, and how everything else is kept."""

from __future__ import annotations

import base64
import hashlib
import json
import math
import re
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.db import models

from migrations_tools.text import storable, storable_text

Convert = Callable[[Any], Any]

_INTEGER = re.compile(r"\s*([+-]?\d{1,19})(?:\.0*)?\s*", re.ASCII)
# as a JSON number 1.234 is a little more than one; as text it would be a thousand and more
_LIKE_THOUSANDS = re.compile(r"-?[1-9]\d{0,2}\.\d{3}", re.ASCII)


class DoesNotFitError(ValueError):
    """The column cannot hold the value."""


def converter(field: models.Field[Any, Any]) -> Convert:
    """The function that makes a value of the database column of ``field`` out of any value.

    It raises DoesNotFitError where that would lose or change something.
    """
    column = field.target_field if isinstance(field, models.ForeignKey) else field
    if isinstance(column, models.IntegerField):
        return _integers(column)
    if isinstance(column, models.TextField | models.CharField):
        return _texts(column.max_length)
    if isinstance(column, models.DateTimeField):
        return _instant
    raise TypeError(f"imports have no values for {field!r}")


def _integers(field: models.IntegerField[Any, Any]) -> Convert:
    lowest, highest = _INTEGER_RANGES[field.get_internal_type()]

    def integer(value: Any) -> int:
        number: int | None
        if type(value) is int:
            number = value
        elif isinstance(value, str):
            match = _INTEGER.fullmatch(value)
            number = int(match[1]) if match else None
        elif isinstance(value, Decimal):
            number = int(value) if value == value.to_integral_value() else None
        elif isinstance(value, float):
            number = int(value) if value.is_integer() else None
        else:
            number = None
        if number is None or not lowest <= number <= highest:
            raise DoesNotFitError
        return number

    return integer


# Identities stay far below the end of the type: numbers above the highest must be left.
_INTEGER_RANGES = {
    "SmallIntegerField": (-(2**15), 2**15 - 1),
    "IntegerField": (-(2**31), 2**31 - 1),
    "BigIntegerField": (-(2**63), 2**63 - 1),
    "PositiveSmallIntegerField": (0, 2**15 - 1),
    "PositiveIntegerField": (0, 2**31 - 1),
    "PositiveBigIntegerField": (0, 2**63 - 1),
    "AutoField": (-(2**30), 2**30),
    "BigAutoField": (-(2**53), 2**53),
}


def _texts(max_length: int | None) -> Convert:
    def text(value: Any) -> str:
        written = value if isinstance(value, str) else _written(value)
        if not storable(written) or (max_length is not None and len(written) > max_length):
            raise DoesNotFitError
        return written

    return text


def _instant(value: Any) -> datetime:
    """ISO text; without an offset it is UTC, without a time the first moment of the day."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip())
        except ValueError:
            raise DoesNotFitError from None
    if not isinstance(value, datetime):
        raise DoesNotFitError
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except OverflowError:  # an offset at the very end of the calendar
        raise DoesNotFitError from None


def _written(value: Any) -> str:
    """A scalar as text. Raises DoesNotFitError for lists, objects and bytes that are no text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        digits = format(value, "f")
        return digits + "0" if _LIKE_THOUSANDS.fullmatch(digits) else digits
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            raise DoesNotFitError from None
    raise DoesNotFitError


def as_json(value: Any, text: Callable[[str], Any]) -> Any:
    """``value`` for a JSON document; ``text`` says what becomes of strings JSONB cannot hold.

    Bytes are ``{"$binary": …}`` as in Extended JSON. Decimals are numbers where that keeps their
    value, else text.
    """
    if isinstance(value, str):
        return value if storable(value) else text(value)
    if isinstance(value, dict):
        return {storable_text(key): as_json(inner, text) for key, inner in value.items()}
    if isinstance(value, list):
        return [as_json(inner, text) for inner in value]
    if isinstance(value, bytes):
        return {"$binary": {"base64": base64.b64encode(value).decode(), "subType": "00"}}
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, Decimal):
        number = float(value)
        return number if Decimal(repr(number)) == value else str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def extra_json(values: dict[str, Any]) -> str:
    """Values that no column holds, complete: strange text is ``{"$json": …}``, its JSON escape."""
    return json.dumps(as_json(values, lambda text: {"$json": json.dumps(text)}))


def document_json(values: dict[str, Any]) -> str:
    """A document for JSONB; the text beside it is complete, so strange characters are replaced."""
    return json.dumps(as_json(values, storable_text))


def _canonical(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.hex() if isinstance(value, bytes) else str(value)


#: ASCII text that tells values apart, whatever the order of their keys.
canonical = json.JSONEncoder(sort_keys=True, default=_canonical).encode


def may_be_lost(ascii_text: str) -> bool:
    """False if all strings in ``ascii_text`` – `canonical` or ``ascii()`` – are storable.

    It looks for NUL and surrogates as JSON and Python write them; other signs may start alike.
    """
    return "\\u0000" in ascii_text or "\\x00" in ascii_text or "\\ud" in ascii_text


def content_hash(ascii_text: str) -> bytes:
    """SHA-256, as staged rows keep it."""
    return hashlib.sha256(ascii_text.encode("ascii")).digest()
