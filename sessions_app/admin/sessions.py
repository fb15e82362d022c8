"""Sessions, each kind on pages of its own. What a form changes are words; the rest are actions."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from migrations_tools.admin.asking import AskingAdmin
from migrations_tools.admin.base import HistoryAdmin, NoDeletion, ReadOnlyInline
from migrations_tools.admin.exporting import ExportMixin
from sessions_app.models import (
    SESSION_TRANSITIONS,
    LessonSession,
    ProjectSwitch,
    Session,
    SessionFile,
    SessionKind,
    SessionParticipant,
)
from sessions_app.selectors.lessons import visible_to
from sessions_app.selectors.lessons.staff import reader_of


class ParticipantInline(ReadOnlyInline):
    model = SessionParticipant
    fields = ["email", "display_name", "role", "status", "invited_by", "invited_at", "joined_at"]


class FileInline(ReadOnlyInline):
    model = SessionFile
    fields = ["name", "path", "uploaded_by", "uploaded_at"]


class SwitchInline(ReadOnlyInline):
    model = ProjectSwitch
    fields = [
        "from_project",
        "to_project",
        "state",
        "failure",
        "actor",
        "reason",
        "started_at",
        "finished_at",
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProjectSwitch]:
        rows = super().get_queryset(request)
        return rows.select_related("from_project", "to_project", "actor")


class StatusFilter(admin.SimpleListFilter):
    """Statuses that sessions of the listed kind have; lessons are asked for their session's."""

    title = gettext_lazy("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        kind = getattr(model_admin.model, "KIND", SessionKind.LESSON)
        return [(status.value, str(status.label)) for status in SESSION_TRANSITIONS[kind]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() is None:
            return queryset
        column = "status" if hasattr(queryset.model, "KIND") else "session__status"
        return queryset.filter(**{column: self.value()})


class SessionAdmin(AskingAdmin, ExportMixin, NoDeletion, HistoryAdmin):
    """Status, project and times are set by the services, see `SESSION_TRANSITIONS`.

    No session is deleted here: deleted is a status, and a lesson's session goes with the lesson.
    """

    list_display = ["session_id", "title", "status", "created_at", "ended_at"]
    list_filter = [StatusFilter, "created_at"]
    search_fields = ["=session_id", "title"]
    fields = [
        "session_id",
        "title",
        "description",
        "status",
        ("created_at", "updated_at"),
        ("started_at", "ended_at", "last_activity_at"),
        "metadata",
    ]
    readonly_fields = [
        "session_id",
        "status",
        "created_at",
        "updated_at",
        "started_at",
        "ended_at",
        "last_activity_at",
        "metadata",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_history_queryset(self, *args: Any, **kwargs: Any) -> QuerySet[Any]:
        """All kinds have one history; a session that is gone is found on pages of its kind only."""
        rows: QuerySet[Any] = super().get_history_queryset(*args, **kwargs)
        return rows.filter(kind=self.model.KIND)


@admin.register(LessonSession)
class LessonSessionAdmin(SessionAdmin):
    """Read-only: a lesson is changed and deleted as a lesson, see `sessions_app.admin.lessons`.

    Instructors see those of the lessons that they see.
    """

    inlines = [ParticipantInline, FileInline]

    def get_queryset(self, request: HttpRequest) -> QuerySet[LessonSession]:
        rows: QuerySet[LessonSession] = super().get_queryset(request)
        reader = reader_of(cast(User, request.user))
        if reader.is_admin:
            return rows
        return rows.filter(lesson__in=visible_to(reader).values("pk"))

    def sees_deleted(self, request: HttpRequest) -> bool:
        return reader_of(cast(User, request.user)).is_admin

    def has_change_permission(self, request: HttpRequest, obj: Session | None = None) -> bool:
        return False
