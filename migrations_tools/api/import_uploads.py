"""``/api/v1/legacy-imports/uploads/``: files that wait for their owner or a worker (SPEC §4)."""

from __future__ import annotations

from django.db.models import QuerySet
from django.urls import reverse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import caller, who
from migrations_tools.api.fields import known_id
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.import_shapes import PreviewSerializer, UploadSerializer
from migrations_tools.api.pages import Pages
from migrations_tools.imports.kinds import all_kinds
from migrations_tools.models import QueuedImport
from migrations_tools.services.uploads import (
    commit_upload,
    drop_upload,
    get_upload,
    preview_upload,
)


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
        drop_upload(upload, **who(request))
        return Response(status=204)


class PreviewView(APIView):
    """What importing the file would do, row by row; nothing is written."""

    @extend_schema(operation_id="legacy_imports_uploads_preview", responses=PreviewSerializer)
    def get(self, request: Request, number: int) -> Response:
        upload = _own_upload(request, number)
        found = preview_upload(upload, **who(request))
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
        queued = commit_upload(upload, **who(request))
        return upload_answer(request, queued, 202)


def _own_upload(request: Request, number: int) -> QueuedImport:
    return get_upload(known_id(number), acting_user=caller(request))


def upload_answer(request: Request, upload: QueuedImport, status: int) -> Response:
    """The upload, and where to look for it."""
    address = request.build_absolute_uri(reverse("api-upload", args=[upload.pk]))
    return Response(UploadSerializer(upload).data, status=status, headers={"Location": address})
