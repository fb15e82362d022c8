"""What a row of a lesson becomes, rule by rule (lessons.md "Migration")."""

from datetime import UTC, datetime

import pytest

from migrations_tools.definitions import Insert, Reject
from sessions_app.models import Session
from tests.sessions_app.data_migrations.lessons.academy import (
    STAGED_AT,
    applied,
    inserted,
    transform_lesson,
    warnings,
)


def session_of(outcome):
    first = applied(outcome).changes[0]
    assert isinstance(first, Insert)
    assert isinstance(first.obj, Session)
    return first.obj


def rejected(**values):
    with pytest.raises(Reject) as refused:
        transform_lesson(**values)
    return refused.value.code


def test_a_sound_row_becomes_a_session_with_its_lesson():
    outcome = transform_lesson()
    session, lesson = session_of(outcome), inserted(outcome)
    assert (session.session_id, session.kind, session.status) == (
        "lesson-1",
        "lesson",
        "scheduled",
    )
    assert (session.title, session.description) == ("Passing", "Under pressure")
    assert session.created_at == session.updated_at == datetime(2026, 1, 15, 8, tzinfo=UTC)
    assert (lesson.semester_id, lesson.cohort_id, lesson.instructor_id) == (11, 21, 109)
    assert (lesson.delivery, lesson.capacity, lesson.credit_cost) == ("virtual", 20, 2)
    assert lesson.starts_at == datetime(2026, 2, 1, 10, tzinfo=UTC)
    assert lesson.ends_at == datetime(2026, 2, 1, 11, 30, tzinfo=UTC)
    assert lesson.meeting_link == "https://meet.example.com/a?b=c"
    assert (lesson.target_specialization, lesson.open_to_all) == ("player", False)
    assert (lesson.sport_type, lesson.level, lesson.location) == ("football", "beginner", "")
    assert warnings(outcome) == []


@pytest.mark.parametrize(
    ("mode", "session_type", "delivery", "warned"),
    [
        ("offline", None, "on_site", []),
        ("online", "", "virtual", []),
        ("hybrid", "  ", "hybrid", []),
        ("Online", None, "virtual", []),
        ("offline", "virtual", "virtual", []),  # never over a value
        ("online", "on_site", "on_site", []),
        ("online", "On-Site", "on_site", []),
        (None, "hybrid", "hybrid", []),
        (None, None, "on_site", ["missing_delivery"]),
        ("", "", "on_site", ["missing_delivery"]),
        ("telepathy", None, "on_site", ["unknown_delivery"]),
        ("online", "telepathy", "on_site", ["unknown_delivery"]),
    ],
)
def test_the_mode_counts_only_where_there_is_no_session_type(mode, session_type, delivery, warned):
    outcome = transform_lesson(mode=mode, session_type=session_type, meeting_link=None)
    assert inserted(outcome).delivery == delivery
    assert warnings(outcome) == warned


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "https://",
        "http:///room",
        "https://meet.example.com/a b",
        "https://exa mple.com",
        "meet.example.com/a",
        "ftp://meet.example.com/a",
        "data:text/html,hi",
        "https://meet.example.com/a\nSet-Cookie: x",
        "https://meet.example.com/" + "a" * 2000,
        "https://meet\u3000room.example.com/a",
        12,
    ],
)
@pytest.mark.parametrize("mode", ["online", "offline"])
def test_a_link_that_is_no_web_address_is_none(link, mode):
    outcome = transform_lesson(meeting_link=link, mode=mode)
    assert inserted(outcome).meeting_link is None
    assert warnings(outcome) == ["bad_link"]


@pytest.mark.parametrize("mode", ["offline", "hybrid"])
def test_a_link_is_for_virtual_lessons_only(mode):
    outcome = transform_lesson(mode=mode)
    assert inserted(outcome).meeting_link is None
    assert warnings(outcome) == ["link_not_virtual"]


@pytest.mark.parametrize("link", [None, "", "   "])
def test_no_link_is_no_fault(link):
    outcome = transform_lesson(meeting_link=link)
    assert inserted(outcome).meeting_link is None
    assert warnings(outcome) == []


def test_missing_numbers_have_defaults_and_warnings():
    outcome = transform_lesson(capacity=None, credit_cost="")
    assert (inserted(outcome).capacity, inserted(outcome).credit_cost) == (20, 1)
    assert warnings(outcome) == ["missing_capacity", "missing_credit_cost"]


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"capacity": 0}, "invalid_capacity"),
        ({"capacity": -5}, "invalid_capacity"),
        ({"capacity": "many"}, "invalid_capacity"),
        ({"capacity": 12.5}, "invalid_capacity"),
        ({"capacity": 10**12}, "invalid_capacity"),
        ({"credit_cost": -1}, "invalid_credit_cost"),
        ({"credit_cost": "1.5"}, "invalid_credit_cost"),
        ({"title": None}, "blank_title"),
        ({"title": " \t "}, "blank_title"),
        ({"title": ["a"]}, "invalid_document"),
        ({"date_end": "2026-02-01T10:00:00Z"}, "end_before_start"),
        ({"date_end": "2026-02-01T09:59:59Z"}, "end_before_start"),
        ({"date_start": None}, "missing_time"),
        ({"date_end": "soon"}, "invalid_time"),
        ({"semester_id": None}, "semester_missing"),
        ({"semester_id": 99}, "semester_missing"),
        ({"id": 77}, "session_id_taken"),
    ],
)
def test_what_cannot_be_mended_is_set_aside(values, code):
    assert rejected(**values) == code


def test_zero_credits_are_a_price():
    assert inserted(transform_lesson(credit_cost=0)).credit_cost == 0


@pytest.mark.parametrize(
    ("status", "expected", "warned"),
    [
        (None, "scheduled", []),
        ("SCHEDULED", "scheduled", []),
        ("in_progress", "active", []),
        ("In Progress", "active", []),
        ("completed", "completed", []),
        ("Cancelled", "cancelled", []),
        ("postponed", "scheduled", ["unknown_status"]),
    ],
)
def test_status_words(status, expected, warned):
    outcome = transform_lesson(session_status=status)
    assert session_of(outcome).status == expected
    assert warnings(outcome) == warned


@pytest.mark.parametrize(
    ("start", "end", "warned"),
    [
        ("2026-01-01T00:00", "2026-01-01T01:00", []),  # both days are inside
        ("2026-06-30T22:00", "2026-06-30T23:59", []),
        ("2025-12-31T23:00", "2026-01-01T01:00", ["outside_semester"]),
        ("2026-06-30T23:00", "2026-07-01T00:30", ["outside_semester"]),
    ],
)
def test_a_lesson_outside_its_semester_is_kept_with_a_warning(start, end, warned):
    outcome = transform_lesson("Europe/Budapest", date_start=start, date_end=end)
    assert warnings(outcome) == warned


@pytest.mark.parametrize(
    ("group", "cohort", "warned"),
    [(1, 21, []), ("1.0", 21, []), (2, None, ["foreign_cohort"]), (5, None, ["unknown_cohort"])],
)
def test_a_cohort_of_another_semester_is_left_out(group, cohort, warned):
    outcome = transform_lesson(group_id=group)
    assert inserted(outcome).cohort_id == cohort
    assert warnings(outcome) == warned


def test_an_unknown_instructor_is_left_out():
    outcome = transform_lesson(instructor_id=5)
    assert inserted(outcome).instructor_id is None
    assert warnings(outcome) == ["unknown_instructor"]


def test_without_a_time_of_its_own_the_session_has_that_of_the_import():
    assert session_of(transform_lesson(created_at=None)).created_at == STAGED_AT
    unreadable = transform_lesson(created_at="long ago")
    assert session_of(unreadable).created_at == STAGED_AT
    assert warnings(unreadable) == ["bad_time"]


def test_naive_times_are_read_in_the_zone_of_the_old_system():
    outcome = transform_lesson(
        "Europe/Budapest", date_start="2026-03-30T10:00:00", date_end="2026-03-30T11:00:00"
    )
    assert inserted(outcome).starts_at == datetime(2026, 3, 30, 8, tzinfo=UTC)
    assert inserted(outcome).ends_at == datetime(2026, 3, 30, 9, tzinfo=UTC)


def test_a_mixed_lesson_is_open_to_all():
    assert inserted(transform_lesson(mixed_specialization="true")).open_to_all is True
    assert inserted(transform_lesson(mixed_specialization=None)).open_to_all is False
