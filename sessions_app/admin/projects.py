"""Projects. The sentinel is shown, and left alone."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest

from migrations_tools.admin.base import HistoryAdmin, NoBulkDelete, RefusedInWords
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.states import Surface
from sessions_app.models import UNASSIGNED_ID, ActivityEvent, Project
from sessions_app.services.projects import delete_project


@admin.register(Project)
class ProjectAdmin(RefusedInWords, NoBulkDelete, ExportMixin, HistoryAdmin):
    list_display = ["name", "status", "is_primary", "personal_of", "created_at"]
    list_filter = ["status", "is_primary", ("personal_of", admin.EmptyFieldListFilter)]
    list_select_related = ["personal_of"]
    search_fields = ["name", "=id", "description"]
    readonly_fields = ["id", "personal_of", "created_at"]

    def has_change_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_sentinel(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_sentinel(obj)

    def get_deleted_objects(
        self, objs: Any, request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[Any], list[Any]]:
        """Activity events name projects in words, without a constraint; they protect them too."""
        projects: list[Model] = list(objs)
        deleted, counts, missing, protected = super().get_deleted_objects(objs, request)
        events = ActivityEvent.objects.filter(project__in=[str(named.pk) for named in projects])
        return deleted, counts, missing, [*protected, *map(str, events[:20])]

    def delete_model(self, request: HttpRequest, obj: Project) -> None:
        delete_project(obj.pk, acting_user=cast(User, request.user), surface=Surface.ADMIN)


def _is_sentinel(project: Project | None) -> bool:
    return project is not None and project.pk == UNASSIGNED_ID
