"""Rows of the old session systems, as exported, and what they became."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from migrations_tools.admin.base import ReadOnly
from migrations_tools.templatetags.comparing import compare_link
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


class StagedRowAdmin(ReadOnly):
    """``migration`` and ``step`` say which keys the rows are of."""

    migration: ClassVar[str]
    step: ClassVar[int] = 0
    list_filter = ["staged_at"]
    search_fields = ["=key"]
    readonly_fields = ["in_both_systems"]
    # the line says what the document says
    exclude = ["line"]

    @admin.display(description=_("in both systems"))
    def in_both_systems(self, row: Any) -> SafeString | str:
        return compare_link(self.migration, self.step, self.key_of(row)) or "–"

    def key_of(self, row: Any) -> str:
        return str(row.key)


@admin.register(LegacyCollaborationRow)
class LegacyCollaborationRowAdmin(StagedRowAdmin):
    """Facts of membership; those of one session are carried over together."""

    migration = "normalize_collaboration_sessions"
    list_display = ["key", "session_key", "staged_at", "in_both_systems"]
    search_fields = ["=key", "=session_key"]

    def key_of(self, row: LegacyCollaborationRow) -> str:
        return row.session_key


class AcademyRowAdmin(StagedRowAdmin):
    """Rows of the training academy."""

    migration = "upgrade_lessons"


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
