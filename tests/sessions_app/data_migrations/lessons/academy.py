"""A small academy for tests: as values for the pure transforms, and imported from files."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from migrations_tools.definitions import Apply, Insert, Outcome, Warning_
from migrations_tools.models import Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.verification import verify_definition
from migrations_tools.states import RunState
from sessions_app.data_migrations.lessons.bookings import BookingFacts, BookingStep
from sessions_app.data_migrations.lessons.lessons import LessonFacts, LessonStep
from sessions_app.data_migrations.lessons.semesters import SemesterFacts, SemesterStep
from sessions_app.data_migrations.upgrade_lessons import UpgradeLessons, UpgradeLessonsOptions
from sessions_app.legacy_imports.lessons import legacy_id
from tests.migrations_tools.imports.importing import import_file, lines

STAGED_AT = datetime(2026, 9, 1, tzinfo=UTC)

SEMESTER = {
    "id": 1,
    "code": "SPRING",
    "name": "Spring",
    "start_date": "2026-01-01",
    "end_date": "2026-06-30",
    "status": "ongoing",
    "is_active": True,
    "master_instructor_id": 9,
    "location_venue": "Hall 2",
    "location_city": "Budapest",
    "location_address": "Main street 1",
}
LESSON = {
    "id": 1,
    "title": "Passing",
    "description": "Under pressure",
    "date_start": "2026-02-01T10:00:00Z",
    "date_end": "2026-02-01T11:30:00Z",
    "mode": "online",
    "session_type": None,
    "capacity": 20,
    "location": "",
    "meeting_link": "https://meet.example.com/a?b=c",
    "semester_id": 1,
    "group_id": 1,
    "instructor_id": 9,
    "credit_cost": 2,
    "target_specialization": "player",
    "mixed_specialization": False,
    "session_status": "scheduled",
    "sport_type": "football",
    "level": "beginner",
    "created_at": "2026-01-15T08:00:00Z",
}
PEOPLE = [
    {"id": number, "name": f"Person {number}", "email": f"p{number}@example.com"}
    for number in range(1, 10)
]

# ------------------------------------------------------------------------------ pure transforms


def transform_semester(**values: Any) -> Outcome:
    facts = SemesterFacts(zone=UTC, people={"9": 109}, first={}, taken={}, linked={})
    return SemesterStep(UpgradeLessonsOptions()).transform(
        _row(SemesterStep, SEMESTER | values), facts
    )


def transform_lesson(zone: str = "UTC", **values: Any) -> Outcome:
    """Semester 1 is key 11 and has cohort 1, key 21; cohort 2 is of another."""
    facts = LessonFacts(
        zone=ZoneInfo(zone),
        semesters={"1": (11, date(2026, 1, 1), date(2026, 6, 30))},
        cohorts={"1": (21, 11), "2": (22, 12)},
        people={"9": 109},
        taken={"lesson-77"},
        linked={},
    )
    return LessonStep(UpgradeLessonsOptions()).transform(_row(LessonStep, LESSON | values), facts)


def transform_booking(**values: Any) -> Outcome:
    """Lesson 1 is key 31 of session 41; persons 1 and 2 are the accounts 101 and 102, and the
    second has a booking already. Row 8 repeats another, row 9 has no seat.
    """
    facts = BookingFacts(
        zone=UTC,
        lessons={"1": (31, 41, 20)},
        people={"1": 101, "2": 102},
        repeated={"8"},
        beyond={"9"},
        active={(31, 102): 500},
        linked={},
    )
    booking = {"id": 1, "user_id": 1, "session_id": 1, "status": "confirmed"}
    return BookingStep(UpgradeLessonsOptions()).transform(
        _row(BookingStep, booking | values), facts
    )


def _row(step: Any, document: Mapping[str, Any]) -> Any:
    given = {
        "id": 17,
        "key": str(document["id"]),
        "document": document,
        "staged_at": STAGED_AT,
        "lesson_key": legacy_id(document.get("session_id")),
        "student_key": legacy_id(document.get("user_id")),
    }
    make = step.source.row_class()
    return make(*(given.get(name) for name in make._fields))


def applied(outcome: Outcome) -> Apply:
    assert isinstance(outcome, Apply), outcome
    return outcome


def inserted(outcome: Outcome) -> Any:
    """The last new object."""
    return [change.obj for change in applied(outcome).changes if isinstance(change, Insert)][-1]


def warnings(outcome: Outcome) -> list[str]:
    return [
        warning.code if isinstance(warning, Warning_) else warning
        for warning in applied(outcome).warnings
    ]


# --------------------------------------------------------------------------------- in the database


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), "surface": "command"}


def stage(folder: Path, kind: str, *rows: Any) -> None:
    import_file(kind, lines(folder / f"{kind}.jsonl", *rows))


def open_academy(folder: Path, **lesson: Any) -> None:
    """Nine people, a semester, a cohort and lesson 1."""
    stage(folder, "users", *PEOPLE)
    stage(folder, "semesters", SEMESTER)
    stage(folder, "cohorts", {"id": 1, "name": "U15", "semester_id": 1})
    stage(folder, "lessons", LESSON | lesson)


def booking(number: int, person: int, status: Any = "confirmed", **values: Any) -> Any:
    return {
        "id": number,
        "user_id": person,
        "session_id": 1,
        "status": status,
        "created_at": f"2026-01-{number:02}T08:00:00Z",
    } | values


def upgrade(tuning: dict[str, Any] | None = None, **options: Any) -> Run:
    """A run carried to its end; there was something to do."""
    run = runs.start_run(UpgradeLessons.name, options=options, tuning=tuning, **actor())
    assert run is not None
    run = runs.work_run(run)
    assert run.state == RunState.COMPLETED
    return run


def rehearse(**options: Any) -> Run:
    run = runs.dry_run(UpgradeLessons.name, options=options, **actor())
    assert run is not None
    return run


def take_back(run: Run, *, force: bool = False) -> Run:
    rollback = roll_back_run(run, reason="test", force=force, **actor())
    assert rollback is not None
    return runs.work_run(rollback)


def outcomes(run: Run) -> dict[str, int]:
    return {name: number for name, number in summarise(run)["outcomes"].items() if number}


def told(run: Run) -> dict[str, int]:
    """Warnings and codes with their numbers."""
    summary = summarise(run)
    return {**summary["warnings"], **summary["codes"]}


def failed_checks() -> dict[str, list[str]]:
    answer = verify_definition(UpgradeLessons.name, **actor())
    return {
        check["code"]: [named["key"] for named in check["sample"]]
        for check in answer["checks"]
        if not check["ok"]
    }
