"""``/api/v1/cutovers/``: how far each cutover is, and moving it (SPEC §4)."""

from __future__ import annotations

from typing import Any, Final

from django.db import transaction
from django.db.models import BigIntegerField
from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import SURFACE, caller, may_read, refuse_reader
from migrations_tools.api.fields import TextField
from migrations_tools.api.filters import WholeOrder
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import etag, require_match
from migrations_tools.cutover.keys import CutoverKey, all_cutovers, get_cutover
from migrations_tools.cutover.stages import Stage
from migrations_tools.models import Cutover, Mismatch
from migrations_tools.selectors.cutover import cutover_status
from migrations_tools.services.actors import require
from migrations_tools.services.cutover import change_stage, explain_mismatch

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


class StageSerializer(serializers.Serializer[Any]):
    """The stage to go to – the same for another share of readers – and why."""

    stage = serializers.ChoiceField(choices=Stage.values)
    read_percentage = serializers.IntegerField(min_value=0, max_value=100, required=False)
    reason = TextField()


class MismatchSerializer(serializers.ModelSerializer[Mismatch]):
    """A read that both sides answered differently."""

    legacy = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)
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

    explained = filters.BooleanFilter("explained_by", "isnull", exclude=True)
    operation = filters.CharFilter(max_length=50)


class ExplanationSerializer(serializers.Serializer[Any]):
    """Why a difference is none to worry about."""

    explanation = TextField()


class CutoverListView(GenericAPIView[Any]):
    """All cutovers by name."""

    serializer_class = CutoverSerializer
    pagination_class = Pages

    @extend_schema(operation_id="cutovers_list")
    def get(self, request: Request) -> Response:
        refuse_reader(request, "cutovers")
        page = self.paginate_queryset(all_cutovers())
        return self.get_paginated_response([_told(request, key) for key in page or ()])


class CutoverView(APIView):
    """One cutover."""

    @extend_schema(operation_id="cutovers_retrieve", responses=CutoverSerializer)
    def get(self, request: Request, key: str) -> Response:
        refuse_reader(request, "cutovers", hidden=True)
        return _tagged(_told(request, get_cutover(key)))

    @extend_schema(
        operation_id="cutovers_change",
        description="Move to another stage, or to another share of readers. With `If-Match`, only "
        "if neither changed since it was read.",
        request=StageSerializer,
        responses=CutoverSerializer,
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
        who: dict[str, Any] = {"acting_user": caller(request), "surface": SURFACE}
        require(who["acting_user"], "cutover", surface=SURFACE)  # what refuses is on record then
        with transaction.atomic():
            Cutover.objects.get_or_create(key=known.name)
            Cutover.objects.select_for_update().get(key=known.name)
            require_match(request, _settled(cutover_status(known)))
            change_stage(known.name, **given.validated_data, **who)
        return _tagged(_told(request, known))


class MismatchListView(GenericAPIView[Mismatch]):
    """Differences that shadow reads found, the last seen first."""

    queryset = Mismatch.objects.select_related("explained_by")
    serializer_class = MismatchSerializer
    pagination_class = Pages
    filter_backends = (filters.DjangoFilterBackend, WholeOrder)
    filterset_class = MismatchFilters
    ordering_fields = ("last_seen", "first_seen", "times")
    ordering = ("-last_seen",)

    @extend_schema(operation_id="cutovers_mismatches_list")
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
        if number > BigIntegerField.MAX_BIGINT:
            raise NotFound()
        found = get_object_or_404(
            Mismatch.objects.select_related("cutover", "explained_by"),
            pk=number,
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


def _settled(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in _SETTLED}


def _tagged(told: dict[str, Any]) -> Response:
    return Response(told, headers={"ETag": etag(_settled(told))})
