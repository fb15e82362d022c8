"""``/api/v1/cutovers/``: how far each cutover is, and moving it (SPEC §4)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import transaction
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import SURFACE, caller, may_read, refuse_reader
from migrations_tools.api.fields import TextField, known_id
from migrations_tools.api.filters import WholeOrder, YesNoFilter
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import etag, require_match, tagged
from migrations_tools.cutover.keys import CutoverKey, all_cutovers, get_cutover
from migrations_tools.cutover.stages import Stage
from migrations_tools.models import Cutover, Mismatch
from migrations_tools.selectors.cutover import cutover_status
from migrations_tools.selectors.readiness import needs_of
from migrations_tools.services.actors import require
from migrations_tools.services.cutover import (
    MOST_MILLISECONDS,
    change_rules,
    change_stage,
    explain_mismatch,
)

#: What a change is asked for with; the figures of shadow reads change all the time.
_SETTLED: Final = ("cutover", "stage", "read_percentage", "since")


class MismatchBriefSerializer(serializers.Serializer[Any]):
    """A difference in short."""

    id = serializers.IntegerField()
    operation = serializers.CharField()
    subject = serializers.CharField()
    times = serializers.IntegerField()
    error = serializers.CharField()
    explanation = serializers.CharField()


class CutoverSerializer(serializers.Serializer[Any]):
    """A cutover: its stage, what that means, where it can go, the figures of shadow reads."""

    cutover = serializers.CharField()
    title = serializers.CharField()
    migration = serializers.CharField()
    stage = serializers.CharField()
    meaning = serializers.CharField()
    next = serializers.ListField(child=serializers.CharField())
    since = serializers.CharField(allow_null=True)
    read_percentage = serializers.IntegerField()
    writes = serializers.ListField(child=serializers.CharField())
    reads = serializers.CharField()
    forced_to_legacy = serializers.BooleanField()
    compared = serializers.IntegerField()
    mismatched = serializers.IntegerField()
    legacy_ms = serializers.FloatField(allow_null=True)
    new_ms = serializers.FloatField(allow_null=True)
    mismatches = MismatchBriefSerializer(many=True)
    waived = serializers.IntegerField()


class NeedSerializer(serializers.Serializer[Any]):
    """What a stage needs; the refusal says why it does not hold, empty where it does."""

    code = serializers.CharField()
    title = serializers.CharField()
    holds = serializers.BooleanField()
    refusal = serializers.CharField()


class WaySerializer(serializers.Serializer[Any]):
    """A stage that can be gone to, and what that needs."""

    stage = serializers.CharField()
    needs = NeedSerializer(many=True)


class CutoverDetailSerializer(CutoverSerializer):
    """A cutover with what each way from here needs."""

    ways = WaySerializer(many=True)


class IgnoredSerializer(serializers.Serializer[Any]):
    """A field that may differ; ``*`` stands for all operations."""

    operation = TextField(max_length=50, default="*")
    field = TextField(max_length=100)


class RulesSerializer(serializers.Serializer[Any]):
    """Budgets of shadow reads – a share 0–1, and milliseconds – and what may differ."""

    mismatch_budget = serializers.FloatField(min_value=0, max_value=1)
    latency_budget_ms = serializers.FloatField(min_value=0.001, max_value=MOST_MILLISECONDS)
    ignored = serializers.ListField(child=IgnoredSerializer(), max_length=100)


class NewRulesSerializer(RulesSerializer):
    """New rules, and why."""

    reason = TextField()


class StageSerializer(serializers.Serializer[Any]):
    """The stage to go to – the same for another share of readers – and why."""

    stage = serializers.ChoiceField(choices=Stage.values)
    read_percentage = serializers.IntegerField(min_value=0, max_value=100, required=False)
    reason = TextField()


class MismatchSerializer(serializers.ModelSerializer[Mismatch]):
    """A read that both sides answered differently."""

    legacy = serializers.JSONField()
    new = serializers.JSONField()
    times = serializers.IntegerField()
    explained_by = serializers.CharField(
        source="explained_by.username", default=None, allow_null=True
    )

    class Meta:
        model = Mismatch
        fields = (
            "id",
            "operation",
            "subject",
            "legacy",
            "new",
            "error",
            "times",
            "first_seen",
            "last_seen",
            "explained_by",
            "explanation",
        )


class MismatchFilters(filters.FilterSet):
    """Which differences are wanted."""

    explained = YesNoFilter("explained_by", "isnull", exclude=True)
    operation = filters.CharFilter(max_length=50)


class ExplanationSerializer(serializers.Serializer[Any]):
    """Why a difference is none to worry about."""

    explanation = TextField()


class CutoverListView(GenericAPIView[Any]):
    """All cutovers by name."""

    serializer_class = CutoverSerializer
    pagination_class = Pages

    @extend_schema(operation_id="cutovers_list", responses=CutoverSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_reader(request, "cutovers")
        page = self.paginate_queryset(all_cutovers())
        return self.get_paginated_response([_told(request, key) for key in page or ()])


class CutoverView(APIView):
    """One cutover, and what each way from here needs."""

    @extend_schema(operation_id="cutovers_retrieve", responses=CutoverDetailSerializer)
    def get(self, request: Request, key: str) -> Response:
        refuse_reader(request, "cutovers", hidden=True)
        return _detail(request, get_cutover(key))

    @extend_schema(
        operation_id="cutovers_change",
        description="Move to another stage, or to another share of readers. With `If-Match`, only "
        "if neither changed since it was read.",
        request=StageSerializer,
        responses=CutoverDetailSerializer,
        examples=[
            OpenApiExample(
                "Compare both systems",
                value={"stage": "shadow", "reason": "run verified"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def patch(self, request: Request, key: str) -> Response:
        given = StageSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        known = get_cutover(key)
        who = _who(request)
        with _held(known):
            require_match(request, _settled(cutover_status(known)))
            change_stage(known.name, **given.validated_data, **who)
        return _detail(request, known)


class RulesView(APIView):
    """What shadow reads may spend, and what may differ."""

    @extend_schema(operation_id="cutovers_rules_retrieve", responses=RulesSerializer)
    def get(self, request: Request, key: str) -> Response:
        refuse_reader(request, "cutovers", hidden=True)
        return tagged(_rules(get_cutover(key)))

    @extend_schema(
        operation_id="cutovers_rules_change", request=NewRulesSerializer, responses=RulesSerializer
    )
    @idempotent
    def put(self, request: Request, key: str) -> Response:
        given = NewRulesSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        known = get_cutover(key)
        who = _who(request)
        with _held(known):
            require_match(request, _rules(known))
            change_rules(known.name, **given.validated_data, **who)
        return tagged(_rules(known))


class MismatchListView(GenericAPIView[Mismatch]):
    """Differences that shadow reads found, the last seen first."""

    queryset = Mismatch.objects.select_related("explained_by")
    serializer_class = MismatchSerializer
    pagination_class = Pages
    filter_backends = (filters.DjangoFilterBackend, WholeOrder)
    filterset_class = MismatchFilters
    ordering_fields = ("last_seen", "first_seen", "times")
    ordering = ("-last_seen",)

    @extend_schema(operation_id="cutovers_mismatches_list", responses=MismatchSerializer(many=True))
    def get(self, request: Request, key: str) -> Response:
        refuse_reader(request, "mismatches", hidden=True)
        found = self.get_queryset().filter(cutover__key=get_cutover(key).name)
        page = self.paginate_queryset(self.filter_queryset(found))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class ExplainView(APIView):
    """Say why a difference is none to worry about; it no longer stands in the way."""

    @extend_schema(
        operation_id="cutovers_mismatches_explain",
        request=ExplanationSerializer,
        responses=MismatchSerializer,
    )
    @idempotent
    def post(self, request: Request, key: str, number: int) -> Response:
        given = ExplanationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        found = get_object_or_404(
            Mismatch.objects.select_related("cutover", "explained_by"),
            pk=known_id(number),
            cutover__key=get_cutover(key).name,
        )
        explain_mismatch(
            found, acting_user=caller(request), surface=SURFACE, **given.validated_data
        )
        return Response(MismatchSerializer(found).data)


def _told(request: Request, key: CutoverKey) -> dict[str, Any]:
    told = cutover_status(key)
    if not may_read(caller(request), "mismatches"):
        told["mismatches"] = []
    return dict(CutoverSerializer(told).data)


def _detail(request: Request, key: CutoverKey) -> Response:
    told = _told(request, key)
    found = Cutover.objects.filter(key=key.name).first() or Cutover(key=key.name)
    ways = [{"stage": stage, "needs": list(needs_of(key, found, stage))} for stage in told["next"]]
    detail = CutoverDetailSerializer({**told, "ways": ways}).data
    return Response(detail, headers={"ETag": etag(_settled(told))})


def _rules(key: CutoverKey) -> dict[str, Any]:
    found = Cutover.objects.filter(key=key.name).first() or Cutover(key=key.name)
    return dict(RulesSerializer(found).data)


def _who(request: Request) -> dict[str, Any]:
    """Who changes something; refused before any transaction, so that the record of it stays."""
    require(caller(request), "cutover", surface=SURFACE)
    return {"acting_user": caller(request), "surface": SURFACE}


@contextmanager
def _held(key: CutoverKey) -> Iterator[None]:
    """Nobody else changes the cutover meanwhile."""
    with transaction.atomic():
        Cutover.objects.get_or_create(key=key.name)
        Cutover.objects.select_for_update().get(key=key.name)
        yield


def _settled(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in _SETTLED}
