"""Import batches: made by workbooks, by typing and pasting, and by the migration."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from guarantees.admin.empty_states import NO_BATCH
from guarantees.admin.entering import EntryPages
from guarantees.admin.workbooks import WorkbookWizard, rejected_of_batch
from guarantees.models import ImportBatch, RejectedRow
from migrations_tools.admin.base import HistoryAdmin, ReadOnly
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.lists import WithList

_SHOWN = 100  # rejected rows of a page


@admin.register(ImportBatch)
class ImportBatchAdmin(WithList, ExportMixin, ReadOnly, HistoryAdmin):
    """A day's entries, a day's pastes, or one workbook. Adding one is the workbook wizard."""

    list_display = [
        "__str__",
        "kind",
        "day",
        "total_records",
        "ready_records",
        "rejected_count",
        "uploaded_by",
        "created_at",
    ]
    list_filter = ["kind", "created_at"]
    search_fields = ["file_name", "description", "legacy_ref", "uploaded_by", "=sha256"]
    date_hierarchy = "created_at"
    change_list_template = "admin/guarantees/importbatch/change_list.html"
    empty_state = NO_BATCH
    change_form_template = "admin/guarantees/importbatch/change_form.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportBatch]:
        batches: QuerySet[ImportBatch] = super().get_queryset(request)
        return batches.annotate(rejected_total=Count("rejected_rows"))

    @admin.display(description=_("rejected"), ordering="rejected_total")
    def rejected_count(self, batch: Any) -> int:
        return int(batch.rejected_total)

    def get_urls(self) -> list[URLPattern]:
        rejected = self.admin_site.admin_view(self.rejected)
        return [
            *WorkbookWizard(self.admin_site).urls(),
            *EntryPages(self.admin_site).urls(),
            path("<int:batch>/rejected.xlsx", rejected, name="guarantees_batch_rejected"),
            *super().get_urls(),
        ]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("guarantees.add_guarantee"))

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:guarantees_workbook_new"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        found = self.get_object(request, object_id) if _may_see_rejected(request) else None
        rows = found.rejected_rows.all()[:_SHOWN] if isinstance(found, ImportBatch) else ()
        told: dict[str, Any] = {"rejected_rows": rows, "shown": _SHOWN}
        return super().change_view(request, object_id, form_url, told | (extra_context or {}))

    def rejected(self, request: HttpRequest, batch: int) -> HttpResponseBase:
        if not self.has_view_permission(request) or not _may_see_rejected(request):
            raise PermissionDenied
        return rejected_of_batch(request, batch)


def _may_see_rejected(request: HttpRequest) -> bool:
    """Rows that were not imported may hold anything, people's data included."""
    return bool(request.user.has_perm("guarantees.view_rejectedrow"))


@admin.register(RejectedRow)
class RejectedRowAdmin(ExportMixin, ReadOnly):
    """Rows of workbooks that were not imported, with all their reasons."""

    list_display = ["row", "reasons", "of_batch"]
    list_select_related = ["batch"]
    search_fields = ["=batch__id", "cells", "problems"]
    export_fields = ["batch", "row", "reasons"]

    @admin.display(description=_("reasons"))
    def reasons(self, row: RejectedRow) -> str:
        return " ".join(problem["message"] for problem in row.problems)

    @admin.display(description=_("batch"), ordering="batch")
    def of_batch(self, row: RejectedRow) -> SafeString | str:
        if row.batch is None:
            return "–"
        address = reverse("admin:guarantees_importbatch_change", args=[row.batch.pk])
        return format_html('<a href="{}">{}</a>', address, row.batch)
