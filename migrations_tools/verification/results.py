"""What a check found: how many rows it looked at, how many are wrong, and some of them by name."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction

from migrations_tools.models import Run

#: Wrong rows that a result names; all of them are counted.
MOST_NAMED = 20


#: What grows as a check goes through its rows.
_FINDINGS = ("examined", "failures", "edited_since", "sample")


@dataclass
class Result:
    """One check. ``edited_since`` counts rows whose difference a newer history row explains."""

    code: str
    title: str
    run: Run | None = None
    examined: int = 0
    failures: int = 0
    edited_since: int = 0
    sample: list[dict[str, str]] = field(default_factory=list)
    seconds: float = 0.0
    may_be_empty: bool = True

    @property
    def looked_at_nothing(self) -> bool:
        return self.examined == 0 and not self.may_be_empty

    @property
    def ok(self) -> bool:
        return self.failures == 0 and not self.looked_at_nothing

    def fail(self, key: str, detail: str, number: int = 1) -> None:
        """Count ``number`` wrong rows and name one of them."""
        self.failures += number
        self.name(key, detail)

    def name(self, key: str, detail: str) -> None:
        """Name a wrong row that is counted apart."""
        if len(self.sample) < MOST_NAMED:
            self.sample.append({"key": key, "detail": detail})

    def as_kept(self) -> dict[str, Any]:
        """What was found so far, as JSON."""
        return {name: getattr(self, name) for name in _FINDINGS}

    def take_up(self, kept: Mapping[str, Any]) -> None:
        """Go on from what ``as_kept`` gave."""
        for name in _FINDINGS:
            setattr(self, name, kept[name])

    def as_dict(self) -> dict[str, Any]:
        """The JSON shape of SPEC §3."""
        return {
            "code": self.code,
            "title": self.title,
            "ok": self.ok,
            "examined": self.examined,
            "failures": self.failures,
            "edited_since": self.edited_since,
            "sample": self.sample,
            "seconds": round(self.seconds, 3),
        }


@contextmanager
def timed(*results: Result) -> Iterator[None]:
    """Add the seconds of the block to each of the results."""
    started = time.monotonic()
    try:
        yield
    finally:
        for result in results:
            result.seconds += time.monotonic() - started


#: The planner takes digests and text forms for free: without these it leaves the other cores idle,
#: and sorts on disk what fits into memory. Long statements take longer to compile than to run.
_SETTINGS = {
    "work_mem": "64MB",
    "parallel_setup_cost": "0",
    "parallel_tuple_cost": "0",
    "jit": "off",
}


def rows_of(sql: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    """All rows of a query over many; settings of its own end with it."""
    with transaction.atomic(), connection.cursor() as cursor:
        settings = ", ".join(
            f"set_config('{name}', '{value}', true)" for name, value in _SETTINGS.items()
        )
        cursor.execute(f"SELECT {settings}")
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def add_named(result: Result, rows: Sequence[tuple[str, str, int]]) -> None:
    """Add wrong rows given as (key, detail, number of all wrong rows)."""
    if rows:
        result.failures += rows[0][2]
    for key, detail, _ in rows:
        result.name(key, detail)
