"""Suppliers, banks, and their other names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import django_filters
from django.db.models import Model, QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_view
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from guarantees.api.base import DatabaseViewSet
from guarantees.api.fields import LONGEST_NAME, LONGEST_TEXT, StrictSerializer
from guarantees.models import Bank, BankAlias, Supplier, SupplierAlias, SupplierOverride
from guarantees.services.dictionaries import add_row, change_row, remove_row
from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.fields import IdField
from migrations_tools.api.filters import IdFilter
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.versions import require_match, tagged

View = TypeVar("View", bound="type[_DictionaryViewSet]")


def _name(**options: Any) -> serializers.CharField:
    return serializers.CharField(max_length=LONGEST_NAME, **options)


class SupplierRequestSerializer(StrictSerializer):
    name = _name()
    display_name = _name(allow_blank=True, required=False)


class SupplierSerializer(serializers.ModelSerializer[Supplier]):
    class Meta:
        model = Supplier
        fields = ["id", "name", "display_name", "created_at"]
        read_only_fields = fields


class BankRequestSerializer(StrictSerializer):
    """A bank has an English name, an Arabic one, or both."""

    short_code = serializers.CharField(max_length=50, allow_blank=True, required=False)
    name_en = _name(allow_blank=True, required=False)
    name_ar = _name(allow_blank=True, required=False)


class BankSerializer(serializers.ModelSerializer[Bank]):
    class Meta:
        model = Bank
        fields = ["id", "short_code", "name_en", "name_ar", "created_at"]
        read_only_fields = fields


class SupplierAliasRequestSerializer(StrictSerializer):
    supplier = IdField()
    name = _name()


class SupplierAliasSerializer(serializers.ModelSerializer[SupplierAlias]):
    """``source`` tells where the name was learnt; ``uses`` how often a decision used it."""

    class Meta:
        model = SupplierAlias
        fields = ["id", "supplier", "name", "source", "uses", "created_at"]
        read_only_fields = fields


class SupplierOverrideRequestSerializer(StrictSerializer):
    supplier = IdField()
    name = _name()
    notes = serializers.CharField(max_length=LONGEST_TEXT, allow_blank=True, required=False)


class SupplierOverrideSerializer(serializers.ModelSerializer[SupplierOverride]):
    class Meta:
        model = SupplierOverride
        fields = ["id", "supplier", "name", "notes", "created_at"]
        read_only_fields = fields


class BankAliasRequestSerializer(StrictSerializer):
    bank = IdField()
    name = _name()


class BankAliasSerializer(serializers.ModelSerializer[BankAlias]):
    """As `SupplierAliasSerializer`."""

    class Meta:
        model = BankAlias
        fields = ["id", "bank", "name", "source", "uses", "created_at"]
        read_only_fields = fields


class _DictionaryViewSet(DatabaseViewSet):
    """Rows that people add, change and remove."""

    request_class: type[StrictSerializer]
    address: str
    search_fields: tuple[str, ...] = ("name",)
    ordering_fields: tuple[str, ...] = ("name", "created_at", "id")
    ordering: tuple[str, ...] = ("name", "id")

    def get_queryset(self) -> QuerySet[Any]:
        return self.looked_at._default_manager.all()

    @idempotent
    def create(self, request: Request) -> Response:
        given = self.request_class(data=request.data)
        given.is_valid(raise_exception=True)
        row = add_row(
            self.looked_at,
            _columns(given.validated_data),
            acting_user=caller(request),
            surface=SURFACE,
        )
        location = reverse(f"{self.address}-detail", args=[row.pk])
        return tagged(self._shown(row), status=201, location=location)

    def partial_update(self, request: Request, pk: str) -> Response:
        given = self.request_class(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        row = change_row(
            self.looked_at,
            int(pk),
            _columns(given.validated_data),
            before=lambda now: require_match(request, self._shown(now)),
            acting_user=caller(request),
            surface=SURFACE,
        )
        return tagged(self._shown(row))

    def destroy(self, request: Request, pk: str) -> Response:
        remove_row(
            self.looked_at,
            int(pk),
            before=lambda now: require_match(request, self._shown(now)),
            acting_user=caller(request),
            surface=SURFACE,
        )
        return Response(status=204)

    def _shown(self, row: Model) -> Any:
        return self.serializer_class(row).data  # type: ignore[misc]  # every one below has it


def _columns(values: dict[str, Any]) -> dict[str, Any]:
    """Values by column: whom a name is for is named by its id."""
    return {f"{name}_id" if name in ("supplier", "bank") else name: values[name] for name in values}


def _described(noun: str, example: dict[str, Any]) -> Callable[[View], View]:
    """Describe what the addresses of a view take and answer."""

    def describe(view: View) -> View:
        shown: Any = cast(Any, view).serializer_class
        asked = view.request_class
        examples = [OpenApiExample(noun.capitalize(), value=example, request_only=True)]
        described: Callable[[View], View] = extend_schema_view(
            list=extend_schema(description=f"List: {noun}."),
            retrieve=extend_schema(description=f"One {noun}."),
            create=extend_schema(
                request=asked,
                responses={201: shown},
                examples=examples,
                description=f"Add: {noun}.",
            ),
            partial_update=extend_schema(
                request=asked, responses=shown, description=f"Change: {noun}."
            ),
            destroy=extend_schema(
                request=None,
                responses={204: None},
                description=f"Remove: {noun}. Its history stays; what guarantees name, stays too.",
            ),
        )
        return described(view)

    return describe


@_described("supplier", {"name": "Al Noor Trading Company"})
class SupplierViewSet(_DictionaryViewSet):
    looked_at = Supplier
    serializer_class = SupplierSerializer
    request_class = SupplierRequestSerializer
    address = "api-suppliers"
    search_fields = ("name", "display_name", "aliases__name")


@_described("bank", {"name_en": "Riyad Bank", "name_ar": "بنك الرياض", "short_code": "RIBL"})
class BankViewSet(_DictionaryViewSet):
    looked_at = Bank
    serializer_class = BankSerializer
    request_class = BankRequestSerializer
    address = "api-banks"
    search_fields = ("name_en", "name_ar", "short_code", "aliases__name")
    ordering_fields = ("name_en", "name_ar", "short_code", "created_at", "id")
    ordering = ("name_en", "name_ar", "id")


class _OfSupplier(django_filters.FilterSet):
    supplier = IdFilter()


class _OfBank(django_filters.FilterSet):
    bank = IdFilter()


@_described("supplier alias", {"supplier": 7, "name": "Noor Trdng"})
class SupplierAliasViewSet(_DictionaryViewSet):
    looked_at = SupplierAlias
    serializer_class = SupplierAliasSerializer
    request_class = SupplierAliasRequestSerializer
    address = "api-supplier-aliases"
    filterset_class = _OfSupplier


@_described("supplier override", {"supplier": 7, "name": "Al Noor"})
class SupplierOverrideViewSet(_DictionaryViewSet):
    looked_at = SupplierOverride
    serializer_class = SupplierOverrideSerializer
    request_class = SupplierOverrideRequestSerializer
    address = "api-supplier-overrides"
    filterset_class = _OfSupplier


@_described("bank alias", {"bank": 2, "name": "Riyadh Bank"})
class BankAliasViewSet(_DictionaryViewSet):
    looked_at = BankAlias
    serializer_class = BankAliasSerializer
    request_class = BankAliasRequestSerializer
    address = "api-bank-aliases"
    filterset_class = _OfBank
