"""The migration end to end: files, run, verification, rollback."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from migrations_tools.exceptions import InvalidOption
from migrations_tools.selectors.summary import summarise
from migrations_tools.services.runs import start_run
from sessions_app.data_migrations.upgrade_lessons import UpgradeLessons
from sessions_app.models import (
    Attendance,
    Booking,
    Cohort,
    Feedback,
    LegacyBooking,
    LegacyLesson,
    Lesson,
    LessonProject,
    Project,
    Semester,
    Session,
)
from tests.migrations_tools.imports.importing import import_file, lines
from tests.sessions_app.data_migrations.lessons.academy import (
    LESSON,
    SEMESTER,
    actor,
    booking,
    failed_checks,
    open_academy,
    outcomes,
    rehearse,
    stage,
    take_back,
    told,
    upgrade,
)
from tests.sessions_app.lesson_factories import BookingFactory

pytestmark = pytest.mark.django_db(transaction=True)


def line() -> list[tuple[str, int | None]]:
    """The waiting list of lesson 1: legacy id and position."""
    waiting = Booking.objects.waiting().filter(lesson__session__session_id="lesson-1")
    return list(waiting.values_list("legacy_rows__key", "waitlist_position"))


def status_of(key: int) -> str:
    return str(LegacyBooking.objects.get(key=str(key)).booking.status)


def test_everything_is_carried_over_and_linked_whatever_the_order_of_imports(tmp_path: Path):
    stage(tmp_path, "lesson_projects", {"id": 1, "project_id": 7, "session_id": 1})
    stage(
        tmp_path,
        "feedback",
        {
            "id": 1,
            "user_id": 1,
            "session_id": 1,
            "rating": 4.5,
            "comment": "good",
            "created_at": "2026-02-01T13:00:00Z",
        },
    )
    stage(
        tmp_path,
        "attendance",
        {"id": 1, "booking_id": 1, "status": "PRESENT", "check_in_time": "2026-02-01T09:55:00Z"},
    )
    stage(tmp_path, "bookings", booking(1, 1))
    open_academy(tmp_path)
    run = upgrade()
    assert outcomes(run) == {"applied": 7}
    assert told(run) == {"unknown_project": 1}
    lesson = Lesson.objects.get()
    assert lesson.session.session_id == "lesson-1"
    assert LegacyLesson.objects.get().lesson == lesson
    assert lesson.semester == Semester.objects.get(code="SPRING")
    assert lesson.cohort == Cohort.objects.get(name="U15")
    assert lesson.instructor == lesson.semester.master_instructor
    made = Booking.objects.get()
    assert (made.lesson, made.student.email, made.status) == (lesson, "p1@example.com", "confirmed")
    attendance = Attendance.objects.get()
    assert (attendance.booking, attendance.status) == (made, "present")
    assert attendance.checked_in_at == datetime(2026, 2, 1, 9, 55, tzinfo=UTC)
    feedback = Feedback.objects.get()
    assert (feedback.lesson, feedback.student) == (lesson, made.student)
    assert (str(feedback.rating), feedback.comment) == ("4.50", "good")
    project = LessonProject.objects.get()
    assert (project.lesson, project.project, project.project_ref) == (lesson, None, "7")
    assert Session.history.get().history_change_reason == f"run {run.pk}"
    assert failed_checks() == {}


def test_csv_files_say_the_same(tmp_path: Path):
    open_academy(tmp_path, id=5)
    path = tmp_path / "lessons.csv"
    path.write_text(
        "id,title,date_start,date_end,mode,semester_id,capacity,credit_cost\n"
        "6,Dribbling,2026-02-02 10:00:00,2026-02-02 11:00:00,offline,1.0,12,0\n"
    )
    call_command("import_legacy", "lessons", str(path))
    array = tmp_path / "bookings.json"
    array.write_text(json.dumps([booking(1, 1, session_id="6")]))
    call_command("import_legacy", "bookings", str(array))
    assert told(upgrade()) == {}
    made = Booking.objects.get().lesson
    assert (made.session.session_id, made.capacity, made.credit_cost) == ("lesson-6", 12, 0)
    assert failed_checks() == {}


@pytest.mark.parametrize("null", ["NULL", "null", r"\N", ""])
def test_null_in_a_csv_file_is_nothing_in_any_column(tmp_path: Path, null: str):
    def csv_file(kind: str, text: str) -> None:
        path = tmp_path / f"{kind}.csv"
        path.write_text(text.replace("~", null))
        call_command("import_legacy", kind, str(path))

    csv_file(
        "users", "id,name,role,is_active,specialization,credit_balance\n1,Null Reader,~,~,~,~\n"
    )
    csv_file(
        "semesters", "id,code,name,start_date,status,master_instructor_id\n1,S,~,~,ongoing,~\n"
    )
    csv_file(
        "lessons",
        "id,title,description,date_start,date_end,mode,session_type,capacity,meeting_link,"
        "semester_id,group_id,instructor_id,credit_cost,session_status,location,created_at\n"
        "1,Passing,~,2026-02-01 10:00,2026-02-01 11:00,online,~,~,~,1,~,~,~,~,~,~\n"
        "2,~,~,2026-02-01 10:00,2026-02-01 11:00,online,~,~,~,1,~,~,~,~,~,~\n"
        "3,Null,~,2026-02-01 10:00,2026-02-01 11:00,~,~,5,~,1,~,~,0,~,~,~\n",
    )
    csv_file(
        "bookings",
        "id,user_id,session_id,status,waitlist_position,cancelled_at,created_at\n1,1,1,~,~,~,~\n",
    )
    csv_file("attendance", "id,booking_id,user_id,session_id,status\n1,~,1,1,present\n")
    assert told(upgrade()) == {
        "missing_capacity": 1, "missing_credit_cost": 1, "missing_delivery": 1,
        "blank_title": 1, "pending_booking": 1,
    }  # fmt: skip
    lesson = Lesson.objects.get(session__session_id="lesson-1")
    assert (lesson.session.status, lesson.delivery, lesson.capacity) == ("scheduled", "virtual", 20)
    assert (lesson.instructor, lesson.meeting_link, lesson.session.description) == (None, None, "")
    assert Session.objects.get(session_id="lesson-3").title == "Null"
    semester = lesson.semester
    assert (semester.name, semester.start_date, semester.master_instructor) == ("S", None, None)
    student = Attendance.objects.get().booking.student
    assert (student.get_full_name(), student.profile.role) == ("Null Reader", "student")
    assert failed_checks() == {}


def test_bad_rows_are_set_aside_and_cost_the_others_nothing(tmp_path: Path):
    open_academy(tmp_path)
    stage(
        tmp_path,
        "lessons",
        LESSON | {"id": 2, "capacity": 0},
        LESSON | {"id": 3, "title": ""},
        LESSON | {"id": 4, "semester_id": 8},
        LESSON | {"id": 5, "title": {"en": "Passing"}},
        LESSON | {"id": 6, "meeting_link": "javascript:alert(1)"},
        {"id": 7},
    )
    stage(tmp_path, "bookings", booking(1, 1), booking(2, 1, session_id=2))
    run = upgrade()
    assert outcomes(run) == {"applied": 5, "quarantined": 6}
    assert told(run) == {
        "bad_link": 1,
        "blank_title": 2,
        "invalid_capacity": 1,
        "invalid_document": 1,
        "lesson_missing": 1,
        "semester_missing": 1,
    }
    assert failed_checks() == {}


def test_mended_rows_and_what_waited_for_them_are_carried_over_by_the_next_run(tmp_path: Path):
    open_academy(tmp_path, capacity=0)
    stage(tmp_path, "bookings", booking(1, 1))
    assert outcomes(upgrade()) == {"applied": 2, "quarantined": 2}
    stage(tmp_path, "lessons", LESSON)
    assert outcomes(upgrade()) == {"applied": 2}
    assert Booking.objects.get().lesson.capacity == 20
    assert start_run(UpgradeLessons.name, **actor()) is None


def test_a_shared_code_gets_the_id_of_the_later_semester(tmp_path: Path):
    stage(tmp_path, "semesters", SEMESTER | {"id": 10}, SEMESTER | {"id": 9})
    assert told(upgrade({"batch_size": 1})) == {"duplicate_code": 1, "unknown_instructor": 2}
    codes = Semester.objects.order_by("code").values_list("legacy_rows__key", "code")
    assert list(codes) == [("9", "SPRING"), ("10", "SPRING-10")]


@pytest.mark.parametrize(
    "codes", [("A", "\u3000A "), ("A" * 300, "A" * 400), (1.5, "1.5"), (7, " 7")]
)
def test_codes_are_compared_as_they_are_kept(tmp_path: Path, codes: tuple[Any, Any]):
    for number, code in enumerate(codes, start=1):
        semester = {"id": number, "code": code, "status": "draft"}
        import_file("semesters", lines(tmp_path / f"{number}.jsonl", semester))
    summary = told(upgrade({"batch_size": 1}))
    assert summary.pop("shortened", 0) in (0, 2)
    assert summary == {"duplicate_code": 1}
    assert Semester.objects.count() == 2


# ------------------------------------------------------------------------- what other rows decide


@pytest.mark.parametrize("batch_size", [1, 2, 1000])
def test_of_several_active_bookings_the_earliest_stays(tmp_path: Path, batch_size: int):
    open_academy(tmp_path)
    stage(
        tmp_path,
        "bookings",
        booking(1, 1, created_at="2026-01-09T08:00:00Z"),
        booking(2, 1, "waitlisted", created_at="2026-01-05T08:00:00Z"),
        booking(3, 1, "cancelled", created_at="2026-01-01T08:00:00Z"),
        booking(4, 1, created_at=None),
        booking(5, 2),
    )
    run = upgrade({"batch_size": batch_size})
    assert told(run) == {"duplicate_booking": 2}
    assert [status_of(key) for key in range(1, 6)] == [
        "cancelled",
        "waitlisted",
        "cancelled",
        "cancelled",
        "confirmed",
    ]
    assert line() == [("2", 1)]
    assert failed_checks() == {}


@pytest.mark.parametrize("batch_size", [1, 1000])
def test_waiting_lists_are_numbered_anew(tmp_path: Path, batch_size: int):
    open_academy(tmp_path, capacity=1)
    stage(
        tmp_path,
        "bookings",
        booking(1, 1),
        booking(2, 2, "waitlisted", waitlist_position=7, created_at="2026-01-09T00:00:00Z"),
        booking(3, 3, "waitlisted", waitlist_position=7, created_at="2026-01-08T00:00:00Z"),
        booking(4, 4, "waitlisted", waitlist_position=-2),
        booking(5, 5, "waitlisted", waitlist_position=None),
        booking(6, 6, "pending", waitlist_position=1),
        booking(7, 7, "waitlisted", waitlist_position="second"),
        booking(8, 8, "pending", created_at="2026-01-01T00:00:00Z"),
    )
    run = upgrade({"batch_size": batch_size})
    assert told(run) == {"pending_booking": 2}
    assert line() == [("4", 1), ("3", 2), ("2", 3), ("5", 4), ("7", 5), ("8", 6), ("6", 7)]
    assert failed_checks() == {}


def test_bookings_beyond_the_capacity_stay_confirmed(tmp_path: Path):
    open_academy(tmp_path, capacity=2)
    stage(
        tmp_path,
        "bookings",
        booking(1, 1, created_at="2026-01-09T00:00:00Z"),
        booking(2, 2),
        booking(3, 2),  # repeats: takes no seat
        booking(4, 3),
        booking(5, 66),  # of nobody: takes no seat
        booking(6, 5, ["confirmed"]),  # of no shape: takes no seat
        booking(7, 4, "waitlisted"),
    )
    run = upgrade()
    codes = {problem["key"]: problem["code"] for problem in problems(run)}
    assert codes == {
        "1": "overbooked",
        "3": "duplicate_booking",
        "5": "student_missing",
        "6": "invalid_document",
    }
    assert Booking.objects.confirmed().count() == 3
    assert line() == [("7", 1)]
    assert failed_checks() == {}


def problems(run: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = summarise(run)["problems"]
    return found


@pytest.mark.parametrize("batch_size", [1, 1000])
def test_the_newest_attendance_of_a_booking_counts(tmp_path: Path, batch_size: int):
    open_academy(tmp_path)
    stage(tmp_path, "bookings", booking(1, 1), booking(2, 2), booking(3, 3))
    stage(
        tmp_path,
        "attendance",
        {"id": 1, "booking_id": 1, "status": "late", "check_in_time": "2026-02-01T10:05:00Z"},
        {"id": 2, "booking_id": 1, "status": "present", "check_in_time": "2026-02-01T09:50:00Z"},
        {"id": 3, "booking_id": 1, "status": "absent"},
        {"id": 4, "booking_id": 1, "status": "asleep", "check_in_time": "2026-02-01T11:00:00Z"},
        {"id": 9, "booking_id": 2, "status": "excused"},
        {"id": 10, "booking_id": None, "user_id": 2, "session_id": 1, "status": "absent"},
        {"id": 11, "booking_id": 99, "status": "present"},
        {"id": 12, "user_id": 5, "session_id": 1, "status": "present"},
        {"id": 13, "booking_id": 3, "status": None},
    )
    run = upgrade({"batch_size": batch_size})
    assert told(run) == {
        "booking_missing": 2,
        "older_attendance": 3,
        "several_attendance": 2,
        "unknown_status": 2,
    }
    found = Attendance.objects.order_by("legacy_rows__key")
    assert list(found.values_list("legacy_rows__key", "status")) == [
        ("1", "late"),
        ("10", "absent"),
    ]
    assert failed_checks() == {}


@pytest.mark.parametrize("batch_size", [1, 1000])
def test_the_newest_feedback_of_a_person_counts(tmp_path: Path, batch_size: int):
    def feedback(number: int, person: int, rating: Any, **values: Any) -> dict[str, Any]:
        return {"id": number, "user_id": person, "session_id": 1, "rating": rating} | values

    open_academy(tmp_path)
    stage(
        tmp_path,
        "feedback",
        feedback(1, 1, 3, created_at="2026-02-02T10:00:00Z"),
        feedback(2, 1, "4.5", created_at="2026-02-01T10:00:00Z"),
        feedback(3, 1, 6, created_at="2026-02-03T10:00:00Z"),
        feedback(4, 2, 1.0),
        feedback(5, 3, "0.5"),
        feedback(6, 4, None),
        feedback(7, 77, 5),
        feedback(8, 5, 5, session_id=9),
        feedback(9, 6, "good"),
    )
    run = upgrade({"batch_size": batch_size})
    assert told(run) == {
        "invalid_rating": 4,
        "lesson_missing": 1,
        "older_feedback": 1,
        "several_feedback": 1,
        "student_missing": 1,
    }
    found = Feedback.objects.order_by("legacy_rows__key").values_list("legacy_rows__key", "rating")
    assert [(key, str(rating)) for key, rating in found] == [("1", "3.00"), ("4", "1.00")]
    assert failed_checks() == {}


def test_projects_of_lessons_are_found_or_named(tmp_path: Path):
    project = Project.objects.create(name="Derby")
    open_academy(tmp_path)
    stage(
        tmp_path,
        "lesson_projects",
        {"id": 1, "project_id": str(project.pk).upper(), "session_id": 1, "is_required": True},
        {"id": 2, "project_id": 7, "session_id": 1},
        {"id": 10, "project_id": "7", "session_id": 1},
        {"id": 4, "project_id": None, "session_id": 1},
        {"id": 5, "project_id": 8, "session_id": 2},
    )
    run = upgrade()
    assert told(run) == {
        "lesson_missing": 1,
        "project_missing": 1,
        "repeated_project": 1,
        "unknown_project": 1,
    }
    made = LessonProject.objects.order_by("pk").values_list("project", "project_ref", "is_required")
    assert list(made) == [(project.pk, str(project.pk).upper(), True), (None, "7", False)]


# ---------------------------------------------------------------------------------- later imports


def test_new_bookings_join_the_line_and_what_was_decided_stays(tmp_path: Path):
    open_academy(tmp_path, capacity=1)
    stage(
        tmp_path,
        "bookings",
        booking(1, 1),
        booking(2, 2, "waitlisted", waitlist_position=5),
        booking(3, 3, "pending"),
    )
    upgrade()
    lesson = Lesson.objects.get()
    joined = BookingFactory.create(lesson=lesson, status="waitlisted", waitlist_position=3)
    stage(
        tmp_path,
        "bookings",
        booking(4, 4, "waitlisted", waitlist_position=6),
        booking(5, 1, created_at="2025-12-01T00:00:00Z"),  # earlier, but the seat is given
        booking(1, 1),
    )
    run = upgrade()
    assert outcomes(run) == {"applied": 2}
    assert told(run) == {"duplicate_booking": 1}
    assert line() == [("2", 1), ("4", 2), ("3", 3), (None, 4)]
    joined.refresh_from_db()
    assert joined.waitlist_position == 4
    assert failed_checks() == {}
    assert start_run(UpgradeLessons.name, **actor()) is None
    take_back(run)
    assert line() == [("2", 1), ("3", 2), (None, 3)]
    assert failed_checks() == {}


def test_a_row_that_changed_after_it_was_carried_over_is_a_conflict(tmp_path: Path):
    open_academy(tmp_path)
    stage(tmp_path, "bookings", booking(1, 1))
    upgrade()
    stage(tmp_path, "lessons", LESSON | {"title": "Shooting", "capacity": 5})
    stage(tmp_path, "bookings", booking(1, 1, "cancelled"))
    stage(tmp_path, "semesters", SEMESTER | {"remark": "of no importance"})
    run = upgrade()
    assert outcomes(run) == {"unchanged": 1, "conflict": 2}
    assert told(run) == {"changed_after_migration": 2}
    details = {problem["detail"] for problem in problems(run)}
    assert any("title: “Shooting” in the row, “Passing” here" in detail for detail in details)
    lesson = Lesson.objects.get()
    assert (lesson.session.title, lesson.capacity) == ("Passing", 20)
    assert status_of(1) == "confirmed"
    stage(tmp_path, "lessons", LESSON)
    stage(tmp_path, "bookings", booking(1, 1))
    assert start_run(UpgradeLessons.name, **actor()) is None


def test_what_a_row_does_not_say_is_not_compared(tmp_path: Path):
    open_academy(tmp_path, created_at=None)
    rating = {"id": 1, "user_id": 1, "session_id": 1, "rating": 4}
    stage(tmp_path, "bookings", booking(1, 1, created_at=None))
    stage(tmp_path, "feedback", rating)
    upgrade()
    stage(tmp_path, "lessons", LESSON | {"created_at": None, "note": "exported anew"})
    stage(tmp_path, "bookings", booking(1, 1, created_at="", note="exported anew"))
    stage(tmp_path, "feedback", rating | {"note": "exported anew"})
    assert outcomes(upgrade()) == {"unchanged": 3}
    stage(tmp_path, "bookings", booking(1, 1, created_at="2020-01-01"))
    assert told(upgrade()) == {"changed_after_migration": 1}


def test_what_people_deleted_is_no_failure(tmp_path: Path):
    open_academy(tmp_path)
    upgrade()
    lesson = Lesson.objects.get()
    session = lesson.session
    lesson.delete()
    session.delete()
    assert failed_checks() == {}
    stage(tmp_path, "lessons", LESSON | {"title": "Shooting"})
    assert told(upgrade()) == {"changed_after_migration": 1}


# --------------------------------------------------------------------------------------- time zone


def test_naive_times_are_those_of_the_named_zone(tmp_path: Path):
    open_academy(tmp_path, date_start="2026-03-28T10:00:00", date_end="2026-03-28T11:00:00")
    stage(
        tmp_path,
        "lessons",
        LESSON | {"id": 2, "date_start": "2026-03-29T02:30:00", "date_end": "2026-03-29T04:00:00"},
        LESSON | {"id": 3, "date_start": "2026-03-30T10:00:00", "date_end": "2026-03-30T11:00:00"},
    )
    run = upgrade(source_tz="Europe/Budapest")
    assert told(run) == {"nonexistent_time": 1}
    starts = Lesson.objects.order_by("session__session_id").values_list("starts_at", flat=True)
    assert list(starts) == [
        datetime(2026, 3, 28, 9, tzinfo=UTC),
        datetime(2026, 3, 29, 1, 30, tzinfo=UTC),
        datetime(2026, 3, 30, 8, tzinfo=UTC),
    ]
    assert failed_checks() == {}


def test_an_unknown_zone_is_refused(tmp_path: Path):
    open_academy(tmp_path)
    with pytest.raises(InvalidOption, match="There is no time zone “Mars/Base”"):
        upgrade(source_tz="Mars/Base")
    with pytest.raises(SystemExit):
        call_command("datamigrate", "run", "upgrade_lessons", "--source-tz", "Mars/Base")
    call_command("datamigrate", "run", "upgrade_lessons", "--source-tz", "Asia/Riyadh")
    assert Lesson.objects.count() == 1


# ---------------------------------------------------------------------------------------- rollback


def test_a_rollback_takes_everything_back_but_what_people_changed(tmp_path: Path):
    open_academy(tmp_path, capacity=1)
    stage(tmp_path, "lessons", LESSON | {"id": 2, "title": "Shooting"})
    stage(
        tmp_path,
        "bookings",
        booking(1, 1),
        booking(2, 2, "waitlisted", waitlist_position=4),
        booking(3, 3, session_id=2),
    )
    run = upgrade()
    edited = Lesson.objects.get(session__session_id="lesson-2")
    edited.location = "Hall 3"
    edited.save()
    rollback = take_back(run)
    kept = {entry["key"] for entry in problems(rollback)}
    assert kept == {"1", "2"}  # lesson 2, and its semester and cohort, both 1
    assert list(Lesson.objects.values_list("location", flat=True)) == ["Hall 3"]
    assert not Booking.objects.exists()
    assert LegacyLesson.objects.get(key="2").lesson == edited
    assert LegacyLesson.objects.get(key="1").lesson is None
    forced = take_back(run, force=True)
    assert outcomes(forced)["restored"] >= 3
    assert not Session.objects.exists()
    assert not Semester.objects.exists()


def test_a_dry_run_tells_what_the_run_does_and_keeps_nothing(tmp_path: Path):
    open_academy(tmp_path, capacity=1)
    stage(tmp_path, "bookings", booking(1, 1), booking(2, 1), booking(3, 2, "pending"))
    tried = rehearse()
    assert not Session.objects.exists()
    run = upgrade()
    assert (outcomes(tried), told(tried)) == (outcomes(run), told(run))
