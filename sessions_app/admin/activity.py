"""Activity events: evidence, to look at only."""

from __future__ import annotations

from django.contrib import admin

from sessions_app.admin.base import ReadOnly
from sessions_app.models import ActivityEvent


@admin.register(ActivityEvent)
class ActivityEventAdmin(ReadOnly):
    list_display = ["event_id", "occurred_at", "actor", "event_type", "session_ref", "project"]
    list_filter = ["actor", ("session_ref", admin.EmptyFieldListFilter), "occurred_at"]
    search_fields = ["=event_id", "=session_ref", "=project", "event_type"]
