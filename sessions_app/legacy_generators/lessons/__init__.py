"""Generates the files of the training academy, as JSON lines: one kind for each of its tables.

Files of one seed fit together: what a row refers to depends on its id alone. A lesson has 16
bookings, a semester 40 lessons and 4 cohorts, and 600 students are the most; so 4,000 bookings
ask for 250 lessons, 7 semesters, 28 cohorts and 640 people. Equal numbers of rows fit too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from migrations_tools.generators import register_generator
from sessions_app.legacy_generators.lessons import academy
from sessions_app.legacy_generators.lessons.defects import DEFECTS, spoil

MakeRow = Callable[[int, Random], academy.Row]

_KINDS: dict[str, MakeRow] = {
    "semesters": academy.semester,
    "cohorts": academy.cohort,
    "users": academy.person,
    "lessons": academy.lesson,
    "bookings": academy.booking,
    "attendance": academy.attendance,
    "feedback": academy.feedback,
    "lesson_projects": academy.lesson_project,
}


def generate(kind: str, path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]:
    """A file of one kind with rows of the ids from 1."""
    make = _KINDS[kind]
    rng = Random(f"{seed}/{kind}")  # noqa: S311 - repeatable, not secret
    with path.open("w", encoding="utf-8") as file:
        for number in range(1, rows + 1):
            row = make(number, rng)
            if rng.random() < defects:
                spoil(row, DEFECTS[kind], rng)
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
    return {kind: rows}


for _kind in _KINDS:
    register_generator(_kind)(partial(generate, _kind))
