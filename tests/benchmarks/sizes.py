"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sizes:
    """Numbers of legacy rows and sessions. Slow contenders have ``slow_rows``; then rates are
    compared.
    """

    rows: int
    slow_rows: int
    memory_rows: tuple[int, int]
    rounds: int
    sessions: int = 10_000  # orphans of agents, with ten events each
    many_sessions: int = 100_000


FULL = Sizes(rows=100_000, slow_rows=10_000, memory_rows=(100_000, 1_000_000), rounds=5)
QUICK = Sizes(
    rows=20_000, slow_rows=2_000, memory_rows=(10_000, 40_000), rounds=1, many_sessions=20_000
)
