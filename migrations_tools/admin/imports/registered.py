"""What was imported, by whom, and which lines were rejected. All of it is to look at."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from migrations_tools.admin.base import ReadOnly
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.imports.comparing import ComparePage
from migrations_tools.admin.imports.wizard import ImportWizard, may_see_rejected, result_context
from migrations_tools.imports.kinds import all_kinds
from migrations_tools.models import LegacyImport, QueuedImport, RejectedLine
from migrations_tools.selectors.imports import REJECTED_HEADINGS, rejected_rows, rejected_text
from migrations_tools.tables_out import csv_lines
from migrations_tools.told import told


class HasRejectedLines(admin.SimpleListFilter):
    """Files some of whose lines could not be read."""

    title = _("rejected lines")
    parameter_name = "has_rejected"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("with rejected lines")), ("no", _("without"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[LegacyImport]
    ) -> QuerySet[LegacyImport]:
        if self.value() == "yes":
            return queryset.filter(rejected__gt=0)
        return queryset.filter(rejected=0) if self.value() == "no" else queryset


class KindFilter(admin.SimpleListFilter):
    """The kinds there are: asking millions of lines for theirs would take long."""

    title = _("kind")
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(kind.name, kind.title) for kind in all_kinds()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[RejectedLine]
    ) -> QuerySet[RejectedLine]:
        return queryset.filter(legacy_import__kind=self.value()) if self.value() else queryset


@admin.register(LegacyImport)
class LegacyImportAdmin(ExportMixin, ReadOnly):
    """Imported files. Adding one is the wizard."""

    list_display = [
        "file_name",
        "kind",
        "read",
        "imported",
        "updated",
        "unchanged",
        "rejected",
        "actor",
        "created_at",
    ]
    list_filter = ["kind", HasRejectedLines, "created_at"]
    list_select_related = ["actor"]
    search_fields = ["file_name", "=sha256", "actor__username"]
    date_hierarchy = "created_at"
    change_form_template = "admin/migrations_tools/imports/legacyimport.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        own = [
            path("<int:number>/rejected.csv", wrap(self.rejected_csv), name="import_rejected_csv"),
            path("<int:number>/rejected.txt", wrap(self.rejected_txt), name="import_rejected_txt"),
        ]
        pages = [*ImportWizard(self.admin_site).urls(), *ComparePage(self.admin_site).urls()]
        return [*pages, *own, *super().get_urls()]

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("migrations_tools.import"))

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:import_kinds"))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        found = self.get_object(request, object_id)
        told = {} if found is None else result_context(request, found)
        return super().change_view(request, object_id, form_url, told | (extra_context or {}))

    def rejected_csv(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """Rejected lines with their reasons, safe to open in a spreadsheet."""
        found = self._imported(request, number)
        lines = csv_lines(REJECTED_HEADINGS, rejected_rows(found))
        return _download(lines, f"rejected-{number}.csv", "text/csv; charset=utf-8")

    def rejected_txt(self, request: HttpRequest, number: int) -> HttpResponseBase:
        """Rejected lines as they stood in the file, to be mended and imported again."""
        found = self._imported(request, number)
        suffix = found.file_name.rpartition(".")[2].lower()
        ending = suffix if suffix in ("csv", "json", "jsonl", "ndjson", "tsv") else "txt"
        lines = rejected_text(found)
        return _download(lines, f"rejected-{number}.{ending}", "text/plain; charset=utf-8")

    def _imported(self, request: HttpRequest, number: int) -> LegacyImport:
        """For those who may see rejected lines, and for who made this import."""
        found = LegacyImport.objects.all()
        if not may_see_rejected(request):
            found = found.filter(actor=request.user.pk)
        return get_object_or_404(found, pk=number)


@admin.register(RejectedLine)
class RejectedLineAdmin(ExportMixin, ReadOnly):
    """Lines of files that were not imported."""

    list_display = ["line", "table", "code", "detail_told", "shortened", "imported_file"]
    list_filter = [KindFilter]
    list_select_related = ["legacy_import"]
    search_fields = ["=legacy_import__id", "=code", "detail"]
    export_fields = ["legacy_import", "table", "line", "code", "detail", "text"]

    @admin.display(description=_("detail"), ordering="detail")
    def detail_told(self, line: RejectedLine) -> str:
        return told(line.detail)

    @admin.display(description=_("text"))
    def shortened(self, line: RejectedLine) -> str:
        return line.text if len(line.text) <= 80 else f"{line.text[:80]}…"

    @admin.display(description=_("file"), ordering="legacy_import")
    def imported_file(self, line: RejectedLine) -> SafeString:
        address = reverse(
            "admin:migrations_tools_legacyimport_change", args=[line.legacy_import_id]
        )
        return format_html('<a href="{}">{}</a>', address, line.legacy_import.file_name)


@admin.register(QueuedImport)
class QueuedImportAdmin(ReadOnly):
    """Uploads and the queue: what waits, and what became of it."""

    list_display = ["file_name", "kind", "state", "actor", "size", "created_at", "finished_at"]
    list_filter = ["state", "kind", "created_at"]
    list_select_related = ["actor"]
    search_fields = ["file_name", "=sha256", "actor__username"]
    # where the file lies is nobody's business
    exclude = ["stored"]


def _download(lines: Any, name: str, content_type: str) -> HttpResponseBase:
    answer = StreamingHttpResponse(lines, content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    answer["X-Content-Type-Options"] = "nosniff"
    return answer
