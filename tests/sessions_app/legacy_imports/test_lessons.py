"""Files of the academy are staged whatever is in them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sessions_app.legacy_imports.lessons import legacy_id
from sessions_app.models import (
    LegacyAttendance,
    LegacyBooking,
    LegacyFeedback,
    LegacyIdentity,
    LegacyLesson,
    LegacyLessonProject,
)
from tests.migrations_tools.imports.importing import counts, import_file, lines

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, "5"), ("5", "5"), (" 5 ", "5"), ("5.0", "5"), (5.0, "5"), (Decimal("5.00"), "5"),
        ("a-5", "a-5"), ("5.5", "5.5"), (5.5, "5.5"), (None, None), ("", None), ("  ", None),
        (True, None), ([5], None),
        ("1.x", "1.x"), (float("inf"), "inf"), (Decimal("1e999999"), "1E+999999"),
        ("a\x00b", "a\ufffdb"),
    ],
)  # fmt: skip
def test_references_are_written_like_the_keys_they_name(value: Any, expected: str | None) -> None:
    assert legacy_id(value) == expected


def test_a_row_is_kept_verbatim_and_found_by_what_it_refers_to(tmp_path: Path) -> None:
    text = '{"id": 7, "user_id": 3, "session_id": "5.0", "status": null, "note": "x"}'
    assert counts(import_file("bookings", lines(tmp_path / "b.jsonl", text))) == (1, 0, 0, 0)
    row = LegacyBooking.objects.get()
    assert (row.key, row.lesson_key, row.student_key) == ("7", "5", "3")
    assert row.line == text
    assert row.document == json.loads(text)


@pytest.mark.parametrize("shape", ["json", "csv"])
def test_ids_are_written_like_the_references_to_them(tmp_path: Path, shape: str) -> None:
    given = [Decimal("7.0"), " 8 ", "9", "a-1", Decimal("4.5")]
    path = tmp_path / f"export.{shape}"
    if shape == "csv":
        path.write_text("id,name\n" + "".join(f"{number},x\n" for number in given))
    else:
        ids = [number if isinstance(number, Decimal) else f'"{number}"' for number in given]
        path.write_text("".join(f'{{"id": {number}, "name": "x"}}\n' for number in ids))
    keys = ["4.5", "7", "8", "9", "a-1"]
    for kind in ("lessons", "users"):
        assert counts(import_file(kind, path)) == (5, 0, 0, 0)
        assert counts(import_file(kind, path)) == (0, 0, 5, 0)
    assert sorted(LegacyLesson.objects.values_list("key", flat=True)) == keys
    known = LegacyIdentity.objects.filter(kind="users").values_list("legacy_id", flat=True)
    assert sorted(known) == keys


def test_references_of_the_other_kinds(tmp_path: Path) -> None:
    values = {"id": 1, "booking_id": 2, "user_id": 3, "session_id": 4, "project_id": 5}
    for kind in ("attendance", "feedback", "lesson_projects"):
        import_file(kind, lines(tmp_path / f"{kind}.jsonl", values))
    attendance = LegacyAttendance.objects.get()
    assert (attendance.booking_key, attendance.lesson_key, attendance.student_key) == (
        "2",
        "4",
        "3",
    )
    feedback = LegacyFeedback.objects.get()
    assert (feedback.lesson_key, feedback.student_key) == ("4", "3")
    project = LegacyLessonProject.objects.get()
    assert (project.lesson_key, project.project_key) == ("4", "5")


@pytest.mark.parametrize("shape", ["lines", "array", "csv"])
def test_every_format_gives_the_same_keys_and_the_same_file_changes_nothing(
    tmp_path: Path, shape: str
) -> None:
    path = tmp_path / f"export.{'csv' if shape == 'csv' else 'json'}"
    rows = [{"id": 1, "title": "A"}, {"id": 2, "title": "B"}]
    if shape == "csv":
        path.write_text("id,title\n1,A\n2,B\n")
    elif shape == "array":
        path.write_text(json.dumps(rows))
    else:
        lines(path, *rows)
    assert counts(import_file("lessons", path)) == (2, 0, 0, 0)
    assert counts(import_file("lessons", path)) == (0, 0, 2, 0)
    assert sorted(LegacyLesson.objects.values_list("key", flat=True)) == ["1", "2"]


def test_what_is_no_object_is_rejected_alone(tmp_path: Path) -> None:
    path = lines(tmp_path / "l.jsonl", {"id": 1, "title": ["odd"]}, [1], "{broken", {"id": 2})
    legacy_import = import_file("lessons", path)
    assert counts(legacy_import) == (2, 0, 0, 2)
    rejected = legacy_import.rejected_lines.order_by("line").values_list("line", "code")
    assert list(rejected) == [(2, "not_an_object"), (3, "invalid_json")]


def test_people_are_remembered_under_their_own_kind(tmp_path: Path) -> None:
    person = {"id": 3, "name": "Ann One", "role": "instructor", "credit_balance": 4}
    import_file("users", lines(tmp_path / "users.jsonl", person))
    account = LegacyIdentity.objects.get(kind="users", legacy_id="3").user
    assert (account.profile.role, account.profile.credit_balance) == ("instructor", 4)
