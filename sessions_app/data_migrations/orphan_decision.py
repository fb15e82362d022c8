"""To which project a session belongs, by its events (agents.md "Decision"). Pure and exact."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sessions_app.models import UNASSIGNED_ID

#: Events by the id of the project that they name.
Counts = Mapping[str, int]


class DecisionType(StrEnum):
    CONFIDENT = "confident"  # assigned
    TENTATIVE = "tentative"  # assigned, or skipped where the operator says so
    MANUAL_REVIEW = "manual_review"  # a person decides
    UNASSIGNED = "unassigned"  # parked on the sentinel


class WarningCode(StrEnum):
    LOW_EVIDENCE = "low_evidence"  # one or two events name a project
    MULTIPLE_PROJECTS = "multiple_projects"
    MANUAL_REVIEW = "manual_review"
    INACTIVE_TARGET = "inactive_target"  # the target is archived or completed


#: For m of N events that name the top project: the first that holds. Integers, not floats.
BANDS: Final[tuple[tuple[DecisionType, Callable[[int, int], bool]], ...]] = (
    (DecisionType.UNASSIGNED, lambda m, n: n == 0),
    (DecisionType.CONFIDENT, lambda m, n: 10 * m > 9 * n),  # m/N > 0.90
    (DecisionType.TENTATIVE, lambda m, n: 10 * m >= 6 * n),  # 0.60 ≤ m/N ≤ 0.90
    (DecisionType.MANUAL_REVIEW, lambda m, n: True),  # m/N < 0.60
)

#: So few events are low evidence.
_LOW: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class OrphanDecision:
    """``top`` is the project that most events name, None without evidence; ``named`` of the
    ``total`` events name it. It is the target unless a person decides.
    """

    type: DecisionType
    top: str | None
    named: int
    total: int
    warnings: tuple[WarningCode, ...]

    @property
    def confidence(self) -> float:
        """Ratio 0–1; 1 without evidence, for then nothing speaks against parking."""
        return self.named / self.total if self.total else 1.0


def decide(
    counts: Counts, *, inactive: Collection[str] = (), min_evidence: int = 1
) -> OrphanDecision:
    """Decide for one session.

    ``inactive`` holds projects that are archived or completed; ``min_evidence`` is the number of
    events below which a decision is tentative at most.
    """
    total = sum(counts.values())
    top = min(counts, key=lambda project: (-counts[project], project), default=None)
    named = counts[top] if top is not None else 0
    kind = next(kind for kind, holds in BANDS if holds(named, total))
    targets_inactive = top in inactive and kind in {DecisionType.CONFIDENT, DecisionType.TENTATIVE}
    if kind is DecisionType.CONFIDENT and (targets_inactive or total < min_evidence):
        kind = DecisionType.TENTATIVE
    holding = {
        WarningCode.LOW_EVIDENCE: total in _LOW,
        WarningCode.MULTIPLE_PROJECTS: len(counts) > 1,
        WarningCode.MANUAL_REVIEW: kind is DecisionType.MANUAL_REVIEW,
        WarningCode.INACTIVE_TARGET: targets_inactive,
    }
    warnings = tuple(code for code, holds in holding.items() if holds)
    return OrphanDecision(kind, top, named, total, warnings)


def evidence_of(named: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Events by project, of pairs as written: one project in two spellings is one project."""
    counts: dict[str, int] = {}
    for written, number in named:
        project = canonical_project(written)
        if project and project != str(UNASSIGNED_ID):
            counts[project] = counts.get(project, 0) + number
    return counts


def canonical_project(written: str) -> str:
    """A UUID in its canonical form; anything else trimmed, for it names no project."""
    found = project_uuid(written)
    return written.strip() if found is None else str(found)


def project_uuid(written: str) -> uuid.UUID | None:
    """The UUID that an id is in any spelling; None for anything else."""
    try:
        return uuid.UUID(written.strip())
    except ValueError:
        return None


def evidence_digest(named: Iterable[tuple[str, int]]) -> bytes:
    """SHA-256 over the pairs as written, in bytewise order; the database computes the same."""
    ordered = sorted((project.encode(), number) for project, number in named)
    lines = (project + f" {number}".encode() for project, number in ordered)
    return hashlib.sha256(b"\n".join(lines)).digest()
