"""Rows of the old system, as exported, and what they became."""

from __future__ import annotations

from django.contrib import admin

from guarantees.models import ImportedRecord, ImportSession
from migrations_tools.admin.base import ReadOnly


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
    ]
    list_filter = [
        ("migrated_guarantee", admin.EmptyFieldListFilter),
        ("migrated_action", admin.EmptyFieldListFilter),
        "record_type",
    ]
    list_select_related = ["migrated_guarantee", "migrated_action"]
    search_fields = ["=id", "guarantee_number", "raw_supplier_name"]
