"""Filters and orders of lists: a value that is none is 422, the order is always a whole one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework.filters import OrderingFilter
from rest_framework.request import Request
from rest_framework.views import APIView


class WholeOrder(OrderingFilter):
    """``?ordering=``, ended by the primary key, so that no row changes places between pages.

    Unknown names are passed over.
    """

    def filter_queryset(
        self, request: Request, queryset: QuerySet[Any], view: APIView
    ) -> QuerySet[Any]:
        ordering = [*(self.get_ordering(request, queryset, view) or ())]
        return queryset.order_by(*ordering, "-pk")
