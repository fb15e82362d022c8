"""How many keys the next batch takes: as many as fit the target time."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_TARGET_SECONDS = 1.0
FLOOR, CEILING, START = 10, 20_000, 1_000
GROWTH = 1.5  # at most this factor from one batch to the next
SMOOTHING = 0.5  # weight of the newest observation


@dataclass
class BatchSizer:
    """Adapts the size to the observed rate; a fixed size is kept as it is."""

    target_seconds: float = DEFAULT_TARGET_SECONDS
    fixed: int | None = None
    size: int = START
    rate: float | None = None  # keys per second, smoothed

    @property
    def next_size(self) -> int:
        return self.fixed or self.size

    def observe(self, keys: int, seconds: float) -> None:
        """Learn from a finished batch."""
        if keys <= 0 or seconds <= 0:
            return
        rate = keys / seconds
        self.rate = rate if self.rate is None else self.rate + SMOOTHING * (rate - self.rate)
        wanted = int(self.rate * self.target_seconds)
        self.size = max(FLOOR, min(CEILING, wanted, int(self.size * GROWTH)))

    def halve(self) -> None:
        """After a time-out or deadlock."""
        self.size = max(FLOOR, self.size // 2)
