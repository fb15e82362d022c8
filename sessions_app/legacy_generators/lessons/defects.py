"""The faults of the academy's rows, at least one for every rule that the migration has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from random import Random
from typing import Any, Final

from sessions_app.legacy_generators.lessons.academy import (
    COHORTS_PER_SEMESTER,
    Row,
    lesson_of,
    student_of,
)

Defect = Callable[[Row, Random], None]

_DANGLING: Final = 9_999_999


def _one_of(column: str, *values: Any) -> Defect:
    """A defect that puts one of ``values`` into a column."""

    def defect(row: Row, rng: Random) -> None:
        row[column] = rng.choice(values)

    return defect


def _mode(mode: str, link: str) -> Defect:
    def defect(row: Row, rng: Random) -> None:
        row.update(mode=mode, meeting_link=link)

    return defect


def _outside_semester(row: Row, rng: Random) -> None:
    year = int(row["date_start"][:4]) - 2
    row.update(date_start=f"{year}{row['date_start'][4:]}", date_end=f"{year}{row['date_end'][4:]}")


def _ends_at_its_start(row: Row, rng: Random) -> None:
    row["date_end"] = row["date_start"]


def _cohort_of_another_semester(row: Row, rng: Random) -> None:
    if isinstance(row["group_id"], int):
        row["group_id"] += COHORTS_PER_SEMESTER * (1 if row["semester_id"] == 1 else -1)


def _with_an_offset(row: Row, rng: Random) -> None:
    for column in ("date_start", "date_end"):
        row[column] = f"{row[column]}+03:00"


def _as_the_one_before(row: Row, rng: Random) -> None:
    """The person of the row before it, in the same lesson."""
    before = row["id"] - 1
    if before and lesson_of(before) == row["session_id"]:
        row["user_id"] = student_of(before)
        row.update({"booking_id": before} if "booking_id" in row else {})


def _names_no_booking(row: Row, rng: Random) -> None:
    row["booking_id"] = None


def _same_lesson_and_project(row: Row, rng: Random) -> None:
    row.update(session_id=1, project_id=1)


DEFECTS: Final[Mapping[str, Sequence[Defect]]] = {
    "semesters": (
        _one_of("status", None, "paused", "ONGOING"),
        _one_of("code", None, "2024-001"),
        _one_of("start_date", None, "soon"),
        _one_of("master_instructor_id", None, _DANGLING),
    ),
    "cohorts": (_one_of("name", None, ""), _one_of("semester_id", None, _DANGLING)),
    "users": (
        _one_of("role", None, "INSTRUCTOR", "janitor"),
        _one_of("email", None, "nobody"),
        _one_of("credit_balance", None, -5, "many"),
        _one_of("is_active", None, False),
    ),
    "lessons": (
        _one_of("mode", None, "", "ONLINE", "telepathy"),
        _one_of("session_type", "virtual", "hybrid", "on_site", "lecture"),
        _mode("online", "javascript:alert(1)"),
        _mode("online", "https://"),
        _mode("online", "https://meet.example.com/a b"),
        _mode("offline", "https://meet.example.com/a"),
        _mode("hybrid", "https://meet.example.com/a"),
        _one_of("capacity", None, "14.0"),
        _one_of("capacity", 3, 5),
        _one_of("capacity", 0, -4, "many"),
        _one_of("credit_cost", None, -1, "1.5"),
        _one_of("title", None, "", "   "),
        _one_of("semester_id", None, _DANGLING),
        _one_of("instructor_id", None, _DANGLING),
        _one_of("group_id", None, _DANGLING),
        _cohort_of_another_semester,
        _outside_semester,
        _ends_at_its_start,
        _with_an_offset,
        _one_of("session_status", None, "IN_PROGRESS", "completed", "Cancelled", "postponed"),
        _one_of("mixed_specialization", None, "true", "perhaps"),
        _one_of("created_at", None, "long ago"),
    ),
    "bookings": (
        _one_of("status", "pending", "CONFIRMED", "Waitlisted", None),
        _one_of("status", "maybe"),
        _one_of("waitlist_position", None, 1, 7, -3, "second"),
        _as_the_one_before,
        _one_of("user_id", None, _DANGLING),
        _one_of("session_id", None, _DANGLING),
        _one_of("created_at", None, "long ago", "2024-01-01"),
        _one_of("cancelled_at", "2024-01-01 08:00:00", "never"),
    ),
    "attendance": (
        _as_the_one_before,
        _names_no_booking,
        _one_of("booking_id", _DANGLING),
        _one_of("status", None, "asleep"),
        _one_of("status", "PRESENT", "Late"),
        _one_of("check_in_time", None, "at nine"),
    ),
    "feedback": (
        _as_the_one_before,
        _one_of("rating", None, 0, 5.5, "good", -1),
        _one_of("rating", "4.25", "5", 1),
        _one_of("user_id", None, _DANGLING),
        _one_of("session_id", None, _DANGLING),
        _one_of("created_at", None, "long ago"),
    ),
    "lesson_projects": (
        _same_lesson_and_project,
        _one_of("project_id", None),
        _one_of("session_id", None, _DANGLING),
        _one_of("is_required", None, "perhaps"),
    ),
}


def spoil(row: Row, defects: Sequence[Defect], rng: Random) -> None:
    """Give the row one of the defects."""
    rng.choice(defects)(row, rng)
