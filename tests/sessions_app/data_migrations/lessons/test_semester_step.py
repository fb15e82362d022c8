"""What a row of a semester becomes."""

from datetime import date

import pytest

from migrations_tools.definitions import Reject
from sessions_app.models import SemesterStatus
from tests.sessions_app.data_migrations.lessons.academy import (
    inserted,
    transform_semester,
    warnings,
)


def test_a_sound_row_becomes_a_semester():
    outcome = transform_semester()
    semester = inserted(outcome)
    assert (semester.code, semester.name, semester.status) == ("SPRING", "Spring", "ongoing")
    assert (semester.start_date, semester.end_date) == (date(2026, 1, 1), date(2026, 6, 30))
    assert (semester.venue, semester.city, semester.address) == (
        "Hall 2",
        "Budapest",
        "Main street 1",
    )
    assert (semester.is_active, semester.master_instructor_id) == (True, 109)
    assert warnings(outcome) == []


@pytest.mark.parametrize("status", SemesterStatus.values)
def test_status_words_are_known_whatever_their_case(status):
    outcome = transform_semester(status=status.upper().replace("_", " "))
    assert inserted(outcome).status == status
    assert warnings(outcome) == []


@pytest.mark.parametrize("status", [None, "", "paused"])
def test_an_unknown_status_is_draft(status):
    outcome = transform_semester(status=status)
    assert inserted(outcome).status == "draft"
    assert warnings(outcome) == ["unknown_status"]


def test_what_is_missing_is_made_up_or_left_open():
    outcome = transform_semester(
        code=None, name="", start_date=None, end_date="soon", master_instructor_id=3
    )
    semester = inserted(outcome)
    assert (semester.code, semester.name) == ("semester-1", "semester-1")
    assert (semester.start_date, semester.end_date) == (None, None)
    assert semester.master_instructor_id is None
    assert warnings(outcome) == ["missing_code", "bad_date", "unknown_instructor"]


def test_a_semester_that_ends_before_it_starts_is_set_aside():
    with pytest.raises(Reject) as refused:
        transform_semester(end_date="2025-12-31")
    assert refused.value.code == "end_before_start"
    assert inserted(transform_semester(end_date="2026-01-01")).end_date == date(2026, 1, 1)
