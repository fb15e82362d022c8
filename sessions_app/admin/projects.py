"""Projects. The sentinel is shown, and left alone."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from migrations_tools.admin.asking import AskingAdmin
from migrations_tools.admin.base import HistoryAdmin
from migrations_tools.admin.exporting import ExportMixin
from sessions_app.admin.forms import ProjectForm
from sessions_app.models import UNASSIGNED_ID, Project
from sessions_app.services.projects import delete_project


@admin.register(Project)
class ProjectAdmin(AskingAdmin, ExportMixin, HistoryAdmin):
    form = ProjectForm
    list_display = ["name", "status", "is_primary", "personal_of", "created_at"]
    list_filter = ["status", "is_primary", ("personal_of", admin.EmptyFieldListFilter)]
    list_select_related = ["personal_of"]
    search_fields = ["name", "=id", "description"]
    readonly_fields = ["id", "personal_of", "created_at"]

    def has_change_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return super().has_change_permission(request, obj) and not _is_sentinel(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Project | None = None) -> bool:
        return super().has_delete_permission(request, obj) and not _is_sentinel(obj)

    def remove(self, obj: Project, **by: Any) -> None:
        delete_project(obj.pk, **by)


def _is_sentinel(project: Project | None) -> bool:
    return project is not None and project.pk == UNASSIGNED_ID
