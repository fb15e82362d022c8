"""What attempts come to: decimal arithmetic, two decimals, half up."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessions_app.contests.analytics import (
    BUCKET,
    METRICS,
    difficulty_performance,
    minutes,
    performance_metrics,
    ratio,
    seconds,
    topic_performance,
)


@dataclass
class Tried:
    is_correct: bool = True
    time_spent_ms: int = 0
    difficulty: str | None = None
    topics: list[str] | None = field(default_factory=list)


def tried(*times: tuple[bool, int]) -> list[Tried]:
    return [Tried(is_correct, spent) for is_correct, spent in times]


@pytest.mark.parametrize(
    ("milliseconds", "rounded"),
    [(595, 0.6), (5, 0.01), (4, 0), (1005, 1.01), (7426, 7.43), (2675, 2.68), (1000, 1)],
)
def test_seconds_are_rounded_half_up(milliseconds, rounded):
    assert seconds(milliseconds) == rounded


def test_minutes():
    assert minutes(7426) == 0.12
    assert minutes(300) == 0.01  # 0.005 minutes


def test_metrics_of_right_and_wrong_attempts():
    metrics = performance_metrics(tried((True, 1000), (False, 595), (True, 2001)))
    assert metrics == {
        "total_attempted": 3,
        "total_correct": 2,
        "total_incorrect": 1,
        "accuracy_percentage": 66.67,
        "average_time_per_problem_ms": 1198.67,
        "average_time_per_problem_seconds": 1.2,
        "average_time_correct_problems_ms": 1500.5,
        "average_time_incorrect_problems_ms": 595,
        "fastest_correct_time_ms": 1000,
        "slowest_correct_time_ms": 2001,
    }
    assert tuple(metrics) == METRICS


@pytest.mark.parametrize("attempts", [[], tried((False, 10), (False, 20))])
def test_nothing_right_has_no_fastest_and_no_accuracy(attempts):
    metrics = performance_metrics(attempts)
    assert metrics["accuracy_percentage"] == 0
    assert metrics["average_time_correct_problems_ms"] == 0
    assert metrics["fastest_correct_time_ms"] is None
    assert metrics["slowest_correct_time_ms"] is None


def test_topics_are_in_the_order_of_first_appearance():
    buckets = topic_performance(
        [
            Tried(False, topics=["Logic", "Truth Tables"]),
            Tried(True, topics=["Algebra"]),
            Tried(True, topics=["Algebra", "Logic"]),
            Tried(True, topics=None),
        ]
    )
    assert list(buckets) == ["Logic", "Truth Tables", "Algebra"]
    assert buckets["Logic"] == {"attempted": 2, "correct": 1, "accuracy": 50}
    assert tuple(buckets["Logic"]) == BUCKET


def test_difficulties_are_in_small_letters_and_unknown_ones_in_no_bucket():
    attempts = [Tried(True, difficulty=word) for word in ("Easy", " easy ", None, "", "hard")]
    assert difficulty_performance(attempts) == {
        "easy": {"attempted": 2, "correct": 2, "accuracy": 100},
        "hard": {"attempted": 1, "correct": 1, "accuracy": 100},
    }


@given(st.integers(0, 10**12), st.integers(1, 10**6))
def test_a_ratio_is_the_exact_quotient_rounded_half_up(numerator, denominator):
    hundredths = (200 * numerator + denominator) // (2 * denominator)  # in whole numbers
    assert Decimal(str(ratio(numerator, denominator))) == Decimal(hundredths) / 100


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 10**7))), st.randoms())
def test_metrics_do_not_depend_on_the_order_of_attempts(times, random):
    shuffled = list(times)
    random.shuffle(shuffled)
    assert performance_metrics(tried(*times)) == performance_metrics(tried(*shuffled))


def test_the_accuracy_of_two_in_three_is_no_binary_fraction():
    exact = (Decimal(200) / 3).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert repr(ratio(200, 3)) == str(exact)
