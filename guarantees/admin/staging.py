"""Rows of the old system, as exported, and what they became."""

from __future__ import annotations

from django.contrib import admin

from guarantees.models import ImportedRecord, ImportSession
from migrations_tools.admin.base import ReadOnly
from migrations_tools.admin.filters import ValuesFilter
from migrations_tools.admin.staged import StagedRowAdmin


@admin.register(ImportSession)
class ImportSessionAdmin(ReadOnly):
    list_display = ["id", "session_type", "record_count", "created_at", "file_name"]
    search_fields = ["=id", "session_type", "file_name"]


@admin.register(ImportedRecord)
class ImportedRecordAdmin(StagedRowAdmin):
    migration = "split_imported_records"
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

    def key_of(self, row: ImportedRecord) -> str:
        return str(row.pk)
