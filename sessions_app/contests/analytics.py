"""What the attempts of a session come to (contests.md "The document").

All rounding is to two decimals, half up, in decimal arithmetic. Times are milliseconds unless
a name says seconds or minutes; accuracies are percentages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, Protocol

from sessions_app.reading.blanks import WHITE_SPACE

#: Names of the metrics, in the order of the document.
METRICS: Final = (
    "total_attempted",
    "total_correct",
    "total_incorrect",
    "accuracy_percentage",
    "average_time_per_problem_ms",
    "average_time_per_problem_seconds",
    "average_time_correct_problems_ms",
    "average_time_incorrect_problems_ms",
    "fastest_correct_time_ms",
    "slowest_correct_time_ms",
)

#: What a bucket of a topic or a difficulty holds, in the order of the document.
BUCKET: Final = ("attempted", "correct", "accuracy")

_HUNDREDTH: Final = Decimal("0.01")

Number = int | float


class Attempted(Protocol):
    """What the analytics ask of an attempt: one that was read, or one of the database."""

    @property
    def is_correct(self) -> bool: ...
    @property
    def time_spent_ms(self) -> int: ...
    @property
    def difficulty(self) -> str | None: ...
    @property
    def topics(self) -> Any: ...


@dataclass(slots=True)
class _Tally:
    attempted: int = 0
    correct: int = 0

    def bucket(self) -> dict[str, Number]:
        return {
            "attempted": self.attempted,
            "correct": self.correct,
            "accuracy": percentage(self.correct, self.attempted),
        }


def plain(value: Decimal) -> Number:
    """A decimal as a JSON number: whole ones without a fraction."""
    return int(value) if value == value.to_integral_value() else float(value)


def ratio(numerator: int, denominator: int) -> Number:
    """The quotient, rounded; 0 over nothing."""
    if not denominator:
        return 0
    return plain((Decimal(numerator) / denominator).quantize(_HUNDREDTH, ROUND_HALF_UP))


def percentage(part: int, whole: int) -> Number:
    return ratio(100 * part, whole)


def seconds(milliseconds: int) -> Number:
    return ratio(milliseconds, 1_000)


def minutes(milliseconds: int) -> Number:
    return ratio(milliseconds, 60_000)


def performance_metrics(attempts: Sequence[Attempted]) -> dict[str, Number | None]:
    """The ten metrics, from the attempts alone."""
    right = [attempt.time_spent_ms for attempt in attempts if attempt.is_correct]
    wrong = [attempt.time_spent_ms for attempt in attempts if not attempt.is_correct]
    number, spent = len(attempts), sum(right) + sum(wrong)
    values = (
        number,
        len(right),
        len(wrong),
        percentage(len(right), number),
        ratio(spent, number),
        ratio(spent, 1_000 * number),
        ratio(sum(right), len(right)),
        ratio(sum(wrong), len(wrong)),
        min(right, default=None),
        max(right, default=None),
    )
    return dict(zip(METRICS, values, strict=True))


def topic_performance(attempts: Iterable[Attempted]) -> dict[str, dict[str, Number]]:
    """Topic → bucket, in the order of first appearance."""
    return _buckets((attempt.is_correct, attempt.topics or ()) for attempt in attempts)


def difficulty_performance(attempts: Iterable[Attempted]) -> dict[str, dict[str, Number]]:
    """Difficulty in small letters → bucket; attempts without one are in none."""
    return _buckets(
        (attempt.is_correct, filter(None, [difficulty_key(attempt.difficulty)]))
        for attempt in attempts
    )


def difficulty_key(difficulty: str | None) -> str:
    return (difficulty or "").strip(WHITE_SPACE).lower()


def _buckets(named: Iterable[tuple[bool, Iterable[str]]]) -> dict[str, dict[str, Number]]:
    tallies: dict[str, _Tally] = {}
    for is_correct, names in named:
        for name in names:
            tally = tallies.setdefault(name, _Tally())
            tally.attempted += 1
            tally.correct += is_correct
    return {name: tally.bucket() for name, tally in tallies.items()}
