"""An academy with every fault, from its files to the rollback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from migrations_tools.definitions import Step
from migrations_tools.definitions.sources import KeyRange
from migrations_tools.engine.selection import Selection
from migrations_tools.generators import generate_file
from migrations_tools.services.verification import verify_run
from sessions_app.data_migrations.upgrade_lessons import UpgradeLessons, UpgradeLessonsOptions
from sessions_app.models import (
    Attendance,
    Booking,
    Feedback,
    LegacyBooking,
    Lesson,
    LessonProject,
    Semester,
    Session,
)
from tests.migrations_tools.imports.importing import import_file
from tests.sessions_app.data_migrations.lessons.academy import (
    actor,
    failed_checks,
    outcomes,
    rehearse,
    take_back,
    told,
    upgrade,
)

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = {
    "lesson_projects": 100,
    "feedback": 1500,
    "attendance": 3000,
    "bookings": 3000,
    "lessons": 188,
    "users": 640,
    "cohorts": 20,
    "semesters": 60,
}
WARNINGS = {
    "bad_date", "bad_flag", "bad_link", "bad_time", "duplicate_booking",
    "duplicate_code", "foreign_cohort", "link_not_virtual", "missing_capacity", "missing_code",
    "missing_credit_cost", "missing_delivery", "outside_semester",
    "overbooked", "pending_booking", "several_attendance", "several_feedback",
    "unknown_cohort", "unknown_delivery", "unknown_instructor", "unknown_project",
    "unknown_status",
}  # fmt: skip
CODES = {
    "blank_title", "booking_missing", "end_before_start", "invalid_capacity",
    "invalid_credit_cost", "invalid_rating", "lesson_missing", "older_attendance",
    "older_feedback", "project_missing", "repeated_project", "semester_missing",
    "student_missing", "unknown_status",
}  # fmt: skip
TARGETS = (Semester, Session, Lesson, Booking, Attendance, Feedback, LessonProject)


def import_academy(folder: Path, *, defects: float, seed: int = 20) -> None:
    for kind, rows in ROWS.items():
        path = folder / f"{kind}.jsonl"
        generate_file(kind, path, rows=rows, seed=seed, defects=defects)
        import_file(kind, path)


def lines_of_the_old_system() -> dict[str, list[str]]:
    """Who waits, in order, worked out by SQL of its own: legacy ids by that of the lesson."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.lesson_key, array_agg(s.key ORDER BY "
            "s.document ->> 'status' IS NULL OR s.document ->> 'status' = 'pending', "
            "CASE WHEN s.document ->> 'status' <> 'pending' "
            "AND s.document ->> 'waitlist_position' ~ '^-?[0-9]+$' "
            "THEN (s.document ->> 'waitlist_position')::int END NULLS LAST, "
            "b.created_at, s.key::int) "
            "FROM sessions_app_legacybooking s JOIN sessions_app_booking b ON b.id = s.booking_id "
            "WHERE b.status = 'waitlisted' GROUP BY 1"
        )
        return dict(cursor.fetchall())


def lines_here() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    waiting = Booking.objects.waiting().values_list(
        "legacy_rows__lesson_key", "legacy_rows__key", "waitlist_position"
    )
    for lesson, key, position in waiting:
        line = found.setdefault(str(lesson), [])
        line.append(str(key))
        assert position == len(line)
    return found


@pytest.mark.slow
def test_an_academy_with_every_fault(tmp_path: Path) -> None:
    import_academy(tmp_path, defects=0.35)
    whole = {"error_budget": 1}
    tried = rehearse()
    run = upgrade({**whole, "batch_size": 200})
    seen = told(run)
    assert (outcomes(tried), told(tried)) == (outcomes(run), seen)
    assert set(seen) == CODES | WARNINGS
    assert verify_run(run, **actor())["ok"]
    assert failed_checks() == {}
    assert lines_here() == lines_of_the_old_system()
    assert len(lines_here()) > 100
    before = snapshot()
    take_back(run)
    assert [model.__name__ for model in TARGETS if model._default_manager.exists()] == []
    assert not LegacyBooking.objects.exclude(booking=None).exists()
    again = upgrade({**whole, "batch_size": 5_000})
    assert outcomes(again) == outcomes(run)
    assert snapshot() == before


def snapshot() -> list[Any]:
    """What matters of all bookings, without their keys."""
    return list(
        Booking.objects.order_by("legacy_rows__key").values_list(
            "legacy_rows__key",
            "lesson__session__session_id",
            "student__email",
            "status",
            "waitlist_position",
            "attendance__status",
        )
    )


@pytest.mark.slow
def test_a_sound_academy_is_carried_over_without_a_word(tmp_path: Path) -> None:
    import_academy(tmp_path, defects=0)
    run = upgrade()
    assert outcomes(run) == {"applied": sum(ROWS.values()) - ROWS["users"]}
    assert told(run) == {"unknown_project": 100}
    assert failed_checks() == {}


@pytest.mark.parametrize("step", UpgradeLessons.steps, ids=lambda step: step.__name__)
def test_a_batch_is_loaded_with_as_many_queries_however_many_rows_it_has(
    tmp_path: Path, step: type[Step]
) -> None:
    for kind in ROWS:
        path = tmp_path / f"{kind}.jsonl"
        generate_file(kind, path, rows=60, seed=11, defects=0)
        import_file(kind, path)
    run = upgrade()
    selection = Selection(step=0, touched_by=run.pk)
    rows = step.source.read(selection, KeyRange()).rows
    assert len(rows) == 60
    numbers = []
    for some in (rows[:2], rows):
        with CaptureQueriesContext(connection) as queries, transaction.atomic():
            step(UpgradeLessonsOptions()).load(some)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 10
