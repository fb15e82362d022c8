"""What was measured, and how it is told: one table of figures, one of goals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median


@dataclass
class Measured:
    """Seconds of one contender over ``rows`` rows, once for each round; peak memory in bytes."""

    name: str
    rows: int
    seconds: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Rows per second, of the median."""
        return self.rows / median(self.seconds)

    def add(self, seconds: float, peak: int | None = None) -> None:
        self.seconds.append(seconds)
        if peak is not None:
            self.peaks.append(peak)

    def cells(self) -> Iterator[str]:
        yield self.name
        yield f"{self.rows:,}"
        yield from (f"{value:.2f}" for value in spread(self.seconds))
        yield f"{self.rate:,.0f}"
        yield f"{megabytes(max(self.peaks)):.0f}" if self.peaks else ""


@dataclass(frozen=True)
class Goal:
    """A goal of SPEC §8. ``values`` are those of the rounds, the median decides."""

    what: str
    unit: str  # "×" (a ratio), "%" or "MB"
    values: Sequence[float]
    at_least: float | None = None
    at_most: float | None = None

    @property
    def met(self) -> bool:
        value = median(self.values)
        return (self.at_least is None or value >= self.at_least) and (
            self.at_most is None or value <= self.at_most
        )

    def cells(self) -> Iterator[str]:
        yield self.what
        wanted = f"≥ {self.at_least:g}" if self.at_least is not None else f"≤ {self.at_most:g}"
        yield f"{wanted} {self.unit}"
        yield from (f"{value:.3g}" for value in spread(self.values))
        yield "met" if self.met else f"**missed** ({median(self.values):.3g} {self.unit})"


@dataclass
class Results:
    """Everything that one call measured."""

    measured: list[Measured] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def new(self, name: str, rows: int) -> Measured:
        self.measured.append(Measured(name, rows))
        return self.measured[-1]

    def as_markdown(self) -> str:
        parts = [
            _table(
                ["goal", "wanted", "min", "median", "max", ""],
                [list(goal.cells()) for goal in self.goals],
            ),
            _table(
                ["what", "rows", "s min", "s median", "s max", "rows/s", "peak MB"],
                [list(found.cells()) for found in self.measured],
            ),
            "\n".join(f"- {note}" for note in self.notes),
        ]
        return "\n\n".join(parts)


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    return min(values), median(values), max(values)


def ratios(one: Measured, other: Measured) -> list[float]:
    """How many times the rate of ``other`` that of ``one`` is, round by round.

    Contenders of one round ran one after the other, so a slow spell of the machine met both.
    """
    return [
        (one.rows / mine) / (other.rows / theirs)
        for mine, theirs in zip(one.seconds, other.seconds, strict=True)
    ]


def megabytes(count: float) -> float:
    return count / 1e6


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Markdown, in columns of equal width so that it reads well on a terminal too."""
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    lines = [
        [head.ljust(width) for head, width in zip(heads, widths, strict=True)],
        ["-" * width for width in widths],
        *([cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
