"""The decision of agents.md, row by row and as a whole."""

from __future__ import annotations

import random
import uuid
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.data_migrations.orphan_decision import (
    DecisionType,
    Projects,
    decide,
    evidence_of,
)
from sessions_app.models import UNASSIGNED_ID

COUNTS = st.dictionaries(st.sampled_from("abcdefgh"), st.integers(1, 60))


@pytest.mark.parametrize(
    ("counts", "kind", "top", "confidence", "warnings"),
    [
        ({"a": 15}, "confident", "a", 1.0, []),
        ({"a": 6, "b": 2}, "tentative", "a", 0.75, ["multiple_projects"]),
        (
            {"a": 5, "b": 3, "c": 2, "d": 2},
            "manual_review",
            "a",
            5 / 12,
            ["multiple_projects", "manual_review"],
        ),
        ({}, "unassigned", None, 1.0, []),
        ({"a": 1}, "confident", "a", 1.0, ["low_evidence"]),
        ({"a": 2}, "confident", "a", 1.0, ["low_evidence"]),
        ({"a": 3}, "confident", "a", 1.0, []),
        ({"a": 9, "b": 1}, "tentative", "a", 0.9, ["multiple_projects"]),
        ({"a": 91, "b": 9}, "confident", "a", 0.91, ["multiple_projects"]),
        ({"a": 3, "b": 2}, "tentative", "a", 0.6, ["multiple_projects"]),
        ({"a": 599, "b": 401}, "manual_review", "a", 0.599, ["multiple_projects", "manual_review"]),
        (
            {"b": 1, "a": 1},
            "manual_review",
            "a",
            0.5,
            ["low_evidence", "multiple_projects", "manual_review"],
        ),
    ],
)
def test_every_row_of_the_table(
    counts: dict[str, int], kind: str, top: str | None, confidence: float, warnings: list[str]
) -> None:
    decision = decide(counts)
    assert decision.top == top
    assert decision.verdict == (kind, confidence, tuple(warnings))


def test_thresholds_are_compared_as_integers() -> None:
    """0.9 of large numbers, where a float would be on the wrong side."""
    many = 10**17
    assert decide({"a": 9 * many, "b": many}).verdict.type is DecisionType.TENTATIVE
    assert decide({"a": 9 * many + 1, "b": many}).verdict.type is DecisionType.CONFIDENT
    assert decide({"a": 6 * many, "b": 4 * many}).verdict.type is DecisionType.TENTATIVE
    assert decide({"a": 6 * many - 1, "b": 4 * many + 1}).verdict.type is DecisionType.MANUAL_REVIEW


def test_little_evidence_is_tentative_at_most() -> None:
    assert decide({"a": 4}, min_evidence=5).verdict.type is DecisionType.TENTATIVE
    assert decide({"a": 5}, min_evidence=5).verdict.type is DecisionType.CONFIDENT
    assert decide({"a": 1, "b": 1}, min_evidence=5).verdict.type is DecisionType.MANUAL_REVIEW
    assert decide({}, min_evidence=5).verdict.type is DecisionType.UNASSIGNED


def test_an_inactive_target_is_tentative_at_most() -> None:
    decision = decide({"a": 20}, inactive={"a"})
    assert decision.verdict == (DecisionType.TENTATIVE, 1.0, ("inactive_target",))
    assert decide({"a": 20, "b": 1}, inactive={"b"}).verdict.warnings == ("multiple_projects",)
    review = decide({"a": 2, "b": 2}, inactive={"a"})
    assert "inactive_target" not in review.verdict.warnings  # nothing is its target


@given(COUNTS, st.randoms(use_true_random=False))
def test_the_order_of_events_says_nothing(counts: dict[str, int], rng: random.Random) -> None:
    events = [project for project, number in counts.items() for _ in range(number)]
    rng.shuffle(events)
    shuffled: dict[str, int] = {}
    for project in events:
        shuffled[project] = shuffled.get(project, 0) + 1
    assert decide(shuffled) == decide(counts)


@given(COUNTS.filter(bool), st.sampled_from("abcdefghij"))
def test_an_event_of_another_project_never_raises_the_confidence(
    counts: dict[str, int], project: str
) -> None:
    before = decide(counts)
    if project == before.top:
        return
    after = decide({**counts, project: counts.get(project, 0) + 1})
    order = [DecisionType.CONFIDENT, DecisionType.TENTATIVE, DecisionType.MANUAL_REVIEW]
    overtaken = counts.get(project, 0) == before.named
    if not overtaken:
        assert Fraction(after.named, after.total) < Fraction(before.named, before.total)
        assert order.index(after.verdict.type) >= order.index(before.verdict.type)
    assert after.verdict.type is not DecisionType.UNASSIGNED


def test_evidence_is_counted_by_project_however_it_is_spelled() -> None:
    project = uuid.uuid4()
    text = "\n".join(
        [
            f"{project} 1",
            f"{str(project).upper()} 2",
            f"{{{project}}} 3",
            f"{{{UNASSIGNED_ID}}} 4",
            "  5",
            " no uuid  6",
        ]
    )
    assert evidence_of(text, Projects()) == {str(project): 6, "no uuid": 6}
    assert evidence_of("", Projects()) == {}
