"""``/api/v1/legacy-imports/``: files of old systems come in, are looked at, and imported (SPEC §4).

A file is uploaded, its owner looks at a preview and commits it; a worker imports it. Until then,
and while it is at work, it is an upload, which only its owner sees; then it is a legacy import.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import BigIntegerField, QuerySet
from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
    extend_schema_view,
)
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import SURFACE, caller, refuse_reader
from migrations_tools.api.errors import TooLarge
from migrations_tools.api.fields import TextField
from migrations_tools.api.filters import InstantFilter, WholeOrder
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Entries, Pages
from migrations_tools.api.renderers import CSVRenderer, JSONErrors
from migrations_tools.imports.kinds import all_kinds
from migrations_tools.imports.upload_kinds import LEGACY_BYTES
from migrations_tools.models import LegacyImport, QueuedImport, RejectedLine
from migrations_tools.services.uploads import (
    commit_upload,
    drop_upload,
    get_upload,
    preview_upload,
    receive_upload,
)
from migrations_tools.tables_out import csv_lines

#: Bytes of a form beside its file.
_FORM_BYTES: Final = 64 * 1024
_COLUMNS: Final = ("table", "line", "code", "detail", "text")


class LegacyImportSerializer(serializers.ModelSerializer[LegacyImport]):
    """A file that was imported; ``read`` is the sum of the four other counts."""

    actor = serializers.CharField(source="actor.username")

    class Meta:
        model = LegacyImport
        fields = (
            "id",
            "kind",
            "file_name",
            "size",
            "sha256",
            "read",
            "imported",
            "updated",
            "unchanged",
            "rejected",
            "actor",
            "created_at",
        )


class RejectedLineSerializer(serializers.ModelSerializer[RejectedLine]):
    """A line that could not be imported, and why; long ones are shortened."""

    class Meta:
        model = RejectedLine
        fields = ("id", *_COLUMNS)


class KindSerializer(serializers.Serializer[Any]):
    """A kind of files, with the tables that it knows."""

    name = serializers.CharField()
    title = serializers.CharField()
    tables = serializers.ListField(child=serializers.CharField())


class NewUploadSerializer(serializers.Serializer[Any]):
    """A file of a kind; ``table`` says what a CSV file holds where its name does not."""

    kind = TextField(max_length=40)
    file = serializers.FileField(max_length=1_000, help_text=f"At most {LEGACY_BYTES:,} bytes.")
    table = TextField(max_length=100, required=False, allow_blank=True, default="")


class ImportProgressSerializer(serializers.Serializer[Any]):
    """How far a worker is; share of the table 0–1."""

    table = serializers.CharField()
    rows = serializers.IntegerField()
    share = serializers.FloatField()


class UploadSerializer(serializers.ModelSerializer[QueuedImport]):
    """A file that waits for its owner, for a worker, or is done: uploaded, queued, done, refused
    or dropped.
    """

    state = serializers.CharField()
    size = serializers.IntegerField()
    progress = serializers.SerializerMethodField()
    legacy_import = LegacyImportSerializer(allow_null=True)

    class Meta:
        model = QueuedImport
        fields = (
            "id",
            "kind",
            "table",
            "file_name",
            "size",
            "sha256",
            "state",
            "code",
            "error",
            "progress",
            "legacy_import",
            "created_at",
            "finished_at",
        )

    @extend_schema_field(ImportProgressSerializer(allow_null=True))
    def get_progress(self, upload: QueuedImport) -> dict[str, Any] | None:
        found = getattr(upload, "progress", None)
        return None if found is None else dict(ImportProgressSerializer(found).data)


class RowDifferenceSerializer(serializers.Serializer[Any]):
    """A field that a row changes."""

    field = serializers.CharField()
    before = serializers.JSONField()
    after = serializers.JSONField()


class PreviewRowSerializer(serializers.Serializer[Any]):
    """A row of the file, and whether it is new, updated, unchanged, superseded or rejected."""

    table = serializers.CharField()
    line = serializers.IntegerField()
    status = serializers.CharField()
    values = serializers.JSONField()
    changes = RowDifferenceSerializer(many=True)


class RejectionSerializer(serializers.Serializer[Any]):
    """A line that would be rejected, and why."""

    table = serializers.CharField()
    line = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    """What importing a file would do; ``complete``: all its rows were looked at."""

    kind = serializers.CharField()
    file = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    format = serializers.CharField()
    encoding = serializers.CharField()
    complete = serializers.BooleanField()
    read = serializers.IntegerField()
    imported = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    rejected_count = serializers.IntegerField()
    rows = PreviewRowSerializer(many=True)
    rejected = RejectionSerializer(many=True)


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
        given = NewUploadSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        upload = receive_upload(
            values["kind"],
            values["file"].chunks(),
            file_name=values["file"].name,
            table=values["table"] or None,
            acting_user=caller(request),
            surface=SURFACE,
        )
        return _upload_answer(request, upload, 201)

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


@extend_schema_view(
    get=extend_schema(
        operation_id="legacy_imports_rejected_list", responses=RejectedLineSerializer(many=True)
    )
)
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
        lines = found.rejected_lines.order_by("id").values_list(*_COLUMNS)
        answer = StreamingHttpResponse(
            csv_lines(_COLUMNS, lines.iterator(2_000)), content_type="text/csv; charset=utf-8"
        )
        answer["Content-Disposition"] = f'attachment; filename="rejected-{found.pk}.csv"'
        return answer


class UploadListView(GenericAPIView[QueuedImport]):
    """The caller's own uploads, the newest first."""

    queryset = QueuedImport.objects.select_related("progress", "legacy_import__actor")
    serializer_class = UploadSerializer
    pagination_class = Pages

    @extend_schema(
        operation_id="legacy_imports_uploads_list", responses=UploadSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(self._own())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    def _own(self) -> QuerySet[QueuedImport]:
        kinds = [kind.name for kind in all_kinds()]
        return self.get_queryset().filter(actor=caller(self.request), kind__in=kinds)


class UploadView(APIView):
    """An upload of the caller's own, whatever became of it."""

    @extend_schema(operation_id="legacy_imports_uploads_retrieve", responses=UploadSerializer)
    def get(self, request: Request, number: int) -> Response:
        return Response(UploadSerializer(_own_upload(request, number)).data)

    @extend_schema(
        operation_id="legacy_imports_uploads_drop",
        responses={204: OpenApiResponse(description="The file is deleted.")},
    )
    def delete(self, request: Request, number: int) -> Response:
        upload = _own_upload(request, number)
        drop_upload(upload, acting_user=caller(request), surface=SURFACE)
        return Response(status=204)


class PreviewView(APIView):
    """What importing the file would do, row by row; nothing is written."""

    @extend_schema(operation_id="legacy_imports_uploads_preview", responses=PreviewSerializer)
    def get(self, request: Request, number: int) -> Response:
        upload = _own_upload(request, number)
        found = preview_upload(upload, acting_user=caller(request), surface=SURFACE)
        return Response(PreviewSerializer(found.as_json()).data)


class CommitView(APIView):
    """Import the file: a worker does it, all or nothing."""

    @extend_schema(
        operation_id="legacy_imports_uploads_commit",
        request=None,
        responses={202: OpenApiResponse(UploadSerializer, description="`Location` is the upload.")},
    )
    @idempotent
    def post(self, request: Request, number: int) -> Response:
        upload = _own_upload(request, number)
        queued = commit_upload(upload, acting_user=caller(request), surface=SURFACE)
        return _upload_answer(request, queued, 202)


def _import(number: int) -> LegacyImport:
    return get_object_or_404(LegacyImport.objects.select_related("actor"), pk=_id(number))


def _own_upload(request: Request, number: int) -> QueuedImport:
    return get_upload(_id(number), acting_user=caller(request))


def _id(number: int) -> int:
    if number > BigIntegerField.MAX_BIGINT:
        raise NotFound()
    return number


def _upload_answer(request: Request, upload: QueuedImport, status: int) -> Response:
    address = request.build_absolute_uri(reverse("api-upload", args=[upload.pk]))
    return Response(UploadSerializer(upload).data, status=status, headers={"Location": address})
