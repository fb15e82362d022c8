"""Guarantees: what they currently are, what was imported, and what can be done with them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from guarantees.admin import acting, matching_pages
from guarantees.admin.bulk import act_on_selected
from guarantees.admin.empty_states import NO_GUARANTEE
from guarantees.admin.filters import AnyDigitsSearch, BankFilter, ExpiryFilter, SupplierFilter
from guarantees.admin.forms import GuaranteeForm
from guarantees.admin.overview import overview
from guarantees.models import ActionType, Guarantee
from guarantees.models.guarantee import BUSINESS_FIELDS
from migrations_tools.admin.asking import AskingAdmin
from migrations_tools.admin.base import HistoryAdmin, NoDeletion
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.lists import WithList


@admin.register(Guarantee)
class GuaranteeAdmin(WithList, AskingAdmin, ExportMixin, AnyDigitsSearch, NoDeletion, HistoryAdmin):
    """A protected guarantee shows its business fields read-only: a modification changes them.

    None is deleted: its batch counts it.
    """

    form = GuaranteeForm
    change_form_template = "admin/guarantees/guarantee/change_form.html"
    empty_state = NO_GUARANTEE
    tools = [
        (_("Names to decide"), "guarantees_guarantee_matching"),
        (_("Duplicates"), "guarantees_guarantee_duplicates"),
    ]
    actions = ["extend_selected", "release_selected", "export_csv", "export_xlsx"]
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
    export_fields = [
        "number",
        "supplier",
        "bank",
        "raw_supplier_name",
        "raw_bank_name",
        "contract_number",
        "amount",
        "current_amount",
        "currency",
        "issue_date",
        "expiry_date",
        "current_expiry",
        "type",
        "comment",
        "status",
        "match_status",
        "import_kind",
        "import_date",
    ]
    list_filter = [
        "status",
        ExpiryFilter,
        "match_status",
        BankFilter,
        SupplierFilter,
        "import_kind",
        "is_protected",
    ]
    list_select_related = ["supplier", "bank"]
    date_hierarchy = "current_expiry"
    search_fields = [
        "number",
        "raw_supplier_name",
        "raw_bank_name",
        "contract_number",
        "supplier__name",
        "supplier__display_name",
        "bank__name_en",
        "bank__name_ar",
    ]
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
    fieldsets = [
        (
            _("What was imported"),
            {
                "fields": [
                    "number",
                    ("supplier", "raw_supplier_name"),
                    ("bank", "raw_bank_name"),
                    ("contract_number", "related_to"),
                    ("amount", "currency"),
                    ("issue_date", "expiry_date"),
                    "type",
                    "comment",
                ]
            },
        ),
        (
            _("Kept by the program"),
            {
                "fields": [
                    ("current_amount", "current_expiry", "status"),
                    ("match_status", "is_protected"),
                    ("batch", "import_kind", "import_date", "created_at"),
                ]
            },
        ),
    ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("guarantees.add_guaranteeaction"))

    def get_urls(self) -> list[URLPattern]:
        pages: dict[str, tuple[str, Any]] = {
            "matching": ("matching/", matching_pages.names),
            "accept": ("matching/accept/", matching_pages.accept),
            "decide": ("matching/<str:party>/<int:pk>/", matching_pages.decide),
            "duplicates": ("duplicates/", matching_pages.duplicates),
            "act": ("<int:pk>/act/<str:action_type>/", acting.act),
        }
        own = [
            path(route, self.admin_site.admin_view(view), name=f"guarantees_guarantee_{name}")
            for name, (route, view) in pages.items()
        ]
        return [*own, *super().get_urls()]

    @admin.action(description=_("Extend selected guarantees"), permissions=["act"])
    def extend_selected(self, request: HttpRequest, queryset: QuerySet[Guarantee]) -> HttpResponse:
        return act_on_selected(request, queryset, ActionType.EXTENSION)

    @admin.action(description=_("Release selected guarantees"), permissions=["act"])
    def release_selected(self, request: HttpRequest, queryset: QuerySet[Guarantee]) -> HttpResponse:
        return act_on_selected(request, queryset, ActionType.RELEASE)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Guarantee | None = None
    ) -> tuple[str, ...]:
        if obj is not None and obj.is_protected:
            return tuple(dict.fromkeys((*BUSINESS_FIELDS, *self._given)))
        return self._given

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        guarantee = context.get("original")
        if guarantee is not None:
            # as it is stored: a refused form has put its own values into the one on the page
            stored = Guarantee.objects.select_related("supplier", "bank", "batch")
            context.update(overview(request, stored.get(pk=guarantee.pk)))
        return super().render_change_form(request, context, *args, **kwargs)
