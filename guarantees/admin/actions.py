"""Actions and their daily sessions. Drafts can be edited; issued ones can only be read."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.models import User
from django.http import HttpRequest

from guarantees.admin.forms import DraftForm
from guarantees.models import ActionSession, GuaranteeAction
from guarantees.services.actions import discard_draft
from migrations_tools.admin.base import HistoryAdmin, NoBulkDelete, ReadOnly, RefusedInWords
from migrations_tools.states import Surface


@admin.register(ActionSession)
class ActionSessionAdmin(ReadOnly, HistoryAdmin):
    list_display = ["day", "total_actions", "issued_actions", "is_locked"]
    list_filter = ["is_locked"]
    date_hierarchy = "day"


@admin.register(GuaranteeAction)
class GuaranteeActionAdmin(RefusedInWords, NoBulkDelete, HistoryAdmin):
    """Drafts are changed and discarded by the services, as on every surface."""

    form = DraftForm
    list_display = [
        "number",
        "action_type",
        "action_date",
        "new_expiry",
        "new_amount",
        "supplier_display_name",
        "bank_display_name",
        "status",
        "issued_at",
    ]
    list_filter = ["action_type", "status", "action_date"]
    list_select_related = ["guarantee"]
    search_fields = ["number", "notes", "supplier_name", "bank_name"]
    fields = [
        ("number", "guarantee"),
        ("action_type", "action_date", "session"),
        ("previous_expiry", "new_expiry"),
        ("previous_amount", "new_amount"),
        "notes",
        "reason",
        "changes",
        ("supplier_name", "supplier_display_name"),
        ("bank_name", "bank_display_name"),
        ("status", "is_locked", "issued_at"),
        ("created_by", "created_at"),
    ]
    readonly_fields = [
        "number",
        "guarantee",
        "action_type",
        "action_date",
        "session",
        "previous_expiry",
        "previous_amount",
        "changes",
        "supplier_name",
        "supplier_display_name",
        "bank_name",
        "bank_display_name",
        "status",
        "is_locked",
        "issued_at",
        "created_by",
        "created_at",
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(
        self, request: HttpRequest, obj: GuaranteeAction | None = None
    ) -> bool:
        return super().has_change_permission(request, obj) and not (obj and _is_closed(obj))

    def has_delete_permission(
        self, request: HttpRequest, obj: GuaranteeAction | None = None
    ) -> bool:
        return super().has_delete_permission(request, obj) and not (obj and _is_closed(obj))

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, *args, **kwargs)
        form.acting_user = request.user
        return form

    def save_model(
        self, request: HttpRequest, obj: GuaranteeAction, form: Any, change: bool
    ) -> None:
        form.carry_out()

    def delete_model(self, request: HttpRequest, obj: GuaranteeAction) -> None:
        """Only drafts come here; the day's session counts them no longer."""
        user = cast(User, request.user)  # the admin lets nobody else in
        discard_draft(obj.pk, acting_user=user, surface=Surface.ADMIN)


def _is_closed(action: GuaranteeAction) -> bool:
    """Issued, or a draft of a session that was locked."""
    return action.is_locked or (action.session is not None and action.session.is_locked)
