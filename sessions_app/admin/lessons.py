"""The training academy around its lessons (`lesson_pages`): what people did is read-only."""

from __future__ import annotations

from typing import Any, ClassVar, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from migrations_tools.admin.asking import AskingAdmin
from migrations_tools.admin.base import HistoryAdmin, ReadOnly
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.lists import EmptyState, WithList
from sessions_app.admin.fields import WithTeachers
from sessions_app.admin.forms import CohortForm, QualificationForm, SemesterForm
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
from sessions_app.selectors.lessons import viewer_of
from sessions_app.selectors.lessons.staff import reader_of, run_by
from sessions_app.services.lessons.rules import leads
from sessions_app.services.registers import remove_row
from sessions_app.services.semesters import delete_cohort, delete_semester


@admin.register(Semester)
class SemesterAdmin(WithList, AskingAdmin, WithTeachers, ExportMixin, HistoryAdmin):
    """Made and changed by admins of the academy, as on the API."""

    form = SemesterForm
    empty_state = EmptyState(
        title=gettext_lazy("No semester is here yet"),
        text=gettext_lazy(
            "Add one, or import what the academy has exported and run the migration. Lessons are "
            "given in semesters."
        ),
        link=gettext_lazy("Add a semester"),
        page="sessions_app_semester_add",
        permission="sessions_app.add_semester",
    )
    list_display = ["code", "name", "status", "start_date", "end_date", "master_instructor"]
    list_filter = ["status", "start_date"]
    list_select_related = ["master_instructor"]
    search_fields = ["code", "name", "venue", "city"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and _is_admin(request)

    def has_change_permission(self, request: HttpRequest, obj: Semester | None = None) -> bool:
        return super().has_change_permission(request, obj) and _is_admin(request)

    def has_delete_permission(self, request: HttpRequest, obj: Semester | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _is_admin(request)

    def remove(self, obj: Semester, **by: Any) -> None:
        delete_semester(obj.pk, **by)


@admin.register(Cohort)
class CohortAdmin(AskingAdmin, ExportMixin, HistoryAdmin):
    """Made and changed by the semester's master instructor and admins of the academy."""

    form = CohortForm
    list_display = ["name", "semester"]
    list_select_related = ["semester"]
    search_fields = ["name", "semester__code", "semester__name"]

    def get_readonly_fields(self, request: HttpRequest, obj: Cohort | None = None) -> list[str]:
        return [] if obj is None else ["semester"]

    def has_change_permission(self, request: HttpRequest, obj: Cohort | None = None) -> bool:
        return super().has_change_permission(request, obj) and _leads(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Cohort | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _leads(request, obj)

    def remove(self, obj: Cohort, **by: Any) -> None:
        delete_cohort(obj, **by)


@admin.register(InstructorQualification)
class InstructorQualificationAdmin(AskingAdmin, WithTeachers, ExportMixin, HistoryAdmin):
    form = QualificationForm
    list_display = ["instructor", "specialization", "is_active", "granted_at"]
    list_filter = ["is_active"]
    list_select_related = ["instructor"]
    search_fields = ["instructor__username", "specialization"]

    def remove(self, obj: InstructorQualification, **by: Any) -> None:
        remove_row(InstructorQualification, obj.pk, **by)


def _is_admin(request: HttpRequest) -> bool:
    return viewer_of(cast(User, request.user)).is_admin


def _leads(request: HttpRequest, cohort: Cohort | None) -> bool:
    viewer = viewer_of(cast(User, request.user))
    return viewer.is_admin or cohort is None or leads(cohort.semester, viewer)


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
