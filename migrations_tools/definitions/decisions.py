"""What a person decided of a key that ``transform`` left to review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from migrations_tools.states import ReviewDecision


@dataclass(frozen=True, slots=True)
class Decision:
    """``kind`` is ACCEPTED, CHOSEN or PARKED of ``ReviewDecision``; what is skipped is not asked.

    ``proposal`` is that of the ``Review``. ``choice`` holds the values that the person chose, by
    the names of ``Step.choices``; it is empty unless ``kind`` is CHOSEN.
    """

    kind: ReviewDecision
    proposal: Mapping[str, Any]
    choice: Mapping[str, Any] = field(default_factory=dict)
