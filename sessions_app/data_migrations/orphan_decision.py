"""To which project a session belongs, by its events (agents.md "Decision"). Pure and exact."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from typing import Final, NamedTuple

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


class OrphanDecision(NamedTuple):
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
    named = max(counts.values(), default=0)
    top = min([project for project in counts if counts[project] == named], default=None)
    kind = _type_of(named, total)
    targets_inactive = top in inactive and kind is not DecisionType.MANUAL_REVIEW
    if kind is DecisionType.CONFIDENT and (targets_inactive or total < min_evidence):
        kind = DecisionType.TENTATIVE
    warnings: list[WarningCode] = []
    if total in _LOW:
        warnings.append(WarningCode.LOW_EVIDENCE)
    if len(counts) > 1:
        warnings.append(WarningCode.MULTIPLE_PROJECTS)
    if kind is DecisionType.MANUAL_REVIEW:
        warnings.append(WarningCode.MANUAL_REVIEW)
    if targets_inactive:
        warnings.append(WarningCode.INACTIVE_TARGET)
    return OrphanDecision(kind, top, named, total, tuple(warnings))


def _type_of(named: int, total: int) -> DecisionType:
    for kind, holds in BANDS:
        if holds(named, total):
            return kind
    raise AssertionError("the last band always holds")


def evidence_of(text: str, projects: Projects) -> dict[str, int]:
    """Events by project, of evidence as the database tells it: lines of a project and a number.

    One project in two spellings is one project.
    """
    counts: dict[str, int] = {}
    for line in text.split("\n") if text else ():
        written, _, number = line.rpartition(" ")
        project = projects[written]
        if project:
            counts[project] = counts.get(project, 0) + int(number)
    return counts


class Projects(dict[str, str]):
    """Canonical ids by how they are written, each worked out once; blank for no evidence.

    A UUID is written in lower case with hyphens; anything else is trimmed, for it names nothing.
    """

    def __missing__(self, written: str) -> str:
        found = project_uuid(written)
        canonical = written.strip() if found is None else str(found)
        self[written] = "" if found == UNASSIGNED_ID else canonical
        return self[written]


def project_uuid(written: str) -> uuid.UUID | None:
    """The UUID that an id is in any spelling; None for anything else."""
    try:
        return uuid.UUID(written.strip())
    except ValueError:
        return None
