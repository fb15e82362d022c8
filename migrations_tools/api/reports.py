"""Files of a run, to keep or to hand over: its evidence (SPEC §6), its problems as a table."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Final

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request

from migrations_tools.api.fields import TextField, asked
from migrations_tools.api.renderers import CSVRenderer, JSONErrors, ZipRenderer
from migrations_tools.api.runs import readable_run
from migrations_tools.evidence.bundle import write_bundle
from migrations_tools.evidence.gathering import evidence_of
from migrations_tools.selectors.problems import HEADINGS, problem_rows
from migrations_tools.states import Outcome
from migrations_tools.tables_out import csv_lines

_TYPE: Final = "application/zip"


class ProblemQuerySerializer(serializers.Serializer[Any]):
    """Which problems are wanted, as of the list."""

    outcome = serializers.ChoiceField(choices=Outcome.choices, required=False)
    code = TextField(max_length=60, required=False)


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


class ProblemFileView(JSONErrors):
    """All problems of a run as a CSV file that no spreadsheet takes for formulas."""

    renderer_classes = (CSVRenderer, JSONRenderer)

    @extend_schema(
        operation_id="runs_problems_csv",
        parameters=[ProblemQuerySerializer],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def get(self, request: Request, run: str) -> StreamingHttpResponse:
        found = readable_run(request, run, "ledger")
        lines = csv_lines(HEADINGS, problem_rows(found, **asked(ProblemQuerySerializer, request)))
        answer = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="problems-{found.pk}.csv"'
        return answer
