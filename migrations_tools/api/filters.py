"""Filters and orders of lists: a value that is none is 422, the order is always a whole one."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import BigIntegerField, QuerySet
from django.utils.translation import gettext as _
from django_filters import fields
from django_filters import rest_framework as filters
from rest_framework import exceptions
from rest_framework.filters import OrderingFilter, SearchFilter
from rest_framework.request import Request
from rest_framework.views import APIView

_LONGEST_SEARCH: Final = 200


class Search(SearchFilter):
    """Words of `search_fields`, all of which have to be there."""

    def get_search_terms(self, request: Request) -> list[str]:
        if len(request.query_params.get(self.search_param, "")) > _LONGEST_SEARCH:
            told = _("Search for %(longest_search)s characters at most.")
            raise exceptions.ValidationError(
                {self.search_param: [told % {"longest_search": _LONGEST_SEARCH}]}
            )
        return list(super().get_search_terms(request))


class WholeOrder(OrderingFilter):
    """``?ordering=``, ended by the primary key, so that no row changes places between pages.

    Of rows that are equal the newest comes first, or last where the order ascends: what is added
    meanwhile comes before the pages, or behind them. Unknown names are passed over.
    """

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        ordering = [*(self.get_ordering(request, queryset, view) or ())]
        ascends = bool(ordering) and not ordering[0].startswith("-")
        return queryset.order_by(*ordering, "pk" if ascends else "-pk")


_YES_OR_NO: Final = {"": None, "true": True, "1": True, "false": False, "0": False}


class _YesNoField(forms.NullBooleanField):
    def to_python(self, value: Any) -> bool | None:  # type: ignore[override]  # None: not asked
        try:
            return _YES_OR_NO[str(value or "").strip().lower()]
        except KeyError as error:
            raise ValidationError("This is neither true nor false.", code="invalid") from error


class YesNoFilter(filters.BooleanFilter):
    """``true`` or ``1``, ``false`` or ``0``; another word is refused and not passed over."""

    field_class = _YesNoField

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{"widget": forms.TextInput, **options})


class IntegerFilter(filters.NumberFilter):
    """A whole number from ``min_value`` to ``max_value``; one with decimals is refused."""

    field_class = forms.IntegerField

    def get_max_validator(self) -> None:
        return None


class IdFilter(IntegerFilter):
    """The id of a row, within what a column holds."""

    def __init__(self, *args: Any, **options: Any) -> None:
        bounds = {"min_value": 1, "max_value": BigIntegerField.MAX_BIGINT}
        super().__init__(*args, **bounds, **options)


class _InstantField(fields.IsoDateTimeField):
    def clean(self, value: Any) -> Any:
        instant = super().clean(value)
        try:
            return None if instant is None else instant.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error


class InstantFilter(filters.IsoDateTimeFilter):
    """An instant in ISO 8601, in UTC for the database: that knows offsets below 16 hours only."""

    field_class = _InstantField
