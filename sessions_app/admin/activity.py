"""Activity events: evidence, to look at only."""

from __future__ import annotations

from django.contrib import admin

from migrations_tools.admin.base import ReadOnly
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.filters import ValuesFilter
from sessions_app.models import ActivityEvent


@admin.register(ActivityEvent)
class ActivityEventAdmin(ExportMixin, ReadOnly):
    list_display = ["event_id", "occurred_at", "actor", "event_type", "session_ref", "project"]
    list_filter = [
        ("actor", ValuesFilter),
        ("session_ref", admin.EmptyFieldListFilter),
        "occurred_at",
    ]
    # by the key and by whole ids: there are millions
    ordering = ["-id"]
    search_fields = ["event_id__exact", "session_ref__exact"]
