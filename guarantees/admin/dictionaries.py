"""Suppliers, banks, and the other names they are known by."""

from __future__ import annotations

from django.contrib import admin

from guarantees.models import Bank, BankAlias, Supplier, SupplierAlias, SupplierOverride
from migrations_tools.admin.base import HistoryAdmin


@admin.register(Supplier)
class SupplierAdmin(HistoryAdmin):
    list_display = ["name", "display_name", "id", "created_at"]
    search_fields = ["name", "display_name", "normalized_name"]
    readonly_fields = ["normalized_name", "created_at"]


@admin.register(SupplierAlias)
class SupplierAliasAdmin(HistoryAdmin):
    list_display = ["name", "supplier", "source", "uses"]
    list_filter = ["source"]
    list_select_related = ["supplier"]
    search_fields = ["name", "supplier__name"]
    autocomplete_fields = ["supplier"]
    readonly_fields = ["normalized_name", "uses", "created_at"]


@admin.register(SupplierOverride)
class SupplierOverrideAdmin(HistoryAdmin):
    list_display = ["name", "supplier", "notes"]
    list_select_related = ["supplier"]
    search_fields = ["name", "supplier__name"]
    autocomplete_fields = ["supplier"]
    readonly_fields = ["normalized_name", "created_at"]


@admin.register(Bank)
class BankAdmin(HistoryAdmin):
    list_display = ["short_code", "name_en", "name_ar", "id"]
    list_display_links = ["short_code", "name_en", "name_ar"]
    search_fields = ["short_code", "name_en", "name_ar", "normalized_name"]
    readonly_fields = ["normalized_name", "created_at"]


@admin.register(BankAlias)
class BankAliasAdmin(HistoryAdmin):
    list_display = ["name", "bank", "source", "uses"]
    list_filter = ["source"]
    list_select_related = ["bank"]
    search_fields = ["name", "bank__name_en", "bank__name_ar"]
    autocomplete_fields = ["bank"]
    readonly_fields = ["normalized_name", "uses", "created_at"]
