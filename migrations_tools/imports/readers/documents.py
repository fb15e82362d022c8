"""One JSON document: plain, or MongoDB's Extended JSON in any of its versions."""

from __future__ import annotations

import json
import re
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from bson import DatetimeMS, Decimal128, Int64, ObjectId, json_util
from bson.codec_options import DatetimeConversion
from bson.errors import BSONError
from django.utils.translation import gettext

from migrations_tools.imports.readers.base import MAX_NESTING, Record, Rejection

_OPTIONS = json_util.JSONOptions(
    tz_aware=True, datetime_conversion=DatetimeConversion.DATETIME_AUTO
)
# escapes that JSONB refuses (NUL, lone surrogates), and surrogate pairs, which need a second look
_ESCAPES = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
#: PostgreSQL's numeric reaches 10^131071; nobody's data do.
_MAX_EXPONENT = 4000


class _RefusedError(ValueError):
    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class DocumentParser:
    """Turns the text of a document into a record, or says why not.

    Duplicate keys are refused: which of the two values counts, no two systems agree on. Decimals
    keep their digits. Of Extended JSON, dates become aware datetimes, ObjectId text, numbers
    numbers; types that have no plain equal (and malformed ones) stay as they are written.
    """

    def __init__(self) -> None:
        self._exact = True
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object, parse_float=self._decimal, parse_constant=self._constant
        )

    def parse(self, text: str, line: int) -> Record | Rejection:
        self._exact = True
        try:
            return self._record(self._decoder.decode(text), text, line)
        except _RefusedError as refusal:
            return Rejection(line, refusal.code, refusal.detail, text)
        except json.JSONDecodeError as error:
            return Rejection(
                line,
                "invalid_json",
                gettext("%(msg)s at character %(pos)s.") % {"msg": error.msg, "pos": error.pos + 1},
                text,
            )
        except RecursionError:
            return Rejection(line, "too_deep", _TOO_DEEP, text)
        except ValueError:  # the interpreter's limit on the digits of an integer
            return Rejection(
                line, "number_too_large", gettext("A number has too many digits."), text
            )

    def parse_prefix(self, text: str, start: int, line: int) -> tuple[Record, int] | None:
        """The record that starts at ``start`` and the place after it; None where there is none."""
        self._exact = True
        try:
            values, end = self._decoder.raw_decode(text, start)
            return self._record(values, text[start:end], line), end
        except (ValueError, RecursionError):
            return None

    def _record(self, values: Any, text: str, line: int) -> Record:
        if not isinstance(values, dict):
            raise _RefusedError("not_an_object", gettext("The row is no JSON object."))
        if text.count("{") + text.count("[") > MAX_NESTING:
            _check_nesting(values)
        exact = self._exact and not _ESCAPES.search(text)
        return Record(line, values, text, text if exact else None)

    def _object(self, pairs: list[tuple[str, Any]]) -> Any:
        values = dict(pairs)
        if len(values) != len(pairs):
            keys = [key for key, _ in pairs]
            twice = next(key for key in keys if keys.count(key) > 1)
            raise _RefusedError(
                "duplicate_key",
                gettext("The key %(twice)s occurs more than once.") % {"twice": f"{twice!r}"},
            )
        if pairs and pairs[0][0].startswith("$"):
            return self._extended(values)
        return values

    def _extended(self, values: dict[str, Any]) -> Any:
        try:
            value = json_util.object_hook(values, _OPTIONS)
        except (BSONError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
            return values
        plain = _plain(value)
        if plain is _NO_EQUAL:
            return values
        self._exact = False
        return plain

    def _constant(self, name: str) -> str:
        self._exact = False  # NaN and infinities: text, for JSONB has none
        return name

    def _decimal(self, digits: str) -> Decimal:
        value = Decimal(digits)
        if abs(value.adjusted()) > _MAX_EXPONENT or len(digits) > _MAX_EXPONENT:
            raise _RefusedError(
                "number_too_large",
                gettext("The number %(digits)s is out of range.") % {"digits": digits[:40]},
            )
        return value


_NO_EQUAL = object()
_TOO_DEEP = f"Objects and lists lie more than {MAX_NESTING} deep inside each other."


def _plain(value: Any) -> Any:
    """A plain value for a BSON one, or `_NO_EQUAL`."""
    match value:
        case ObjectId():
            return str(value)
        case Decimal128():
            return _finite(value.to_decimal())
        case Int64():
            return int(value)
        case DatetimeMS():  # a date outside the years 1–9999
            return _NO_EQUAL
        case float():
            return _finite(Decimal(repr(value)))
        case int() | datetime():
            return value
    return _NO_EQUAL


def _finite(value: Decimal) -> Decimal | str:
    try:
        in_range = value.is_finite() and abs(value.adjusted()) <= _MAX_EXPONENT
    except InvalidOperation:
        in_range = False
    return value if in_range else str(value)


def _check_nesting(values: Any) -> None:
    level = [values]
    for _ in range(MAX_NESTING):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return
    raise _RefusedError("too_deep", _TOO_DEEP)
