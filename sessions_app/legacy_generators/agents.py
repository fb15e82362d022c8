"""Generates files of the agents' old system: projects, sessions, events (agents.md "Shape").

Files of one seed fit together, whatever their sizes: ids follow from seed and number alone. Events
name the first six projects, and belong to the first sessions, nine or so to each.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from random import Random
from typing import Any, Final

from migrations_tools.generators import register_generator
from sessions_app.legacy_generators.agent_defects import (
    EVENT_DEFECTS,
    PROJECT_DEFECTS,
    SESSION_DEFECTS,
    Row,
    spoil,
)
from sessions_app.models import UNASSIGNED_ID

_FIRST_DAY: Final = datetime(2024, 1, 7, 6, tzinfo=UTC)
_NAMES: Final = ("Atlas", "Borealis", "Cedar", "Delta", "Ember", "Falcon", "Garnet", "Harbour")
_STATUSES: Final = ("active", "active", "paused", "active", "archived", "completed")
_AGENTS: Final = ("coder", "reviewer", "writer", "tester")
_TITLES: Final = ("Tidy the tests", "Read the logs", "Write the letter", "Mend the import")
_TYPES: Final = ("message", "edit", "command", "search")

_ARCHIVED, _COMPLETED = 4, 5
_SENTINEL = -1
#: What the events of a session name: (project, events), one pattern after the other. Projects 0 to
#: 3 are taken in turn. Every row of the decision table and every warning occurs.
PATTERNS: Final[tuple[tuple[tuple[int | None, int], ...], ...]] = (
    ((0, 15),),  # confident
    ((0, 6), (1, 2)),  # tentative
    ((0, 5), (1, 3), (2, 2), (3, 2)),  # manual review
    ((None, 3),),  # unassigned: no event names one
    ((_SENTINEL, 4),),  # unassigned: the sentinel is no evidence
    (),  # unassigned: no event at all
    ((1, 1),),  # confident, low evidence
    ((2, 9), (3, 1)),  # exactly 0.90: tentative
    ((1, 3), (0, 2)),  # exactly 0.60: tentative
    ((0, 4), (1, 4)),  # manual review: as many for each
    ((_ARCHIVED, 12),),  # tentative at most: inactive target
    ((_COMPLETED, 12), (0, 1)),
    ((3, 20), (None, 5), (0, 1)),  # confident beside events that name none
)


def project_id(seed: int, number: int) -> str:
    return _id(seed, "project", number)


def session_id(seed: int, number: int) -> str:
    return _id(seed, "session", number)


def _id(seed: int, what: str, number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"https://example.com/{seed}/{what}/{number}"))


@register_generator("projects")
def generate_projects(path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]:
    """Projects, the first six of every status; the first one is primary."""

    def projects(rng: Random) -> Iterator[Row]:
        for number in count():
            few = number < len(_STATUSES)
            yield {
                "id": project_id(seed, number),
                "name": f"{_NAMES[number % len(_NAMES)]} {number + 1}",
                "status": _STATUSES[number] if few else rng.choice(_STATUSES),
                "is_primary": number == 0,
                "created_at": _text(_FIRST_DAY + timedelta(hours=number)),
            }

    return _write(path, "projects", projects, PROJECT_DEFECTS, rows, seed, defects)


@register_generator("agent_sessions")
def generate_sessions(path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]:
    """Sessions, four of five without a project, ended and not."""

    def sessions(rng: Random) -> Iterator[Row]:
        for number in count():
            started = _started(number)
            ended = started + timedelta(minutes=rng.randrange(5, 120))
            over = rng.random() < 0.7
            assigned = number >= len(PATTERNS) and number % 5 == 0
            yield {
                "id": session_id(seed, number),
                "project_id": project_id(seed, number % 4) if assigned else None,
                "agent_type": rng.choice(_AGENTS),
                "started_at": _text(started),
                "ended_at": _text(ended) if over else None,
                "title": rng.choice(_TITLES),
                "description": "",
                "metadata": {"run": number},
                "status": "completed" if over else rng.choice(("active", "inactive", "abandoned")),
                "last_activity_at": _text(ended),
            }

    return _write(path, "agent_sessions", sessions, SESSION_DEFECTS, rows, seed, defects)


@register_generator("activity_events")
def generate_events(path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]:
    """Events session by session; a share of the sessions names a project that is not there."""

    def events(rng: Random) -> Iterator[Row]:
        number = 0
        for session in count():
            lost = rng.random() < defects
            for project in _projects_named(seed, session, rng):
                yield {
                    "event_id": _id(seed, "event", number),
                    "timestamp": _text(_started(session) + timedelta(seconds=number % 3_600)),
                    "actor": rng.choice(("human", "ai", "ai", "system")),
                    "project_id": _id(seed, "lost project", 0) if lost and project else project,
                    "session_id": session_id(seed, session),
                    "event_type": rng.choice(_TYPES),
                    "payload": {"size": rng.randrange(1_000)},
                }
                number += 1

    return _write(path, "activity_events", events, EVENT_DEFECTS, rows, seed, defects)


def _projects_named(seed: int, session: int, rng: Random) -> list[str | None]:
    """The projects that the events of a session name, in any order."""
    turn = session // len(PATTERNS)
    named: list[str | None] = []
    for project, events in PATTERNS[session % len(PATTERNS)]:
        if project is None:
            written = None
        elif project == _SENTINEL:
            written = str(UNASSIGNED_ID)
        else:
            written = project_id(seed, (project + turn) % 4 if project < _ARCHIVED else project)
        named += [written] * events
    rng.shuffle(named)
    return named


def _started(session: int) -> datetime:
    return _FIRST_DAY + timedelta(minutes=37 * (session % 40_000))


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _write(
    path: Path,
    kind: str,
    source: Any,
    defects: Any,
    rows: int,
    seed: int,
    share: float,
) -> dict[str, int]:
    """``rows`` JSON lines, a ``share`` of them with one of the defects."""
    rng = Random(f"{seed} {kind}")  # noqa: S311 - repeatable, not secret
    spoiling = Random(f"{seed} {kind} defects")  # noqa: S311 - repeatable, not secret
    before: Row = {}
    with path.open("w", encoding="utf-8") as file:
        for row in islice(source(rng), rows):
            written = row
            if spoiling.random() < share:
                written = spoil(dict(row), before, defects, spoiling)
            file.write(json.dumps(written, ensure_ascii=False) + "\n")
            before = row
    return {kind: rows}
