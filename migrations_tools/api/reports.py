"""``/api/v1/runs/{run}/report/``: the evidence of a run, to keep or to hand over (SPEC §6)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from migrations_tools.api.renderers import JSONErrors, ZipRenderer
from migrations_tools.api.runs import readable_run
from migrations_tools.evidence.bundle import write_bundle
from migrations_tools.evidence.gathering import evidence_of

_TYPE: Final = "application/zip"


class ReportView(JSONErrors):
    """Plan, approvals, outcomes, verification, rollbacks and transitions, signed, as a ZIP file.

    It holds sums and no rows, so that it is made at once however large the run was; ``datamigrate
    report --check`` tells whether it is unchanged.
    """

    renderer_classes = (ZipRenderer, JSONRenderer)

    @extend_schema(operation_id="runs_report", responses={(200, _TYPE): OpenApiTypes.BINARY})
    def get(self, request: Request, run: str) -> HttpResponse:
        found = readable_run(request, run)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "report.zip"
            write_bundle(evidence_of(found), path)
            content = path.read_bytes()
        answer = HttpResponse(content, content_type=_TYPE)
        answer["Content-Disposition"] = f'attachment; filename="run-{found.pk}.zip"'
        return answer
