"""Bodies of requests."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import parsers
from rest_framework.exceptions import ParseError

#: Objects and lists within each other; who goes through a body by recursion can count on it.
DEEPEST: Final = 64


class JSONParser(parsers.JSONParser):
    """JSON that is not nested without end: reading, checking and storing it are recursive."""

    def parse(self, stream: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            body = super().parse(stream, *args, **kwargs)
        except RecursionError:
            raise _too_deep() from None
        level = [body]
        for _ in range(DEEPEST):
            level = [inner for value in level for inner in _within(value)]
            if not level:
                return body
        raise _too_deep()


def _within(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _too_deep() -> ParseError:
    return ParseError(f"The JSON of the request is nested more than {DEEPEST} levels deep.")
