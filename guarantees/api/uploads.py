"""``/api/v1/import-batches/uploads/``: a workbook is sent, looked at, and confirmed once.

An upload is seen by whoever sent it, and by nobody else.
"""

from __future__ import annotations

from typing import Any, Final

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from guarantees.api.base import ID_PATTERN
from guarantees.api.entering import EntryPreviewRowSerializer, EntryProblemSerializer
from guarantees.api.fields import StrictSerializer
from guarantees.entry_errors import AlreadyImported
from guarantees.models import RejectedRow
from guarantees.services.workbook_uploads import (
    batch_of,
    commit_workbook,
    get_workbook,
    preview_upload,
    receive_workbook,
)
from guarantees.workbooks import limits
from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.errors import TooLarge
from migrations_tools.api.fields import LARGEST_ID
from migrations_tools.api.idempotency import HEADER, idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.schema import ERRORS, ErrorEnvelopeSerializer
from migrations_tools.exceptions import ImportRefused
from migrations_tools.models import QueuedImport
from migrations_tools.services.uploads import UploadClosed, drop_upload
from migrations_tools.told import told as told_on_page

State = QueuedImport.State

#: Bytes of a request with a workbook: the rest is the form around it.
_LARGEST_REQUEST: Final = limits.FILE_BYTES + 2**20


class WorkbookSerializer(serializers.Serializer[Any]):
    """An Excel workbook, ``.xlsx`` or ``.xls``; ``sheet`` names one that is not the first."""

    file = serializers.FileField(max_length=1_000, allow_empty_file=True)
    sheet = serializers.CharField(max_length=100, required=False)


class ConfirmationSerializer(StrictSerializer):
    """``confirm``: a file that was imported before is meant to come in again."""

    confirm = serializers.BooleanField(default=False)


class WorkbookUploadSerializer(serializers.Serializer[Any]):
    """A workbook that came in, and what became of it.

    ``state`` is uploaded, queued, done, refused or dropped. ``result`` counts the rows once it is
    done; ``code`` and ``error`` tell why it was refused. ``rows`` are those that a worker has read.
    """

    id = serializers.IntegerField()
    file_name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    state = serializers.ChoiceField(choices=State.choices)
    code = serializers.CharField()
    error = serializers.CharField()
    result = serializers.DictField()
    rows = serializers.IntegerField(source="progress.rows", default=0)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)


class WorkbookPreviewSerializer(serializers.Serializer[Any]):
    """What confirming would do; ``rows`` are the first 1,000. Nothing is written yet.

    ``complete``: all rows were looked at, and not the first 10,000 only.
    """

    complete = serializers.BooleanField()
    file = serializers.CharField()
    sha256 = serializers.CharField()
    sheet = serializers.CharField()
    other_sheets = serializers.ListField(child=serializers.CharField())
    headings = serializers.DictField(child=serializers.ListField(child=serializers.CharField()))
    imported_before = serializers.IntegerField(allow_null=True)
    batch = serializers.IntegerField(allow_null=True)
    read = serializers.IntegerField()
    imported = serializers.IntegerField()
    ready = serializers.IntegerField()
    needs_review = serializers.IntegerField()
    rejected_count = serializers.IntegerField()
    flagged_count = serializers.IntegerField()
    rejected = EntryPreviewRowSerializer(many=True)
    flagged = EntryPreviewRowSerializer(many=True)
    rows = EntryPreviewRowSerializer(many=True)


class RejectedRowSerializer(serializers.ModelSerializer[RejectedRow]):
    """A row as it was written, with all that is wrong with it."""

    cells = serializers.DictField(child=serializers.CharField(allow_blank=True), read_only=True)
    problems = EntryProblemSerializer(many=True, read_only=True)

    class Meta:
        model = RejectedRow
        fields = ["row", "cells", "problems"]
        read_only_fields = fields


class UploadViewSet(viewsets.GenericViewSet[Any]):
    serializer_class = WorkbookUploadSerializer
    pagination_class = Pages
    lookup_value_regex = ID_PATTERN
    parser_classes = (JSONParser, MultiPartParser)
    queryset = QueuedImport.objects.none()  # for the description: uploads are found by the service

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.action == "create" and _length(request) > _LARGEST_REQUEST:
            raise TooLarge(
                _("A workbook has %(file_bytes)s bytes at most.")
                % {"file_bytes": f"{limits.FILE_BYTES:,}"}
            )

    @extend_schema(
        operation_id="import_batches_upload",
        request={"multipart/form-data": WorkbookSerializer},
        responses={201: WorkbookUploadSerializer},
    )
    @idempotent
    def create(self, request: Request) -> Response:
        """Send a workbook. Nothing of it is imported before it is confirmed, within a day."""
        given = WorkbookSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        file = given.validated_data["file"]
        upload = receive_workbook(
            file.chunks(),
            file_name=file.name,
            sheet=given.validated_data.get("sheet"),
            acting_user=caller(request),
            surface=SURFACE,
        )
        return Response(
            WorkbookUploadSerializer(upload).data,
            status=201,
            headers={"Location": _address(upload)},
        )

    @extend_schema(
        operation_id="import_batches_upload_retrieve", responses=WorkbookUploadSerializer
    )
    def retrieve(self, request: Request, pk: str) -> Response:
        """What became of a workbook, and how far its import is."""
        return Response(WorkbookUploadSerializer(_mine(request, pk)).data)

    @extend_schema(operation_id="import_batches_upload_drop", request=None, responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Delete a workbook that is not to be imported after all."""
        drop_upload(_mine(request, pk), acting_user=caller(request), surface=SURFACE)
        return Response(status=204)

    @extend_schema(
        operation_id="import_batches_upload_preview",
        responses={
            200: WorkbookPreviewSerializer,
            409: OpenApiResponse(ErrorEnvelopeSerializer, description=ERRORS["409"]),
        },
    )
    @action(detail=True, methods=["get"])
    def preview(self, request: Request, pk: str) -> Response:
        """What each row would become, and why rows are rejected."""
        report = preview_upload(_mine(request, pk), acting_user=caller(request), surface=SURFACE)
        return Response(report.as_json())

    @extend_schema(
        operation_id="import_batches_upload_commit",
        request=ConfirmationSerializer,
        parameters=[
            OpenApiParameter(
                HEADER, str, OpenApiParameter.HEADER, description="Answers a repeated confirmation."
            )
        ],
        responses={
            200: WorkbookUploadSerializer,
            201: WorkbookUploadSerializer,
            202: WorkbookUploadSerializer,
        },
        examples=[OpenApiExample("Once more", value={"confirm": True}, request_only=True)],
    )
    @action(detail=True, methods=["post"])
    def commit(self, request: Request, pk: str) -> Response:
        """Import it: 201 with its batch, 200 where no row was good, or 202 for a worker to do.

        A workbook is confirmed once; a repetition with an idempotency key is told what became of
        it. (Its import has a transaction of its own, so it is not kept with other keys' answers.)
        """
        given = ConfirmationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        upload = _mine(request, pk)
        try:
            upload = commit_workbook(
                upload,
                confirm=given.validated_data["confirm"],
                acting_user=caller(request),
                surface=SURFACE,
            )
        except UploadClosed:
            if HEADER not in request.headers or upload.state == State.DROPPED:
                raise
        return _outcome(_mine(request, pk))

    @extend_schema(
        operation_id="import_batches_upload_rejected_rows",
        responses=RejectedRowSerializer(many=True),
    )
    @action(detail=True, methods=["get"], url_path="rejected-rows")
    def rejected_rows(self, request: Request, pk: str) -> Response:
        """The rows that were not imported, as they were written."""
        rows: QuerySet[RejectedRow] = RejectedRow.objects.filter(upload=_mine(request, pk))
        page = self.paginate_queryset(rows.order_by("row", "pk"))
        return self.get_paginated_response(RejectedRowSerializer(page, many=True).data)


def _outcome(upload: QueuedImport) -> Response:
    """201 with the batch, 200 without one, 202 while it waits.

    Raises ImportRefused, or AlreadyImported where the same file came in at the same moment.
    """
    if upload.state == State.REFUSED and upload.code == AlreadyImported.code:
        raise AlreadyImported(upload.error)
    if upload.state == State.REFUSED:
        raise ImportRefused(told_on_page(upload.error), code=upload.code or None)
    told = WorkbookUploadSerializer(upload).data
    if upload.state == State.QUEUED:
        return Response(told, status=202, headers={"Location": _address(upload)})
    batch = batch_of(upload)
    if batch is None:
        return Response(told)
    location = reverse("api-import-batches-detail", args=[batch.pk])
    return Response(told, status=201, headers={"Location": location})


def _mine(request: Request, pk: str) -> QueuedImport:
    number = int(pk)
    return get_workbook(number if number <= LARGEST_ID else 0, acting_user=caller(request))


def _address(upload: QueuedImport) -> str:
    return reverse("api-workbook-uploads-detail", args=[upload.pk])


def _length(request: Request) -> int:
    """What the request says of its length; servers hold it to that."""
    told = request.META.get("CONTENT_LENGTH") or "0"
    return int(told) if str(told).isdigit() else 0
