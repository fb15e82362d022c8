"""``/api/v1/import-batches/``: how guarantees came in."""

from __future__ import annotations

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from guarantees.api.base import DatabaseViewSet, may_view
from guarantees.api.filters import ImportBatchFilters
from guarantees.api.representations import ImportBatchSerializer
from guarantees.api.uploads import RejectedRowSerializer
from guarantees.models import ImportBatch, RejectedRow


class ImportBatchViewSet(DatabaseViewSet):
    """Batches of guarantees: one for each workbook, and one a day for what people enter."""

    serializer_class = ImportBatchSerializer
    looked_at = ImportBatch
    filterset_class = ImportBatchFilters
    search_fields = ("file_name", "description", "legacy_ref", "uploaded_by")
    ordering_fields = ("created_at", "day", "total_records", "ready_records", "id")
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[ImportBatch]:
        return ImportBatch.objects.all()

    @extend_schema(
        operation_id="import_batches_rejected_rows",
        responses=RejectedRowSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"], url_path="rejected-rows")
    def rejected_rows(self, request: Request, pk: str) -> Response:
        """The rows of its workbook that were not imported, as they were written."""
        if not may_view(request, RejectedRow):
            raise NotFound
        rows = RejectedRow.objects.filter(batch=self.get_object()).order_by("row", "pk")
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(RejectedRowSerializer(page, many=True).data)
