"""``generate_legacy`` for the academy: files of one seed fit together."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from migrations_tools.generators import generate_file, generator_kinds
from sessions_app.legacy_imports.lessons import COLUMNS

KINDS = (*COLUMNS, "users")
FITTING = {
    "semesters": 7,
    "cohorts": 28,
    "users": 640,
    "lessons": 250,
    "bookings": 4000,
    "attendance": 4000,
    "feedback": 4000,
    "lesson_projects": 250,
}
REFERENCES = (
    ("semesters", "master_instructor_id", "users"),
    ("cohorts", "semester_id", "semesters"),
    ("lessons", "semester_id", "semesters"),
    ("lessons", "group_id", "cohorts"),
    ("lessons", "instructor_id", "users"),
    ("bookings", "user_id", "users"),
    ("bookings", "session_id", "lessons"),
    ("attendance", "booking_id", "bookings"),
    ("feedback", "user_id", "users"),
    ("feedback", "session_id", "lessons"),
    ("lesson_projects", "session_id", "lessons"),
)


def generated(folder: Path, rows: dict[str, int], **arguments: Any) -> dict[str, list[Any]]:
    found = {}
    for kind, number in rows.items():
        path = folder / f"{kind}.jsonl"
        given = {"seed": 1, "defects": 0.0, "force": True} | arguments
        generate_file(kind, path, rows=number, **given)
        found[kind] = [json.loads(line) for line in path.read_text().splitlines()]
        assert len(found[kind]) == number
    return found


def test_all_eight_kinds_can_be_generated() -> None:
    assert set(KINDS) <= set(generator_kinds())
    assert set(KINDS) == set(FITTING)


def dangling(academy: dict[str, list[Any]]) -> dict[str, int]:
    ids = {kind: {row["id"] for row in rows} for kind, rows in academy.items()}
    found = {
        f"{kind}.{column}": sum(row[column] not in ids[target] for row in academy[kind])
        for kind, column, target in REFERENCES
    }
    return {name: number for name, number in found.items() if number}


def test_references_lead_somewhere(tmp_path: Path) -> None:
    assert dangling(generated(tmp_path, FITTING)) == {}
    assert dangling(generated(tmp_path, dict.fromkeys(KINDS, 120))) == {}


def test_columns_are_those_of_the_old_system(tmp_path: Path) -> None:
    academy = generated(tmp_path, dict.fromkeys(COLUMNS, 3))
    for kind, columns in COLUMNS.items():
        assert set(academy[kind][0]) == {"id", *columns}


def test_without_defects_nobody_is_booked_or_rated_twice(tmp_path: Path) -> None:
    academy = generated(tmp_path, FITTING)
    for kind in ("bookings", "feedback"):
        pairs = [(row["session_id"], row["user_id"]) for row in academy[kind]]
        assert len(set(pairs)) == len(pairs)
    of_lesson = [row for row in academy["bookings"] if row["session_id"] == 9]
    waiting = [row["waitlist_position"] for row in of_lesson if row["status"] == "waitlisted"]
    assert waiting == [1, 2, 3]


def test_the_same_arguments_give_the_same_file_and_another_seed_another(tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate_file("lessons", tmp_path / name, rows=50, seed=seed, defects=0.3)
        texts.append((tmp_path / name).read_text())
    assert texts[0] == texts[1] != texts[2]


@pytest.mark.parametrize("kind", KINDS)
def test_every_row_can_have_a_defect(tmp_path: Path, kind: str) -> None:
    clean = generated(tmp_path, {kind: 400})[kind]
    faulty = generated(tmp_path, {kind: 400}, defects=1.0)[kind]
    assert [row["id"] for row in faulty] == [row["id"] for row in clean]
    assert faulty != clean
