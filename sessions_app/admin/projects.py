"""Projects. The sentinel is shown, and left alone."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from migrations_tools.history_admin import HistoryAdmin
from sessions_app.admin.base import NamedInEvents
from sessions_app.models import UNASSIGNED_ID, ActivityEvent, Project


def _events_of(projects: Iterable[Project]) -> QuerySet[ActivityEvent]:
    return ActivityEvent.objects.filter(project__in=[str(project.pk) for project in projects])


@admin.register(Project)
class ProjectAdmin(NamedInEvents, HistoryAdmin):
    list_display = ["name", "status", "is_primary", "personal_of", "created_at"]
    list_filter = ["status", "is_primary", ("personal_of", admin.EmptyFieldListFilter)]
    list_select_related = ["personal_of"]
    search_fields = ["name", "=id", "description"]
    readonly_fields = ["id", "personal_of", "created_at"]
    events_of = staticmethod(_events_of)

    def has_change_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_sentinel(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_sentinel(obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        super().delete_queryset(request, queryset.exclude(pk=UNASSIGNED_ID))


def _is_sentinel(project: Project | None) -> bool:
    return project is not None and project.pk == UNASSIGNED_ID
