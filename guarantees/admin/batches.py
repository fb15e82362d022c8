"""Import batches: made by imports and by the migration."""

from __future__ import annotations

from django.contrib import admin

from guarantees.models import ImportBatch
from migrations_tools.admin.base import HistoryAdmin, ReadOnly


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnly, HistoryAdmin):
    list_display = ["__str__", "kind", "day", "total_records", "ready_records", "created_at"]
    list_filter = ["kind", "created_at"]
    search_fields = ["file_name", "description", "legacy_ref", "uploaded_by"]
    date_hierarchy = "created_at"
