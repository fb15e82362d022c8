"""What ``transform`` answers for one source key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from migrations_tools.definitions.changes import Change

_SHOWN: Final = 60  # characters of a value in a sentence


class Warning_(NamedTuple):  # noqa: N801 - Warning is a builtin
    """Something a person should know of a key that was carried over all the same.

    A ``detail`` makes it an entry of the problems; without one it is only counted.
    """

    code: str
    detail: str = ""


def shown(value: Any) -> str:
    """A value as a sentence quotes it: “nothing” for none, cut short beyond 60 characters."""
    text = "nothing" if value is None else str(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}…"


@dataclass(slots=True)
class Apply:
    """Write these changes. ``warnings`` are codes, or ``Warning_`` where a detail helps."""

    changes: Sequence[Change]
    warnings: Sequence[str | Warning_] = ()
    confidence: float | None = None  # ratio 0–1
    category: str = ""


@dataclass(slots=True)
class Unchanged:
    """Nothing to write: what stands there already is right."""


@dataclass(slots=True)
class Skip:
    """Decided not to carry over; listed with its code."""

    code: str
    detail: str = ""
    category: str = ""
    warnings: Sequence[str | Warning_] = ()
    confidence: float | None = None


@dataclass(slots=True)
class Review:
    """A person decides; ``proposal`` and ``evidence`` are JSON objects shown to them."""

    proposal: Mapping[str, Any]
    confidence: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    category: str = ""
    warnings: Sequence[str | Warning_] = ()


@dataclass(slots=True)
class Conflict:
    """Another value stands there and stays; nothing is written."""

    code: str
    detail: str = ""


class Reject(Exception):
    """The key cannot be carried over: it is quarantined with this code, the others go on.

    What was decided of it all the same – category, confidence, warnings – is counted as with any
    other outcome.
    """

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        category: str = "",
        confidence: float | None = None,
        warnings: Sequence[str | Warning_] = (),
    ) -> None:
        super().__init__(detail or code)
        self.code = code
        self.detail = detail
        self.category = category
        self.confidence = confidence
        self.warnings = warnings


Outcome = Apply | Unchanged | Skip | Review | Conflict
