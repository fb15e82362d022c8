"""Many names decided at once, each by itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from types import EllipsisType

from django.contrib.auth.models import User

from guarantees.entry_errors import DecisionRefused
from guarantees.services.matching import Decided, decide_name, require_deciding


@dataclass(frozen=True, slots=True)
class Choice:
    """Of many decisions one: as the parameters of `decide_name`."""

    guarantee: int
    pk: int
    seen: int | EllipsisType | None = ...


@dataclass(slots=True)
class DecidedMany:
    """What became of many decisions: each stands or is refused by itself."""

    decided: list[Decided] = field(default_factory=list)
    refused: list[tuple[Choice, DecisionRefused]] = field(default_factory=list)


def decide_many(
    party_name: str, choices: Sequence[Choice], *, acting_user: User, surface: str, reason: str = ""
) -> DecidedMany:
    """Each decision in a transaction of its own. Raises PermissionRefused."""
    require_deciding(party_name, acting_user, surface)
    result = DecidedMany()
    for choice in choices:
        try:
            decided = decide_name(
                party_name, choice.guarantee, choice.pk, acting_user=acting_user, surface=surface,
                reason=reason, seen=choice.seen,
            )  # fmt: skip
        except DecisionRefused as refusal:
            result.refused.append((choice, refusal))
        else:
            result.decided.append(decided)
    return result
