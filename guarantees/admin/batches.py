"""Import batches: made by imports and by the migration."""

from __future__ import annotations

from django.contrib import admin

from guarantees.admin.base import ReadOnly
from guarantees.models import ImportBatch
from migrations_tools.history_admin import HistoryAdmin


@admin.register(ImportBatch)
class ImportBatchAdmin(ReadOnly, HistoryAdmin):
    list_display = ["__str__", "kind", "day", "total_records", "ready_records", "created_at"]
    list_filter = ["kind", "created_at"]
    search_fields = ["file_name", "description", "legacy_ref", "uploaded_by"]
    date_hierarchy = "created_at"
