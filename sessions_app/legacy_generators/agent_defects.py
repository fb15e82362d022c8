"""The faults of the agents' old system, one for everything that the import has a rule for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Final

Row = dict[str, Any]
#: Gives the row a fault; the second one is the row before it, empty for the first.
Defect = Callable[[Row, Row], Row]

_NOWHERE: Final = "11111111-2222-4333-8444-555555555555"


def _with(**values: Any) -> Defect:
    """A defect that puts values into columns."""
    return lambda row, before: {**row, **values}


def _without(column: str) -> Defect:
    return lambda row, before: {name: value for name, value in row.items() if name != column}


def _upper(column: str) -> Defect:
    return lambda row, before: {**row, column: str(row[column]).upper() if row[column] else None}


def _as_before(*columns: str) -> Defect:
    """A defect that repeats columns of the row before; of all columns where none is named."""
    return lambda row, before: {**row, **{name: before[name] for name in columns or before}}


PROJECT_DEFECTS: Final[Sequence[Defect]] = (
    _without("id"),
    _with(id="project-17"),
    _upper("id"),
    _with(name="  "),
    _with(name=None),
    _as_before(),
    _with(status="dormant"),
    _with(status="Closed"),
    _with(is_primary=True),
    _with(created_at="long ago", owner="someone@example.com"),
)

SESSION_DEFECTS: Final[Sequence[Defect]] = (
    _without("id"),
    _with(id=""),
    _with(id=["two", "ids"]),
    _upper("id"),
    _as_before("id"),
    _with(project_id=_NOWHERE),
    _with(project_id="the big one"),
    _with(started_at="yesterday", last_activity_at="0000-00-00"),
    _with(started_at="2024-03-10T21:30:00", ended_at=1_710_106_200),
    _with(status="dreaming"),
    _with(status=None),
    _with(status="active", ended_at="2024-03-11T00:00:00Z"),
    _with(metadata="free text"),
    _with(metadata=None, title=None),
    _with(title="t" * 300),
    _with(host="agent-3.example.com"),
)

EVENT_DEFECTS: Final[Sequence[Defect]] = (
    _without("event_id"),
    _as_before(),
    _with(timestamp="soon"),
    _with(actor="ghost"),
    _with(actor=None),
    _upper("project_id"),
    _upper("session_id"),
    _with(project_id="the big one"),
    _with(session_id=_NOWHERE),
    _with(session_id=None),
    _with(payload="free text"),
    _with(payload=None, host="agent-3.example.com"),
)


def spoil(row: Row, before: Row, defects: Sequence[Defect], rng: Random) -> Row:
    """The row with one of the defects."""
    return defects[int(rng.random() * len(defects))](row, before or row)
