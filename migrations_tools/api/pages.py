"""Answers in pages (SPEC §4).

`Pages` are numbered; `Entries` go by a cursor, for what only grows: ledger, journal, events.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import BigIntegerField, QuerySet
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.pagination import BasePagination, CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param
from rest_framework.views import APIView

PAGE_SIZE: Final = 25
LARGEST_PAGE: Final = 100
#: Of what goes by a cursor.
LARGEST_CURSOR_PAGE: Final = 1_000
_DIGITS_OF_BIGINT: Final = 19


class _PageQuerySerializer(serializers.Serializer[Any]):
    page = serializers.IntegerField(
        default=1, min_value=1, max_value=BigIntegerField.MAX_BIGINT // LARGEST_PAGE
    )
    page_size = serializers.IntegerField(default=PAGE_SIZE, min_value=1, max_value=LARGEST_PAGE)


class _SizeQuerySerializer(serializers.Serializer[Any]):
    page_size = serializers.IntegerField(
        default=LARGEST_PAGE, min_value=1, max_value=LARGEST_CURSOR_PAGE
    )


class Pages(BasePagination):
    """``{"count", "next", "previous", "results"}``; ``page`` from 1, ``page_size`` to 100.

    A page behind the last is empty, and leads back to the last one that is not. Order the queryset
    by something unique, or rows change places between pages.
    """

    def paginate_queryset(  # type: ignore[override]  # a page of objects, no list of them all
        self, queryset: QuerySet[Any] | Sequence[Any], request: Request, view: APIView | None = None
    ) -> Sequence[Any]:
        given = {
            name: request.query_params[name]
            for name in ("page", "page_size")
            if request.query_params.get(name)
        }
        asked = _PageQuerySerializer(data=given)
        asked.is_valid(raise_exception=True)
        self.request = request
        self.number, self.size = asked.validated_data["page"], asked.validated_data["page_size"]
        self.count = queryset.count() if isinstance(queryset, QuerySet) else len(queryset)
        first = (self.number - 1) * self.size
        return list(queryset[first : first + self.size]) if first < self.count else []

    def get_paginated_response(self, data: Any) -> Response:
        return page_answer(
            self.request, count=self.count, number=self.number, size=self.size, results=data
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["count", "next", "previous", "results"],
            "properties": {
                "count": {"type": "integer", "minimum": 0, "example": 123},
                "next": address | {"example": "https://example.com/api/v1/things/?page=3"},
                "previous": address | {"example": "https://example.com/api/v1/things/?page=1"},
                "results": schema,
            },
        }

    def get_schema_operation_parameters(self, view: APIView) -> list[dict[str, Any]]:
        return [
            _parameter("page", "From 1.", 1, None),
            _parameter("page_size", "Objects of a page.", PAGE_SIZE, LARGEST_PAGE),
        ]


class Entries(CursorPagination):
    """``{"next", "previous", "results"}`` by cursor: what is added meanwhile moves nothing.

    Ordered by a number: a cursor of somebody's own making that has none is 404. ``page_size`` goes
    to 1,000.
    """

    page_size = LARGEST_PAGE
    page_size_query_param = "page_size"
    max_page_size = LARGEST_CURSOR_PAGE
    ordering = "id"

    def decode_cursor(self, request: Request) -> Any:
        if not request.query_params.get(self.cursor_query_param):
            return None
        cursor = super().decode_cursor(request)
        if cursor is None or not _is_ours(cursor):
            raise NotFound(self.invalid_cursor_message)
        return cursor

    def get_page_size(self, request: Request) -> int:
        given = request.query_params.get(self.page_size_query_param)
        asked = _SizeQuerySerializer(data={"page_size": given} if given else {})
        asked.is_valid(raise_exception=True)
        return int(asked.validated_data["page_size"])

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        address = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": address, "previous": address, "results": schema},
        }


def _is_ours(cursor: Any) -> bool:
    """Whether it names a place: what is no cursor at all is decoded into one without."""
    if cursor.position is None:
        return bool(cursor.offset or cursor.reverse)
    place = str(cursor.position)
    return place.isascii() and place.isdigit() and len(place) < _DIGITS_OF_BIGINT


def page_answer(request: Request, *, count: int, number: int, size: int, results: Any) -> Response:
    """``results`` is page ``number``, from 1, of ``count`` objects. Neighbours are full addresses.

    A page behind the last is empty, and leads back to the last one that is not.
    """
    pages = max(1, -(-count // size))
    return Response(
        {
            "count": count,
            "next": _address(request, number + 1) if number < pages else None,
            "previous": _address(request, min(number - 1, pages)) if number > 1 else None,
            "results": results,
        }
    )


def _parameter(name: str, description: str, default: int, largest: int | None) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer", "minimum": 1, "default": default}
    if largest is not None:
        schema["maximum"] = largest
    return {
        "name": name,
        "in": "query",
        "required": False,
        "description": description,
        "schema": schema,
    }


def _address(request: Request, number: int) -> str:
    here = request.build_absolute_uri()
    if number == 1:
        return str(remove_query_param(here, "page"))
    return str(replace_query_param(here, "page", number))
