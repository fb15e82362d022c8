"""Legacy imports, uploads and previews as the API tells and takes them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from migrations_tools.api.fields import TextField
from migrations_tools.imports.upload_kinds import LEGACY_BYTES
from migrations_tools.models import LegacyImport, QueuedImport, RejectedLine


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
        fields = ("id", "table", "line", "code", "detail", "text")


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
