"""Rows of the old session systems, as exported, and what they became."""

from __future__ import annotations

from django.contrib import admin

from migrations_tools.admin.staged import StagedRowAdmin
from sessions_app.models import (
    LegacyAttendance,
    LegacyBooking,
    LegacyCohort,
    LegacyCollaborationRow,
    LegacyFeedback,
    LegacyLesson,
    LegacyLessonProject,
    LegacySemester,
)


@admin.register(LegacyCollaborationRow)
class LegacyCollaborationRowAdmin(StagedRowAdmin):
    """Facts of membership; those of one session are carried over together."""

    migration = "normalize_collaboration_sessions"
    exclude = ["line"]  # says what the document says
    list_display = ["key", "session_key", "staged_at", "in_both_systems"]
    search_fields = ["=key", "=session_key"]

    def key_of(self, row: LegacyCollaborationRow) -> str:
        return row.session_key


class AcademyRowAdmin(StagedRowAdmin):
    """Rows of the training academy."""

    migration = "upgrade_lessons"
    exclude = ["line"]  # says what the document says


@admin.register(LegacySemester)
class LegacySemesterAdmin(AcademyRowAdmin):
    list_display = ["key", "semester", "staged_at", "in_both_systems"]
    list_filter = [("semester", admin.EmptyFieldListFilter), "staged_at"]
    list_select_related = ["semester"]


@admin.register(LegacyCohort)
class LegacyCohortAdmin(AcademyRowAdmin):
    step = 1
    list_display = ["key", "cohort", "staged_at", "in_both_systems"]
    list_filter = [("cohort", admin.EmptyFieldListFilter), "staged_at"]
    list_select_related = ["cohort__semester"]


@admin.register(LegacyLesson)
class LegacyLessonAdmin(AcademyRowAdmin):
    step = 2
    list_display = ["key", "lesson", "staged_at", "in_both_systems"]
    list_filter = [("lesson", admin.EmptyFieldListFilter), "staged_at"]
    list_select_related = ["lesson__session"]


@admin.register(LegacyBooking)
class LegacyBookingAdmin(AcademyRowAdmin):
    step = 3
    list_display = ["key", "lesson_key", "student_key", "booking_id", "in_both_systems"]
    list_filter = [("booking", admin.EmptyFieldListFilter), "staged_at"]
    search_fields = ["=key", "=lesson_key", "=student_key"]


@admin.register(LegacyAttendance)
class LegacyAttendanceAdmin(AcademyRowAdmin):
    step = 4
    list_display = ["key", "booking_key", "attendance_id", "in_both_systems"]
    list_filter = [("attendance", admin.EmptyFieldListFilter), "staged_at"]
    search_fields = ["=key", "=booking_key"]


@admin.register(LegacyFeedback)
class LegacyFeedbackAdmin(AcademyRowAdmin):
    step = 5
    list_display = ["key", "lesson_key", "student_key", "feedback_id", "in_both_systems"]
    list_filter = [("feedback", admin.EmptyFieldListFilter), "staged_at"]
    search_fields = ["=key", "=lesson_key", "=student_key"]


@admin.register(LegacyLessonProject)
class LegacyLessonProjectAdmin(AcademyRowAdmin):
    step = 6
    list_display = ["key", "lesson_key", "project_key", "lesson_project_id", "in_both_systems"]
    list_filter = [("lesson_project", admin.EmptyFieldListFilter), "staged_at"]
    search_fields = ["=key", "=lesson_key", "=project_key"]
