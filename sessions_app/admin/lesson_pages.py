"""Lessons: the list with its numbers, the calendar, and a lesson with all that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from migrations_tools.admin.asking import AskingAdmin
from migrations_tools.admin.base import HistoryAdmin, NoBulkDelete, ReadOnlyInline
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.lists import EmptyState, WithList
from sessions_app.admin.fields import WithTeachers
from sessions_app.admin.lesson_calendar import calendar_page
from sessions_app.admin.lesson_form import LessonForm
from sessions_app.admin.lesson_operations import OPERATIONS
from sessions_app.admin.operations import Button, Deed, WithOperations
from sessions_app.admin.sessions import StatusFilter
from sessions_app.admin.words import badge
from sessions_app.models import (
    Booking,
    BookingStatus,
    Cohort,
    Lesson,
    LessonProject,
    SessionStatus,
)
from sessions_app.models.lessons.lesson import LessonQuerySet
from sessions_app.selectors.lessons import Viewer, is_staff_of, viewer_of, visible_to
from sessions_app.selectors.lessons.items import name_of
from sessions_app.selectors.lessons.staff import (
    bookings_of,
    feedback_of,
    reader_of,
    with_waitlist,
)
from sessions_app.selectors.lessons.statistics import LessonStatistics, statistics_of
from sessions_app.services.lessons import delete_lesson
from sessions_app.services.lessons.rules import leads


class LessonProjectInline(ReadOnlyInline):
    model = LessonProject
    fields = ["project", "project_ref", "is_required"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LessonProject]:
        return super().get_queryset(request).select_related("project", "lesson__session")


class WaitlistFilter(admin.SimpleListFilter):
    """Coming lessons that people wait for."""

    title = gettext_lazy("waitlist")
    parameter_name = "waitlist"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("coming, with people who wait"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        lessons = cast(LessonQuerySet, queryset)
        return with_waitlist(lessons, timezone.now()) if self.value() == "yes" else lessons


class LessonChangeList(ChangeList):
    """A page of lessons with their numbers, by one more query."""

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        found = statistics_of([lesson.pk for lesson in self.result_list], 0)
        for lesson in self.result_list:
            lesson.statistics = found[lesson.pk]


@dataclass(frozen=True)
class BookingRow:
    """A booking as the page of its lesson shows it; of the student the name only."""

    booking: Booking
    student: str
    attendance: Any  # Attendance, or None
    buttons: list[Button]


@admin.register(Lesson)
class LessonAdmin(
    AskingAdmin,
    WithTeachers,
    WithList,
    WithOperations,
    ExportMixin,
    NoBulkDelete,
    HistoryAdmin,
):
    """Forms, deletion and operations go through the services, as the API does: same rules, same
    refusals. Instructors see the lessons that the services let them see.
    """

    form = LessonForm
    change_form_template = "sessions_app/admin/lesson.html"
    tools = [(gettext_lazy("Calendar"), "sessions_app_lesson_calendar")]
    empty_state = EmptyState(
        title=gettext_lazy("No lesson is here yet"),
        text=gettext_lazy(
            "Import what the academy has exported and run the migration, or make a semester and "
            "add lessons to it."
        ),
        link=gettext_lazy("Semesters"),
        page="sessions_app_semester_changelist",
        permission="sessions_app.view_semester",
    )
    list_display = [
        "session",
        "state",
        "semester",
        "given_by",
        "delivery",
        "starts_at",
        "seats",
        "waiting",
        "attended",
        "rating",
    ]
    export_fields = [
        "session",
        "semester",
        "given_by",
        "delivery",
        "starts_at",
        "ends_at",
        "capacity",
        "credit_cost",
        "location",
        "target_specialization",
    ]
    list_filter = [
        StatusFilter,
        WaitlistFilter,
        "delivery",
        ("semester", admin.RelatedOnlyFieldListFilter),
        "starts_at",
    ]
    list_per_page = 50
    ordering = ["-starts_at", "-id"]
    search_fields = ["session__title", "=session__session_id", "location", "semester__code"]
    date_hierarchy = "starts_at"
    inlines = [LessonProjectInline]
    operations = OPERATIONS

    def get_queryset(self, request: HttpRequest) -> LessonQuerySet:
        seen = visible_to(reader_of(_user(request)))
        lessons = cast(LessonQuerySet, super().get_queryset(request))
        return lessons.filter(pk__in=seen.values("pk")).with_relations()

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return LessonChangeList

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Semesters and cohorts are few."""
        if db_field.name == "cohort":
            kwargs["queryset"] = Cohort.objects.order_by("semester", "name")
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Lesson | None = None) -> list[Any]:
        """The meeting link is for those who run the lesson, and staff who look after all."""
        fields = list(super().get_fields(request, obj))
        if obj is not None and not is_staff_of(obj, reader_of(_user(request))):
            fields.remove("meeting_link")
        return fields

    def has_change_permission(self, request: HttpRequest, obj: Lesson | None = None) -> bool:
        """The form is for admins of the academy and the semester's master instructor."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or _leads(obj, viewer_of(_user(request))))

    def has_delete_permission(self, request: HttpRequest, obj: Lesson | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or _leads(obj, viewer_of(_user(request))))

    def sees_deleted(self, request: HttpRequest) -> bool:
        return reader_of(_user(request)).is_admin

    def has_view_history_or_change_history_permission(
        self, request: HttpRequest, obj: Lesson | None = None
    ) -> bool:
        """For those who run the lesson: old meeting links stand in its history."""
        allowed = bool(super().has_view_history_or_change_history_permission(request, obj))
        return allowed and (obj is None or is_staff_of(obj, reader_of(_user(request))))

    def may_operate(self, request: HttpRequest, obj: Lesson) -> bool:
        """Its instructor too, who may not change the lesson itself."""
        person = _user(request)
        allowed = person.has_perm("sessions_app.change_lesson")
        return allowed and is_staff_of(obj, viewer_of(person))

    def changes_of(self, deed: Deed) -> Any:
        """Of the booking that is meant, else of the lesson's session."""
        if "booking" in deed.values:
            return Booking.history.filter(id=deed.values["booking"], lesson_id=deed.obj.pk)
        return deed.obj.session.history

    def remove(self, obj: Lesson, **by: Any) -> None:
        delete_lesson(obj.session.session_id, **by)

    def sections(self, request: HttpRequest, obj: Lesson) -> dict[str, Any]:
        numbers = statistics_of([obj.pk], 0)[obj.pk]
        facts = [
            (_("State"), obj.session.get_status_display()),
            (_("Seats"), f"{numbers.confirmed} / {obj.capacity}"),
            (_("Waiting"), numbers.waitlisted),
            (_("Attendance recorded"), numbers.attendance),
            (_("Average rating"), _rating(numbers)),
            (_("Performance reviews"), obj.performance_reviews.count()),
        ]
        person = _user(request)
        runs, may = is_staff_of(obj, reader_of(person)), self.may_operate(request, obj)
        shown: dict[str, Any] = {"facts": facts, "booking_count": numbers.bookings}
        if runs and person.has_perm("sessions_app.view_booking"):
            shown["bookings"] = [self._row(obj, booking, may) for booking in bookings_of(obj)]
        if runs and person.has_perm("sessions_app.view_feedback"):
            shown["feedback"] = feedback_of(obj)
        return shown

    def _row(self, lesson: Lesson, booking: Booking, may: bool) -> BookingRow:
        person = booking.student
        names = self._offered(lesson, booking) if may else ()
        return BookingRow(
            booking,
            name_of(person.first_name, person.last_name, person.username),
            getattr(booking, "attendance", None),
            [
                Button(
                    operation.label,
                    f"{self.address_of(lesson, operation.name)}?booking={booking.pk}",
                    operation.dangerous,
                )
                for operation in self.operations
                if operation.name in names
            ],
        )

    def _offered(self, lesson: Lesson, booking: Booking) -> tuple[str, ...]:
        """What the services may allow; times and seats are theirs to know."""
        scheduled = lesson.session.status == SessionStatus.SCHEDULED
        if booking.status == BookingStatus.WAITLISTED:
            return ("confirm", "cancel") if scheduled else ()
        if booking.status != BookingStatus.CONFIRMED:
            return ()
        seated = ("check-in", "attendance", "review")
        return (*seated, "cancel") if scheduled else seated

    def get_urls(self) -> list[URLPattern]:
        address = path(
            "calendar/",
            self.admin_site.admin_view(self.calendar_view),
            name="sessions_app_lesson_calendar",
        )
        return [address, *super().get_urls()]

    def calendar_view(self, request: HttpRequest) -> HttpResponse:
        """A week or a month of the lessons that the person sees."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": _("Calendar of lessons"),
            **calendar_page(
                reader_of(_user(request)),
                by_month=request.GET.get("view") == "month",
                day=request.GET.get("day", ""),
            ),
        }
        return TemplateResponse(request, "sessions_app/admin/lesson_calendar.html", context)

    @admin.display(description=gettext_lazy("state"), ordering="session__status")
    def state(self, lesson: Lesson) -> SafeString:
        return badge(lesson.session.status, lesson.session.get_status_display())

    @admin.display(description=gettext_lazy("instructor"), ordering="instructor__last_name")
    def given_by(self, lesson: Lesson) -> str:
        person = lesson.instructor
        if person is None:
            return "–"
        return name_of(person.first_name, person.last_name, person.username)

    @admin.display(description=gettext_lazy("seats"), ordering="capacity")
    def seats(self, lesson: Lesson) -> str:
        return f"{_numbers(lesson).confirmed} / {lesson.capacity}"

    @admin.display(description=gettext_lazy("waiting"))
    def waiting(self, lesson: Lesson) -> int:
        return _numbers(lesson).waitlisted

    @admin.display(description=gettext_lazy("attendance"))
    def attended(self, lesson: Lesson) -> int:
        return _numbers(lesson).attendance

    @admin.display(description=gettext_lazy("rating"))
    def rating(self, lesson: Lesson) -> str:
        return _rating(_numbers(lesson))


def _leads(lesson: Lesson, viewer: Viewer) -> bool:
    return viewer.is_admin or leads(lesson.semester, viewer)


def _numbers(lesson: Lesson) -> LessonStatistics:
    """Set by `LessonChangeList`."""
    return lesson.statistics  # type: ignore[attr-defined, no-any-return]  # see above


def _rating(numbers: LessonStatistics) -> str:
    return "–" if numbers.average_rating is None else f"{numbers.average_rating:.1f}"


def _user(request: HttpRequest) -> User:
    """Django's own check let members of staff in only."""
    return cast(User, request.user)
