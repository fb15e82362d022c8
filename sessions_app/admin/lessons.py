"""The training academy. Lessons change by their services; what people did is read-only."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from migrations_tools.admin.base import (
    HistoryAdmin,
    NoBulkDelete,
    ReadOnly,
    ReadOnlyInline,
    RefusedInWords,
)
from sessions_app.admin.lesson_form import LessonForm
from sessions_app.models import (
    Attendance,
    Booking,
    Cohort,
    CreditTransaction,
    Feedback,
    InstructorQualification,
    Lesson,
    LessonProject,
    PerformanceReview,
    Semester,
)
from sessions_app.models.lessons.lesson import LessonQuerySet
from sessions_app.services.lessons import delete_lesson


@admin.register(Semester)
class SemesterAdmin(HistoryAdmin):
    list_display = ["code", "name", "status", "start_date", "end_date", "master_instructor"]
    list_filter = ["status", "start_date"]
    list_select_related = ["master_instructor"]
    search_fields = ["code", "name", "venue", "city"]
    autocomplete_fields = ["master_instructor", "assistants"]


@admin.register(Cohort)
class CohortAdmin(HistoryAdmin):
    list_display = ["name", "semester"]
    list_select_related = ["semester"]
    search_fields = ["name", "semester__code", "semester__name"]
    autocomplete_fields = ["semester"]


@admin.register(InstructorQualification)
class InstructorQualificationAdmin(HistoryAdmin):
    list_display = ["instructor", "specialization", "is_active", "granted_at"]
    list_filter = ["is_active"]
    list_select_related = ["instructor"]
    search_fields = ["instructor__username", "specialization"]
    autocomplete_fields = ["instructor"]


class LessonProjectInline(ReadOnlyInline):
    model = LessonProject
    fields = ["project", "project_ref", "is_required"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LessonProject]:
        return super().get_queryset(request).select_related("project", "lesson__session")


@admin.register(Lesson)
class LessonAdmin(RefusedInWords, NoBulkDelete, HistoryAdmin):
    """Forms and deletion go through the services, as the API does: same rules, same refusals."""

    form = LessonForm
    list_display = ["session", "semester", "instructor", "delivery", "starts_at", "capacity"]
    list_filter = ["session__status", "delivery", "semester__status", "starts_at"]
    search_fields = ["session__title", "=session__session_id", "location", "semester__code"]
    autocomplete_fields = ["semester", "cohort", "instructor"]
    date_hierarchy = "starts_at"
    inlines = [LessonProjectInline]

    def get_queryset(self, request: HttpRequest) -> LessonQuerySet:
        return cast(LessonQuerySet, super().get_queryset(request)).with_relations()

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, *args, **kwargs)
        form.acting_user = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Lesson, form: Any, change: bool) -> None:
        form.carry_out()

    def delete_model(self, request: HttpRequest, obj: Lesson) -> None:
        delete_lesson(obj.session.session_id, acting_user=request.user)  # type: ignore[arg-type]  # staff


@admin.register(Booking)
class BookingAdmin(ReadOnly, HistoryAdmin):
    list_display = ["lesson", "student", "status", "waitlist_position", "created_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["lesson__session", "student"]
    search_fields = ["=lesson__session__session_id", "lesson__session__title", "student__username"]


@admin.register(Attendance)
class AttendanceAdmin(ReadOnly, HistoryAdmin):
    list_display = ["lesson", "student", "status", "checked_in_at", "marked_by"]
    list_filter = ["status"]
    list_select_related = ["booking__lesson__session", "booking__student", "marked_by"]
    search_fields = ["=booking__lesson__session__session_id", "booking__student__username"]

    @admin.display(ordering="booking__lesson")
    def lesson(self, attendance: Attendance) -> Lesson:
        return attendance.booking.lesson

    @admin.display(ordering="booking__student")
    def student(self, attendance: Attendance) -> str:
        return attendance.booking.student.get_username()


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly, HistoryAdmin):
    list_display = ["lesson", "student", "rating", "created_at"]
    list_filter = ["rating"]
    list_select_related = ["lesson__session", "student"]
    search_fields = ["=lesson__session__session_id", "student__username"]


@admin.register(PerformanceReview)
class PerformanceReviewAdmin(ReadOnly, HistoryAdmin):
    list_display = ["lesson", "student", "reviewer", "score", "created_at"]
    list_select_related = ["lesson__session", "student", "reviewer"]
    search_fields = ["=lesson__session__session_id", "student__username"]


@admin.register(CreditTransaction)
class CreditTransactionAdmin(ReadOnly):
    list_display = ["user", "reason", "amount", "balance_after", "created_at"]
    list_filter = ["reason", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
