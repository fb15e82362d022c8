"""Rows of the old system, as exported, and what they became."""

from __future__ import annotations

from django.contrib import admin
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from guarantees.models import ImportedRecord, ImportSession
from migrations_tools.admin.base import ReadOnly
from migrations_tools.admin.filters import ValuesFilter
from migrations_tools.templatetags.comparing import compare_link


@admin.register(ImportSession)
class ImportSessionAdmin(ReadOnly):
    list_display = ["id", "session_type", "record_count", "created_at", "file_name"]
    search_fields = ["=id", "session_type", "file_name"]


@admin.register(ImportedRecord)
class ImportedRecordAdmin(ReadOnly):
    list_display = [
        "id",
        "session_id",
        "record_type",
        "guarantee_number",
        "amount",
        "expiry_date",
        "created_at",
        "migrated_guarantee",
        "migrated_action",
        "in_both_systems",
    ]
    list_filter = [
        ("migrated_guarantee", admin.EmptyFieldListFilter),
        ("migrated_action", admin.EmptyFieldListFilter),
        ("record_type", ValuesFilter),
    ]
    list_select_related = ["migrated_guarantee", "migrated_action"]
    search_fields = ["=id", "guarantee_number", "raw_supplier_name"]
    readonly_fields = ["in_both_systems"]

    @admin.display(description=_("in both systems"))
    def in_both_systems(self, record: ImportedRecord) -> SafeString | str:
        return compare_link("split_imported_records", 0, str(record.pk)) or "–"
