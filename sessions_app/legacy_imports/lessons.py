"""What is imported of the training academy: one kind of file for each of its tables (lessons.md).

Rows are staged whatever they refer to, so the order of the imports makes no difference.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from migrations_tools.imports.documents import DocumentTable
from migrations_tools.imports.kinds import ImportKind, Words, register
from migrations_tools.models import StagedRow
from migrations_tools.text import storable_text
from sessions_app.legacy_imports.people import PeopleTable
from sessions_app.models import (
    LegacyAttendance,
    LegacyBooking,
    LegacyCohort,
    LegacyFeedback,
    LegacyLesson,
    LegacyLessonProject,
    LegacySemester,
)

#: Kind of the people of the academy, here and in `LegacyIdentity`.
PEOPLE: Final = "users"

#: What CSV exports of its database write for NULL; JSON has a word of its own.
NULL_WORDS: Final = frozenset({"NULL", "null", r"\N"})

_HIGHEST: Final = 2**63  # above it, and for what is no number, a decimal stays as written

Derive = Callable[[Mapping[str, Any]], Any]

#: Columns that the migration reads, by kind. Others are kept in the document.
COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    "semesters": (
        "code", "name", "start_date", "end_date", "status", "is_active", "master_instructor_id",
        "location_venue", "location_city", "location_address",
    ),
    "cohorts": ("name", "semester_id"),
    "lessons": (
        "title", "description", "date_start", "date_end", "mode", "session_type", "capacity",
        "location", "meeting_link", "semester_id", "group_id", "instructor_id", "credit_cost",
        "target_specialization", "mixed_specialization", "session_status", "sport_type", "level",
        "created_at",
    ),
    "bookings": (
        "user_id", "session_id", "status", "waitlist_position", "cancelled_at", "created_at",
    ),
    "attendance": ("booking_id", "user_id", "session_id", "status", "check_in_time"),
    "feedback": ("user_id", "session_id", "rating", "comment", "created_at"),
    "lesson_projects": ("project_id", "session_id", "is_required"),
}  # fmt: skip


def legacy_id(value: Any) -> str | None:
    """The legacy id that a column names: text as the key of that row; None where it names none.

    Numbers that an export made decimal (``5.0``) are whole again.
    """
    if value is None or isinstance(value, bool | list | dict):
        return None
    if isinstance(value, float | Decimal) and _is_whole(value):
        value = int(value)
    text = storable_text(str(value)).strip()
    whole, point, rest = text.partition(".")
    if point and whole.isdigit() and not rest.strip("0"):
        text = whole
    return text or None


def _is_whole(value: float | Decimal) -> bool:
    return bool(-_HIGHEST < value < _HIGHEST) and value == int(value)


def _naming(column: str) -> Derive:
    return lambda values: legacy_id(values.get(column))


_LESSON: Final[Mapping[str, Derive]] = {"lesson_key": _naming("session_id")}
_STUDENT: Final[Mapping[str, Derive]] = {"student_key": _naming("user_id")}

#: Kind → what it holds, its model, and what is derived for finding rows by what they refer to.
_TABLES: Final[Sequence[tuple[str, Words, type[StagedRow], Mapping[str, Derive]]]] = (
    ("semesters", _("Semesters of the academy"), LegacySemester, {}),
    ("cohorts", _("Groups of semesters"), LegacyCohort, {}),
    ("lessons", _("Lessons"), LegacyLesson, {}),
    ("bookings", _("Bookings of lessons"), LegacyBooking, {**_LESSON, **_STUDENT}),
    (
        "attendance",
        _("Attendance at lessons"),
        LegacyAttendance,
        {"booking_key": _naming("booking_id"), **_LESSON, **_STUDENT},
    ),
    ("feedback", _("Ratings of lessons"), LegacyFeedback, {**_LESSON, **_STUDENT}),
    (
        "lesson_projects",
        _("Projects of lessons"),
        LegacyLessonProject,
        {**_LESSON, "project_key": _naming("project_id")},
    ),
)

register(
    ImportKind(
        name=PEOPLE,
        title=_("People of the academy"),
        what=_("Instructors and students; they become accounts that nobody can log in to."),
        group=_("Training academy"),
        tables=[PeopleTable(PEOPLE, kind=PEOPLE, profiles=True, read_id=legacy_id)],
        null_words=NULL_WORDS,
    )
)
for _kind, _title, _model, _derived in _TABLES:
    register(
        ImportKind(
            name=_kind,
            title=_title,
            what=_("One CSV or JSON file; the order in which the kinds come does not matter."),
            group=_("Training academy"),
            migration="upgrade_lessons",
            tables=[
                DocumentTable(
                    _kind,
                    _model,
                    key="key",
                    columns=COLUMNS[_kind],
                    read_id=legacy_id,
                    derived=_derived,
                )
            ],
            null_words=NULL_WORDS,
        )
    )
