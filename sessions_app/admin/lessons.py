"""The training academy around its lessons (`lesson_pages`): what people did is read-only."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest

from migrations_tools.admin.base import (
    HistoryAdmin,
    NoBulkDelete,
    ReadOnly,
    RefusedInWords,
)
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.states import Surface
from sessions_app.models import (
    Attendance,
    Booking,
    Cohort,
    CreditTransaction,
    Feedback,
    InstructorQualification,
    Lesson,
    PerformanceReview,
    Semester,
)
from sessions_app.selectors.lessons.staff import reader_of, run_by
from sessions_app.services.semesters import delete_cohort, delete_semester


@admin.register(Semester)
class SemesterAdmin(RefusedInWords, NoBulkDelete, ExportMixin, HistoryAdmin):
    list_display = ["code", "name", "status", "start_date", "end_date", "master_instructor"]
    list_filter = ["status", "start_date"]
    list_select_related = ["master_instructor"]
    search_fields = ["code", "name", "venue", "city"]
    autocomplete_fields = ["master_instructor", "assistants"]

    def delete_model(self, request: HttpRequest, obj: Semester) -> None:
        delete_semester(obj.pk, acting_user=cast(User, request.user), surface=Surface.ADMIN)


@admin.register(Cohort)
class CohortAdmin(RefusedInWords, NoBulkDelete, ExportMixin, HistoryAdmin):
    list_display = ["name", "semester"]
    list_select_related = ["semester"]
    search_fields = ["name", "semester__code", "semester__name"]
    autocomplete_fields = ["semester"]

    def delete_model(self, request: HttpRequest, obj: Cohort) -> None:
        delete_cohort(obj, acting_user=cast(User, request.user), surface=Surface.ADMIN)


@admin.register(InstructorQualification)
class InstructorQualificationAdmin(ExportMixin, HistoryAdmin):
    list_display = ["instructor", "specialization", "is_active", "granted_at"]
    list_filter = ["is_active"]
    list_select_related = ["instructor"]
    search_fields = ["instructor__username", "specialization"]
    autocomplete_fields = ["instructor"]


class OfLessons(ExportMixin, ReadOnly, HistoryAdmin):
    """What people did in lessons, to look at; instructors see it of the lessons they run.

    ``lesson_path`` leads from a row to its lesson.
    """

    lesson_path: ClassVar[str] = "lesson"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)
        reader = reader_of(cast(User, request.user))
        if reader.is_admin:
            return rows
        return rows.filter(**{f"{self.lesson_path}__in": run_by(reader).values("pk")})

    def sees_deleted(self, request: HttpRequest) -> bool:
        return reader_of(cast(User, request.user)).is_admin


@admin.register(Booking)
class BookingAdmin(OfLessons):
    list_display = ["lesson", "student", "status", "waitlist_position", "created_at"]
    list_filter = ["status", "created_at"]
    list_select_related = ["lesson__session", "student"]
    search_fields = ["=lesson__session__session_id", "lesson__session__title", "student__username"]


@admin.register(Attendance)
class AttendanceAdmin(OfLessons):
    lesson_path = "booking__lesson"
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
class FeedbackAdmin(OfLessons):
    list_display = ["lesson", "student", "rating", "created_at"]
    list_filter = ["rating"]
    list_select_related = ["lesson__session", "student"]
    search_fields = ["=lesson__session__session_id", "student__username"]


@admin.register(PerformanceReview)
class PerformanceReviewAdmin(OfLessons):
    list_display = ["lesson", "student", "reviewer", "score", "created_at"]
    list_select_related = ["lesson__session", "student", "reviewer"]
    search_fields = ["=lesson__session__session_id", "student__username"]


@admin.register(CreditTransaction)
class CreditTransactionAdmin(ExportMixin, ReadOnly):
    """Changes by `adjust_credits` on the page of a profile, and by bookings."""

    list_display = ["user", "reason", "amount", "balance_after", "created_at"]
    list_filter = ["reason", "created_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[CreditTransaction]:
        """Instructors see what bookings of the lessons they run cost, and nothing else."""
        rows: QuerySet[CreditTransaction] = super().get_queryset(request)
        reader = reader_of(cast(User, request.user))
        if reader.is_admin:
            return rows
        return rows.filter(booking__lesson__in=run_by(reader).values("pk"))
