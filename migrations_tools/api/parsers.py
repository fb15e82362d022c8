"""Bodies of requests."""

from __future__ import annotations

import json
import math
from typing import Any, Final

from django.utils.translation import gettext
from rest_framework import parsers
from rest_framework.exceptions import ParseError

#: Objects and lists within each other; who goes through a body by recursion can count on it.
DEEPEST: Final = 64


class JSONParser(parsers.JSONParser):
    """JSON in UTF-8 (RFC 8259), read strictly (SPEC §7).

    Whatever charset the request claims, a byte order mark is passed over. Refused are names that
    stand twice in an object, numbers that are none or too large, and nesting without end: reading,
    checking and storing a body are recursive.
    """

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            body = json.loads(
                stream.read().decode("utf-8-sig"),
                object_pairs_hook=_object,
                parse_constant=_no_number,
                parse_float=_number,
            )
        except RecursionError:
            raise _too_deep() from None
        except UnicodeDecodeError as error:
            raise ParseError("The JSON of the request is not in UTF-8.") from error
        except json.JSONDecodeError as error:
            raise ParseError(
                f"The request is no JSON: line {error.lineno}, column {error.colno}."
            ) from error
        except ValueError as error:  # more digits than Python reads
            raise ParseError("The JSON of the request holds a number that is too long.") from error
        level = [body]
        for _ in range(DEEPEST):
            level = [inner for value in level for inner in _within(value)]
            if not level:
                return body
        raise _too_deep()


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in values:
            raise ParseError(f"The JSON of the request names “{name[:100]}” twice in one object.")
        values[name] = value
    return values


def _number(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ParseError(f"The JSON of the request holds the number {text[:20]}: too large.")
    return number


def _no_number(text: str) -> float:
    raise ParseError(f"The JSON of the request holds {text}, which is no number.")


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> ParseError:
    return ParseError(
        gettext("The JSON of the request is nested more than %(deepest)s levels deep.")
        % {"deepest": DEEPEST}
    )
