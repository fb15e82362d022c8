"""What is kept of a run, and for how long: backups, purge, erasure (SPEC §2.7)."""

from __future__ import annotations

from typing import Any, Final

from django.http import FileResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import who
from migrations_tools.api.fields import KeysField, TextField, given
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.renderers import GzipRenderer, JSONErrors
from migrations_tools.services import retention
from migrations_tools.services.kept_backups import (
    check_kept_backup,
    keep_backup,
    kept_backup,
    kept_backups,
)
from migrations_tools.services.runs import get_run

_TYPE: Final = "application/gzip"


class BackupSerializer(serializers.Serializer[Any]):
    """A backup that the server keeps; numbers of lines by what they are of."""

    file = serializers.CharField()
    size = serializers.IntegerField(help_text="Bytes.")
    sha256 = serializers.CharField()
    batch = serializers.IntegerField()
    ledger = serializers.IntegerField()
    change = serializers.IntegerField()
    transition = serializers.IntegerField()
    actor = serializers.CharField()
    at = serializers.DateTimeField()


class BackupCheckSerializer(serializers.Serializer[Any]):
    """Whether a backup is whole and unchanged; of many faults the first are told."""

    file = serializers.CharField()
    run = serializers.CharField(allow_null=True)
    migration = serializers.CharField(allow_null=True)
    ok = serializers.BooleanField()
    batch = serializers.IntegerField()
    ledger = serializers.IntegerField()
    change = serializers.IntegerField()
    transition = serializers.IntegerField()
    sha256 = serializers.CharField(allow_null=True)
    failures = serializers.IntegerField()
    faults = serializers.ListField(child=serializers.CharField())


class PurgeSerializer(serializers.Serializer[Any]):
    """Why ledger and journal may go."""

    reason = TextField()


class PurgedSerializer(serializers.Serializer[Any]):
    """How many rows went."""

    run = serializers.UUIDField()
    ledger = serializers.IntegerField()
    change = serializers.IntegerField()


class EraseSerializer(serializers.Serializer[Any]):
    """Whose personal values, and why they may go."""

    keys = KeysField(min_length=1)
    reason = TextField()


class ErasedSerializer(serializers.Serializer[Any]):
    """How many rows were emptied."""

    run = serializers.UUIDField()
    rows = serializers.IntegerField()


class BackupListView(GenericAPIView[Any]):
    """Backups of a run that the server keeps; they hold personal data."""

    serializer_class = BackupSerializer
    pagination_class = Pages

    @extend_schema(operation_id="runs_backups_list", responses=BackupSerializer(many=True))
    def get(self, request: Request, run: str) -> Response:
        """The newest first."""
        page = self.paginate_queryset(kept_backups(get_run(run), **who(request)))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="runs_backups_create",
        request=None,
        responses={201: OpenApiResponse(BackupSerializer, description="`Location` is the file.")},
    )
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        """Write journal, ledger and transitions of a run that stands still to a file."""
        found = get_run(run)
        made = keep_backup(found, **who(request))
        address = reverse("api-backup", args=[found.pk, made["file"]])
        location = {"Location": request.build_absolute_uri(address)}
        return Response(BackupSerializer(made).data, status=201, headers=location)


class BackupView(JSONErrors):
    """A backup, to keep elsewhere."""

    renderer_classes = (GzipRenderer, JSONRenderer)

    @extend_schema(
        operation_id="runs_backups_retrieve", responses={(200, _TYPE): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, run: str, file: str) -> FileResponse:
        path = kept_backup(get_run(run), file, **who(request))
        return FileResponse(
            path.open("rb"), as_attachment=True, filename=path.name, content_type=_TYPE
        )


class BackupCheckView(APIView):
    """Whether a backup is whole: every digest, the seal and the end are recomputed."""

    @extend_schema(operation_id="runs_backups_check", responses=BackupCheckSerializer)
    def get(self, request: Request, run: str, file: str) -> Response:
        checked = check_kept_backup(get_run(run), file, **who(request))
        return Response(BackupCheckSerializer(checked).data)


class PurgeView(APIView):
    """Delete ledger and journal of a run that is past its retention time."""

    @extend_schema(operation_id="runs_purge", request=PurgeSerializer, responses=PurgedSerializer)
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        said = given(PurgeSerializer, request)
        purged = retention.purge_while_waiting(get_run(run), **said, **who(request))
        return Response(PurgedSerializer(purged).data)


class EraseView(APIView):
    """Empty what the records of a run say of the people behind keys; digests stay."""

    @extend_schema(
        operation_id="runs_erase",
        request=EraseSerializer,
        responses=ErasedSerializer,
        examples=[
            OpenApiExample(
                "Somebody asked",
                value={"keys": ["1042"], "reason": "request 17"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, run: str) -> Response:
        said = given(EraseSerializer, request)
        erased = retention.erase_personal(get_run(run), said.pop("keys"), **said, **who(request))
        return Response(ErasedSerializer(erased).data)
