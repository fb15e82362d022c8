"""To which project a session belongs, by its events (agents.md "Decision"). Pure and exact."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from functools import lru_cache
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


class Verdict(NamedTuple):
    """What the numbers say, whatever the projects are."""

    type: DecisionType
    confidence: float  # ratio 0–1; 1 without evidence, for then nothing speaks against parking
    warnings: tuple[WarningCode, ...]


class OrphanDecision(NamedTuple):
    """``top`` is the project that most events name, None without evidence; ``named`` of the
    ``total`` events name it. It is the target unless a person decides.
    """

    top: str | None
    named: int
    total: int
    verdict: Verdict


def decide(
    counts: Counts, *, inactive: Collection[str] = (), min_evidence: int = 1
) -> OrphanDecision:
    """Decide for one session.

    ``inactive`` holds projects that are archived or completed; ``min_evidence`` is the number of
    events below which a decision is tentative at most.
    """
    if len(counts) == 1:
        ((top, named),) = counts.items()
        total = named
    elif counts:
        total, named = sum(counts.values()), max(counts.values())
        top = min([project for project in counts if counts[project] == named])
    else:
        return OrphanDecision(None, 0, 0, judge(0, 0))
    verdict = judge(
        named, total, several=len(counts) > 1, inactive=top in inactive, min_evidence=min_evidence
    )
    return OrphanDecision(top, named, total, verdict)


@lru_cache(maxsize=10_000)  # the same few numbers come again and again
def judge(
    named: int, total: int, *, several: bool = False, inactive: bool = False, min_evidence: int = 1
) -> Verdict:
    """The verdict where ``named`` of ``total`` events name the top project."""
    kind = _type_of(named, total)
    inactive = inactive and kind is not DecisionType.MANUAL_REVIEW  # which has no target
    if kind is DecisionType.CONFIDENT and (inactive or total < min_evidence):
        kind = DecisionType.TENTATIVE
    holding = {
        WarningCode.LOW_EVIDENCE: total in _LOW,
        WarningCode.MULTIPLE_PROJECTS: several,
        WarningCode.MANUAL_REVIEW: kind is DecisionType.MANUAL_REVIEW,
        WarningCode.INACTIVE_TARGET: inactive,
    }
    warnings = tuple(code for code, holds in holding.items() if holds)
    return Verdict(kind, named / total if total else 1.0, warnings)


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
