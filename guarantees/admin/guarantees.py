"""Guarantees: imported values, and what they currently are."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from guarantees.admin.forms import GuaranteeForm
from guarantees.models import Guarantee
from guarantees.models.guarantee import BUSINESS_FIELDS
from migrations_tools.admin.base import HistoryAdmin, NoDeletion, RefusedInWords


@admin.register(Guarantee)
class GuaranteeAdmin(RefusedInWords, NoDeletion, HistoryAdmin):
    """A protected guarantee shows its business fields read-only: a modification changes them.

    None is deleted: its batch counts it.
    """

    form = GuaranteeForm
    list_display = [
        "number",
        "supplier",
        "bank",
        "current_amount",
        "currency",
        "current_expiry",
        "status",
        "match_status",
        "is_protected",
    ]
    list_filter = ["status", "match_status", "import_kind", "is_protected", "current_expiry"]
    list_select_related = ["supplier", "bank"]
    search_fields = ["number", "raw_supplier_name", "contract_number"]
    autocomplete_fields = ["supplier", "bank"]
    # known when it came in, decided where matches are, or set by issued actions
    _given = (
        "match_status",
        "batch",
        "import_kind",
        "import_date",
        "created_at",
        "is_protected",
        "current_amount",
        "current_expiry",
        "status",
    )

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def get_readonly_fields(
        self, request: HttpRequest, obj: Guarantee | None = None
    ) -> tuple[str, ...]:
        if obj is not None and obj.is_protected:
            return tuple(dict.fromkeys((*BUSINESS_FIELDS, *self._given)))
        return self._given

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, *args, **kwargs)
        form.acting_user = request.user
        return form

    def save_model(self, request: HttpRequest, obj: Guarantee, form: Any, change: bool) -> None:
        form.carry_out()
