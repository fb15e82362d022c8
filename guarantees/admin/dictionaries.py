"""Suppliers, banks, and the other names they are known by, with how much hangs on each."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, Model, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from guarantees.admin.empty_states import NO_BANK, NO_SUPPLIER
from guarantees.admin.filters import AnyDigitsSearch
from guarantees.admin.forms import (
    BankAliasForm,
    BankForm,
    SupplierAliasForm,
    SupplierForm,
    SupplierOverrideForm,
)
from guarantees.admin.pages import address
from guarantees.models import (
    Bank,
    BankAlias,
    Guarantee,
    Supplier,
    SupplierAlias,
    SupplierOverride,
)
from guarantees.services.dictionaries import remove_row
from migrations_tools.admin.asking import AskingAdmin
from migrations_tools.admin.base import HistoryAdmin
from migrations_tools.admin.exporting import ExportMixin
from migrations_tools.admin.filters import ValuesFilter
from migrations_tools.admin.lists import WithList


def _counted(model: type[Model], column: str) -> Coalesce:
    """How many rows name the row of the list, asked for the rows of the page only."""
    found = model._default_manager.filter(**{column: OuterRef("pk")}).order_by()
    counts = found.values(column).annotate(rows=Count("pk")).values("rows")
    return Coalesce(Subquery(counts, output_field=IntegerField()), Value(0))


class _Dictionary(AskingAdmin, ExportMixin, HistoryAdmin):
    """Rows that the services of dictionaries write and remove, as on the API."""

    def remove(self, obj: Any, **by: Any) -> None:
        remove_row(type(obj), obj.pk, **by)


class _Party(WithList, AnyDigitsSearch, _Dictionary):
    """A supplier or a bank, with its guarantees and its other names."""

    column: str  # of guarantees
    alias: type[Model]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        found: QuerySet[Any] = super().get_queryset(request)
        counted: QuerySet[Any] = found.annotate(
            guarantees_here=_counted(Guarantee, self.column),
            aliases_here=_counted(self.alias, self.column),
        )
        return counted

    @admin.display(description=_("guarantees"))
    def guarantees_count(self, row: Any) -> SafeString:
        listed = f"{address('guarantee_changelist')}?{self.column}={row.pk}"
        return format_html('<a href="{}">{}</a>', listed, row.guarantees_here)

    @admin.display(description=_("other names"))
    def aliases_count(self, row: Any) -> SafeString:
        listed = address(f"{self.alias._meta.model_name}_changelist")
        query = f"?{self.column}__id__exact={row.pk}"
        return format_html('<a href="{}{}">{}</a>', listed, query, row.aliases_here)


@admin.register(Supplier)
class SupplierAdmin(_Party):
    form = SupplierForm
    empty_state = NO_SUPPLIER
    column, alias = "supplier", SupplierAlias
    list_display = ["name", "display_name", "guarantees_count", "aliases_count", "id", "created_at"]
    search_fields = ["name", "display_name", "normalized_name"]
    readonly_fields = ["normalized_name", "created_at"]


class _OtherName(_Dictionary):
    """Another name of somebody."""

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """The link from a supplier or bank to its other names."""
        return lookup in ("supplier__id__exact", "bank__id__exact") or super().lookup_allowed(
            lookup, value, request
        )


@admin.register(SupplierAlias)
class SupplierAliasAdmin(_OtherName):
    list_display = ["name", "supplier", "source", "uses"]
    list_filter = [("source", ValuesFilter)]
    list_select_related = ["supplier"]
    search_fields = ["name", "supplier__name"]
    form = SupplierAliasForm
    readonly_fields = ["normalized_name", "source", "uses", "created_at"]


@admin.register(SupplierOverride)
class SupplierOverrideAdmin(_OtherName):
    list_display = ["name", "supplier", "notes"]
    list_select_related = ["supplier"]
    search_fields = ["name", "supplier__name"]
    form = SupplierOverrideForm
    readonly_fields = ["normalized_name", "created_at"]


@admin.register(Bank)
class BankAdmin(_Party):
    form = BankForm
    empty_state = NO_BANK
    column, alias = "bank", BankAlias
    list_display = [
        "short_code",
        "name_en",
        "name_ar",
        "guarantees_count",
        "aliases_count",
        "id",
    ]
    list_display_links = ["short_code", "name_en", "name_ar"]
    search_fields = ["short_code", "name_en", "name_ar", "normalized_name"]
    readonly_fields = ["normalized_name", "created_at"]


@admin.register(BankAlias)
class BankAliasAdmin(_OtherName):
    list_display = ["name", "bank", "source", "uses"]
    list_filter = [("source", ValuesFilter)]
    list_select_related = ["bank"]
    search_fields = ["name", "bank__name_en", "bank__name_ar"]
    form = BankAliasForm
    readonly_fields = ["normalized_name", "source", "uses", "created_at"]
