"""Staged rows of the training academy, verbatim (lessons.md "Migration")."""

from __future__ import annotations

from typing import Any

from django.db import models

from migrations_tools.models import StagedRow
from sessions_app.models.lessons.booking import Booking
from sessions_app.models.lessons.lesson import Lesson, LessonProject
from sessions_app.models.lessons.records import Attendance, Feedback
from sessions_app.models.lessons.semester import Cohort, Semester


class AcademyRow(StagedRow):
    """One row of a legacy table. ``key`` is its legacy id, ``line`` the text as exported and
    ``document`` the same as JSON, so that a missing column and null stay different.
    """

    key = models.CharField(max_length=255, unique=True, db_collation="C")
    line = models.TextField()
    document = models.JSONField()

    class Meta:
        abstract = True
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self._meta.verbose_name} {self.key}"


def _became(target: type[models.Model], *, db_index: bool = False) -> Any:
    """What the row became. The link outlives its target: people may delete that one, and the
    record of what the run wrote stays true.
    """
    return models.ForeignKey(
        target,
        models.DO_NOTHING,
        null=True,
        blank=True,
        related_name="legacy_rows",
        db_constraint=False,
        db_index=db_index,
    )


def _legacy_id() -> models.TextField[str | None, str | None]:
    """The legacy id of another row, which may not exist."""
    return models.TextField(null=True, blank=True, db_collation="C")


class LegacySemester(AcademyRow):
    semester = _became(Semester)


class LegacyCohort(AcademyRow):
    cohort = _became(Cohort)


class LegacyLesson(AcademyRow):
    lesson = _became(Lesson)


class LegacyBooking(AcademyRow):
    """``lesson_key`` and ``student_key`` are the legacy ids of its lesson and its person."""

    lesson_key = _legacy_id()
    student_key = _legacy_id()
    booking = _became(Booking, db_index=True)

    class Meta(AcademyRow.Meta):
        indexes = [models.Index(fields=["lesson_key", "student_key"], name="legacy_booking_of")]


class LegacyAttendance(AcademyRow):
    """``booking_key`` is the legacy id of its booking. Some rows name lesson and person instead."""

    booking_key = _legacy_id()
    lesson_key = _legacy_id()
    student_key = _legacy_id()
    attendance = _became(Attendance)

    class Meta(AcademyRow.Meta):
        verbose_name_plural = "legacy attendance"
        indexes = [
            models.Index(fields=["booking_key"], name="legacy_attendance_of"),
            models.Index(fields=["lesson_key", "student_key"], name="legacy_attendance_at"),
        ]


class LegacyFeedback(AcademyRow):
    lesson_key = _legacy_id()
    student_key = _legacy_id()
    feedback = _became(Feedback)

    class Meta(AcademyRow.Meta):
        verbose_name_plural = "legacy feedback"
        indexes = [models.Index(fields=["lesson_key", "student_key"], name="legacy_feedback_of")]


class LegacyLessonProject(AcademyRow):
    lesson_key = _legacy_id()
    project_key = _legacy_id()
    lesson_project = _became(LessonProject)

    class Meta(AcademyRow.Meta):
        indexes = [models.Index(fields=["lesson_key", "project_key"], name="legacy_project_of")]
