"""What a reader raises."""

from __future__ import annotations

from migrations_tools.exceptions import CarryoverError

_SHOWN = 60  # characters of the value in the sentence


class ValueNotUnderstood(CarryoverError):
    """A value that is not blank and is no amount or date. ``code`` says in which way."""

    code = "not_understood"

    def __init__(self, code: str, value: object, problem: str) -> None:
        shown = str(value)
        shown = shown if len(shown) <= _SHOWN else shown[: _SHOWN - 1] + "…"
        super().__init__(f"“{shown}” {problem}", code=code)

    @property
    def detail(self) -> str:
        return self.message
