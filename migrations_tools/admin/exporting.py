"""Rows of a change list as a file: CSV or Excel, of what the person selected and may see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import unescape
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import label_for_field, lookup_field
from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi
from django.utils.translation import gettext_lazy as _

from migrations_tools.tables_out import csv_lines, xlsx_file

_BLOCK = 2_000


class ExportMixin(admin.ModelAdmin[Any]):
    """Adds the actions “Export as CSV” and “Export as Excel”.

    The columns are those of ``export_fields``, else those of the list. Fields give their values
    (choices in words), methods what the list shows. What is selected is taken – with “select all”
    everything that the filters and the search let through.
    """

    export_fields: Sequence[str] = ()
    actions = ["export_csv", "export_xlsx"]

    @admin.action(description=_("Export selected rows as CSV"), permissions=["view"])
    def export_csv(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase:
        columns = self.get_export_fields(request)
        lines = csv_lines(self._headings(columns), self._rows(columns, queryset))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="{self._file_name()}.csv"'
        return answer

    @admin.action(description=_("Export selected rows as Excel"), permissions=["view"])
    def export_xlsx(self, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponseBase:
        columns = self.get_export_fields(request)
        file = xlsx_file(
            self._headings(columns),
            self._rows(columns, queryset),
            right_to_left=get_language_bidi(),
        )
        return FileResponse(
            file,
            as_attachment=True,
            filename=f"{self._file_name()}.xlsx",
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )

    def get_export_fields(self, request: HttpRequest) -> list[str]:
        """Names of the columns, as ``list_display`` names them."""
        chosen = self.export_fields or self.get_list_display(request)
        return [str(name) for name in chosen if isinstance(name, str)]

    def _headings(self, columns: Sequence[str]) -> list[str]:
        labels = (label_for_field(name, self.model, self) for name in columns)
        return [text[:1].upper() + text[1:] for text in map(str, labels)]

    def _rows(self, columns: Sequence[str], queryset: QuerySet[Any]) -> Iterator[list[Any]]:
        related = self.list_select_related
        if isinstance(related, list | tuple) and related:
            queryset = queryset.select_related(*related)
        for obj in queryset.iterator(chunk_size=_BLOCK):
            yield [self._value(name, obj) for name in columns]

    def _value(self, name: str, obj: Any) -> Any:
        try:
            field, _attribute, value = lookup_field(name, obj, self)
        except ObjectDoesNotExist:
            return None
        if isinstance(field, models.Field) and field.choices:
            return getattr(obj, f"get_{field.name}_display")()
        # what a method has marked up for the page is words here
        return unescape(strip_tags(value)) if isinstance(value, SafeString) else value

    def _file_name(self) -> str:
        return f"{self.opts.model_name}-{timezone.localdate():%Y-%m-%d}"
