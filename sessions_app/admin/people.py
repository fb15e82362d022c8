"""What the product knows of people beside their accounts."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from migrations_tools.admin.base import HistoryAdmin, ReadOnly
from sessions_app.models import LegacyIdentity, Profile


@admin.register(Profile)
class ProfileAdmin(HistoryAdmin):
    list_display = ["user", "role", "specialization", "credit_balance", "current_project"]
    list_filter = ["role"]
    list_select_related = ["user", "current_project"]
    search_fields = ["user__username", "user__email", "specialization"]
    autocomplete_fields = ["user", "current_project"]

    def get_readonly_fields(self, request: HttpRequest, obj: Profile | None = None) -> list[str]:
        """Credits are moved by bookings and `adjust_credits` only."""
        return ["credit_balance"] if obj is None else ["user", "credit_balance"]


@admin.register(LegacyIdentity)
class LegacyIdentityAdmin(ReadOnly):
    list_display = ["kind", "legacy_id", "user"]
    list_filter = ["kind"]
    list_select_related = ["user"]
    search_fields = ["=legacy_id", "user__username", "user__email"]
