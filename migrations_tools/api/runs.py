"""``/api/v1/runs/``: what happens with a run, and what can be done with it (SPEC §4)."""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import SURFACE, caller, refuse_reader
from migrations_tools.api.fields import ReasonField, TextField, ValuesField
from migrations_tools.api.filters import InstantFilter, WholeOrder, YesNoFilter
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.run_serializers import (
    RunListSerializer,
    RunSerializer,
    told_nothing,
    told_run,
)
from migrations_tools.api.versions import tagged
from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.registry import get_definition
from migrations_tools.models import Run
from migrations_tools.services import runs
from migrations_tools.services.requests import request_run
from migrations_tools.states import RunKind, RunState, VerificationState


class RunFilters(filters.FilterSet):
    """What runs can be asked for. Several kinds or states are given one by one."""

    definition = filters.CharFilter(max_length=100)
    migration = filters.CharFilter("definition", max_length=100, label="The same.")
    kind = filters.MultipleChoiceFilter(choices=RunKind.choices)
    state = filters.MultipleChoiceFilter(choices=RunState.choices)
    verification_state = filters.ChoiceFilter(choices=VerificationState.choices)
    active = YesNoFilter(method="only_active", label="Whether it may still write.")
    parent = filters.UUIDFilter("parent_id", label="Rollbacks of this run.")
    created_after = InstantFilter("created_at", "gte")
    created_before = InstantFilter("created_at", "lt")

    def only_active(self, queryset: Any, name: str, value: bool) -> Any:
        active = Run.objects.all().active().values("pk")
        return queryset.filter(pk__in=active) if value else queryset.exclude(pk__in=active)


class AskedSerializer(serializers.Serializer[Any]):
    """How a run is to be; everything may be left out."""

    options = ValuesField(required=False, help_text="Options of the data migration, by name.")
    limit = serializers.IntegerField(
        min_value=1,
        max_value=runs.MOST_TUNED,
        required=False,
        help_text="At most so many source keys.",
    )
    batch_size = serializers.IntegerField(
        min_value=1,
        max_value=runs.MOST_TUNED,
        required=False,
        help_text="Fixed instead of adaptive.",
    )
    workers = serializers.IntegerField(min_value=1, max_value=64, required=False)
    reason = ReasonField(help_text="Why; it stays in the history.")


class NewRunSerializer(AskedSerializer):
    """A run of any kind that begins something."""

    migration = TextField(max_length=100)
    kind = serializers.ChoiceField(choices=[RunKind.PLAN, RunKind.DRY_RUN, RunKind.APPLY])


#: Fields of `AskedSerializer` that tune a run.
_TUNING: Final = ("limit", "batch_size", "workers")

NOTHING: Final = OpenApiResponse(RunSerializer, description="There is nothing to do; no run.")
ASKED: Final = OpenApiResponse(
    RunSerializer, description="It is left to the workers; `Location` is the run."
)


def accepted(request: Request, run: Run) -> Response:
    """202, with the run and where to look for it."""
    location = request.build_absolute_uri(reverse("api-run", args=[run.pk]))
    return Response(told_run(run, caller(request)), status=202, headers={"Location": location})


def nothing(definition: type[DataMigration], kind: str) -> Response:
    """200, and the summary of a run that was not made."""
    return Response(told_nothing(definition, kind))


def ask_for_run(request: Request, name: str, kind: str, given: dict[str, Any]) -> Response:
    """Leave a plan, a dry run or an apply run to the workers."""
    run = request_run(
        name,
        kind,
        options=given.get("options"),
        tuning={found: given[found] for found in _TUNING if found in given},
        reason=given["reason"],
        acting_user=caller(request),
        surface=SURFACE,
    )
    return nothing(get_definition(name), kind) if run is None else accepted(request, run)


class RunListView(GenericAPIView[Run]):
    """Runs of all kinds, the newest first."""

    queryset = Run.objects.select_related("actor")
    serializer_class = RunListSerializer
    pagination_class = Pages
    filter_backends = (filters.DjangoFilterBackend, WholeOrder)
    filterset_class = RunFilters
    ordering_fields = ("created_at", "started_at", "finished_at", "definition", "state", "kind")
    ordering = ("-created_at",)

    @extend_schema(operation_id="runs_list", responses=RunListSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_reader(request, "runs")
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="runs_create",
        description="Ask for a plan, a dry run or an apply run; workers carry it out.",
        request=NewRunSerializer,
        responses={200: NOTHING, 202: ASKED},
        examples=[
            OpenApiExample(
                "A plan",
                value={"migration": "assign_orphan_sessions", "kind": "plan"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = NewRunSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = dict(given.validated_data)
        return ask_for_run(request, values.pop("migration"), values.pop("kind"), values)


class RunView(APIView):
    """One run, by its id or, for the newest apply or rollback run, the word ``last``."""

    @extend_schema(operation_id="runs_retrieve", responses=RunSerializer)
    def get(self, request: Request, run: str) -> Response:
        return tagged(told_run(readable_run(request, run), caller(request)))


def readable_run(request: Request, reference: str, what: str = "runs") -> Run:
    """The run whose ``what`` the caller may see; for others it is not there."""
    refuse_reader(request, what, hidden=True)
    return Run.objects.select_related("actor", "plan", "parent").get(pk=runs.get_run(reference).pk)
