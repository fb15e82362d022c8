"""What lists can be asked for. A value that cannot be is refused, with its name."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet, Value
from django.db.models.functions import MD5

from guarantees.api.base import DayFilter
from guarantees.models import (
    ActionSession,
    ActionStatus,
    ActionType,
    BatchKind,
    Guarantee,
    GuaranteeAction,
    GuaranteeStatus,
    ImportBatch,
    MatchStatus,
)
from guarantees.models.number import comparable, trimmed
from migrations_tools.api.filters import IdFilter, YesNoFilter


class GuaranteeFilters(django_filters.FilterSet):
    """``number`` is the whole number; days of expiry are the current ones."""

    number = django_filters.CharFilter(method="of_number", label="The whole number.")
    status = django_filters.ChoiceFilter(choices=GuaranteeStatus.choices)
    match_status = django_filters.ChoiceFilter(choices=MatchStatus.choices)
    import_kind = django_filters.ChoiceFilter(choices=BatchKind.choices)
    supplier = IdFilter()
    bank = IdFilter()
    batch = IdFilter()
    is_protected = YesNoFilter()
    expiry_from = DayFilter(field_name="current_expiry", lookup_expr="gte")
    expiry_to = DayFilter(field_name="current_expiry", lookup_expr="lte")

    class Meta:
        model = Guarantee
        fields: list[str] = []

    def of_number(self, queryset: QuerySet[Guarantee], name: str, value: str) -> Any:
        return queryset.with_number(value)  # type: ignore[attr-defined]  # GuaranteeQuerySet


class ActionFilters(django_filters.FilterSet):
    """``number`` as for guarantees: white space around it makes no difference."""

    number = django_filters.CharFilter(method="of_number", label="The whole number.")
    action_type = django_filters.ChoiceFilter(choices=ActionType.choices)
    status = django_filters.ChoiceFilter(choices=ActionStatus.choices)
    guarantee = IdFilter()
    session = IdFilter()
    date_from = DayFilter(field_name="action_date", lookup_expr="gte")
    date_to = DayFilter(field_name="action_date", lookup_expr="lte")

    class Meta:
        model = GuaranteeAction
        fields: list[str] = []

    def of_number(
        self, queryset: QuerySet[GuaranteeAction], name: str, value: str
    ) -> QuerySet[GuaranteeAction]:
        key = MD5(Value(comparable(value)))  # as the index has it
        return queryset.alias(number_key=MD5(trimmed("number"))).filter(number_key=key)


class ActionSessionFilters(django_filters.FilterSet):
    is_locked = YesNoFilter()
    date_from = DayFilter(field_name="day", lookup_expr="gte")
    date_to = DayFilter(field_name="day", lookup_expr="lte")

    class Meta:
        model = ActionSession
        fields: list[str] = []


class ImportBatchFilters(django_filters.FilterSet):
    kind = django_filters.ChoiceFilter(choices=BatchKind.choices)
    sha256 = django_filters.CharFilter()
    day = DayFilter()
    created_from = DayFilter(field_name="created_at", lookup_expr="date__gte")
    created_to = DayFilter(field_name="created_at", lookup_expr="date__lte")

    class Meta:
        model = ImportBatch
        fields: list[str] = []
