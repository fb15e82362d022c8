"""``/api/v1/legacy-imports/``: files of old systems come in, are looked at, and imported (SPEC §4).

A file is uploaded, its owner looks at a preview and commits it; a worker imports it. Until then,
and while it is at work, it is an upload, which only its owner sees; then it is a legacy import.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import refuse_reader, who
from migrations_tools.api.errors import TooLarge
from migrations_tools.api.fields import given, known_id
from migrations_tools.api.filters import InstantFilter, WholeOrder
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.import_shapes import (
    KindSerializer,
    LegacyImportSerializer,
    NewUploadSerializer,
    RejectedLineSerializer,
    UploadSerializer,
)
from migrations_tools.api.import_uploads import upload_answer
from migrations_tools.api.pages import Entries, Pages
from migrations_tools.api.renderers import CSVRenderer, JSONErrors, TextRenderer
from migrations_tools.imports.kinds import all_kinds
from migrations_tools.imports.upload_kinds import LEGACY_BYTES
from migrations_tools.models import LegacyImport, RejectedLine
from migrations_tools.selectors.imports import rejected_rows, rejected_text
from migrations_tools.services.uploads import receive_upload
from migrations_tools.tables_out import csv_lines

#: Bytes of a form beside its file.
_FORM_BYTES: Final = 64 * 1024
#: Columns of the file of rejected lines, called as in the list.
_HEADINGS: Final = ("table", "line", "code", "detail", "text")


class LegacyImportFilters(filters.FilterSet):
    """Which imports are wanted."""

    kind = filters.CharFilter(max_length=40)
    sha256 = filters.CharFilter(max_length=64)
    created_after = InstantFilter("created_at", "gte")
    created_before = InstantFilter("created_at", "lt")


class LegacyImportListView(GenericAPIView[LegacyImport]):
    """Files that were imported, the newest first; and the door for new ones."""

    queryset = LegacyImport.objects.select_related("actor")
    serializer_class = LegacyImportSerializer
    pagination_class = Pages
    parser_classes = (MultiPartParser,)
    filter_backends = (filters.DjangoFilterBackend, WholeOrder)
    filterset_class = LegacyImportFilters
    ordering_fields = ("created_at", "kind", "file_name", "read", "rejected")
    ordering = ("-created_at",)

    @extend_schema(operation_id="legacy_imports_list", responses=LegacyImportSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_reader(request, "imports")
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="legacy_imports_upload",
        description="Send a file. Nothing is imported until it is committed; after a day it is "
        "deleted.",
        request=NewUploadSerializer,
        responses={201: OpenApiResponse(UploadSerializer, description="`Location` is the upload.")},
        examples=[
            OpenApiExample(
                "Fields beside the file", value={"kind": "agent_sessions"}, request_only=True
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        values = given(NewUploadSerializer, request)
        upload = receive_upload(
            values["kind"],
            values["file"].chunks(),
            file_name=values["file"].name,
            table=values["table"] or None,
            **who(request),
        )
        return upload_answer(request, upload, 201)

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a body that is too large before any of it is read."""
        told = request.META.get("CONTENT_LENGTH") or "0"
        if told.isdigit() and int(told) > LEGACY_BYTES + _FORM_BYTES:
            raise TooLarge(
                _(
                    "A file has at most %(legacy_bytes)s bytes here; larger ones are "
                    "imported by the command import_legacy."
                )
                % {"legacy_bytes": f"{LEGACY_BYTES:,}"}
            )
        super().initial(request, *args, **kwargs)


class KindListView(GenericAPIView[Any]):
    """Kinds of files that can be imported."""

    serializer_class = KindSerializer
    pagination_class = Pages

    @extend_schema(operation_id="legacy_imports_kinds", responses=KindSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_reader(request, "imports")
        kinds = [
            {
                "name": kind.name,
                "title": str(kind.title),
                "tables": [table.name for table in kind.tables],
            }
            for kind in all_kinds()
        ]
        page = self.paginate_queryset(kinds)
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class LegacyImportView(APIView):
    """One import."""

    @extend_schema(operation_id="legacy_imports_retrieve", responses=LegacyImportSerializer)
    def get(self, request: Request, number: int) -> Response:
        refuse_reader(request, "imports", hidden=True)
        return Response(LegacyImportSerializer(_import(number)).data)


class RejectedLineView(GenericAPIView[RejectedLine]):
    """Lines that were rejected."""

    queryset = RejectedLine.objects.all()
    serializer_class = RejectedLineSerializer
    pagination_class = Entries

    @extend_schema(
        operation_id="legacy_imports_rejected_list",
        responses=RejectedLineSerializer(many=True),
    )
    def get(self, request: Request, number: int) -> Response:
        refuse_reader(request, "rejected", hidden=True)
        page = self.paginate_queryset(self.get_queryset().filter(legacy_import=_import(number)))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class RejectedFileView(JSONErrors):
    """All rejected lines as a CSV file that no spreadsheet takes for formulas."""

    renderer_classes = (CSVRenderer, JSONRenderer)

    @extend_schema(
        operation_id="legacy_imports_rejected_csv",
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, number: int) -> StreamingHttpResponse:
        refuse_reader(request, "rejected", hidden=True)
        found = _import(number)
        lines = csv_lines(_HEADINGS, rejected_rows(found))
        return _file(lines, f"rejected-{found.pk}.csv", "text/csv")


class RejectedTextView(JSONErrors):
    """Rejected lines as they stood in the file, to be mended and sent again."""

    renderer_classes = (TextRenderer, JSONRenderer)

    @extend_schema(
        operation_id="legacy_imports_rejected_text",
        responses={(200, "text/plain"): OpenApiTypes.STR},
    )
    def get(self, request: Request, number: int) -> StreamingHttpResponse:
        refuse_reader(request, "rejected", hidden=True)
        found = _import(number)
        return _file(rejected_text(found), f"rejected-{found.pk}.txt", "text/plain")


def _file(lines: Iterable[str], name: str, content_type: str) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(lines, content_type=f"{content_type}; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _import(number: int) -> LegacyImport:
    return get_object_or_404(LegacyImport.objects.select_related("actor"), pk=known_id(number))
