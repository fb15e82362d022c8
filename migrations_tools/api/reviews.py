"""``/api/v1/reviews/``: what runs left to a person, and deciding it (SPEC §4)."""

from __future__ import annotations

from typing import Any, Final

from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_field,
)
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import SURFACE, caller, refuse_reader
from migrations_tools.api.definitions import OptionSerializer
from migrations_tools.api.fields import LONGEST_KEY, KeysField, ReasonField, ValuesField, known_id
from migrations_tools.api.filters import IntegerFilter, WholeOrder, YesNoFilter
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.run_serializers import RunSerializer
from migrations_tools.api.runs import NOTHING, accepted, nothing
from migrations_tools.definitions.registry import get_definition
from migrations_tools.exceptions import UnknownDefinition
from migrations_tools.models import ReviewItem, Run
from migrations_tools.selectors.definition_facts import options_told
from migrations_tools.services.reviews import decide, get_reviewed_run
from migrations_tools.states import ReviewDecision, RunKind

#: What a person says → what is stored.
DECISIONS: Final = {
    "accept": ReviewDecision.ACCEPTED,
    "choose": ReviewDecision.CHOSEN,
    "park": ReviewDecision.PARKED,
    "skip": ReviewDecision.SKIPPED,
}


class ReviewSerializer(serializers.ModelSerializer[ReviewItem]):
    """A key that waits for a person, or was decided; confidence 0–1."""

    run = serializers.UUIDField(source="run_id")
    migration = serializers.CharField(source="run.definition")
    step = serializers.IntegerField()
    proposal = serializers.JSONField()
    evidence = serializers.JSONField()
    decision = serializers.CharField()
    waiting = serializers.BooleanField(
        help_text="Nobody decided it, no later run looked at it, and its run was not taken back."
    )
    choice = serializers.JSONField()
    decided_by = serializers.CharField(source="decided_by.username", default=None, allow_null=True)
    decision_run = serializers.UUIDField(source="decision_run_id", allow_null=True)
    applied_by = serializers.UUIDField(source="applied_by_id", allow_null=True)

    class Meta:
        model = ReviewItem
        fields: tuple[str, ...] = (
            "id",
            "run",
            "migration",
            "step",
            "key",
            "proposal",
            "confidence",
            "evidence",
            "decision",
            "waiting",
            "choice",
            "reason",
            "decided_by",
            "decided_at",
            "decision_run",
            "applied_by",
        )


class ReviewDetailSerializer(ReviewSerializer):
    """The same, with what may be chosen instead of the proposal."""

    choices = serializers.SerializerMethodField()

    class Meta(ReviewSerializer.Meta):
        fields = (*ReviewSerializer.Meta.fields, "choices")

    @extend_schema_field(OptionSerializer(many=True))
    def get_choices(self, item: ReviewItem) -> list[dict[str, Any]]:
        try:
            steps = get_definition(item.run.definition).steps
        except UnknownDefinition:
            return []
        known = steps[item.step].choices if item.step < len(steps) else None
        return [] if known is None else options_told(known)


class ReviewFilters(filters.FilterSet):
    """Which items are wanted."""

    run = filters.UUIDFilter("run_id")
    migration = filters.CharFilter("run__definition", max_length=100)
    decision = filters.MultipleChoiceFilter(choices=ReviewDecision.choices)
    waiting = YesNoFilter()
    key = filters.CharFilter(max_length=LONGEST_KEY)
    step = IntegerFilter(min_value=0, max_value=32_767)
    confidence_below = filters.NumberFilter("confidence", "lt", min_value=0, max_value=1)
    confidence_from = filters.NumberFilter("confidence", "gte", min_value=0, max_value=1)


class DecisionSerializer(serializers.Serializer[Any]):
    """What a person says of an item."""

    decision = serializers.ChoiceField(choices=list(DECISIONS))
    choice = ValuesField(required=False, help_text="Of `choose`: values by the names of `choices`.")
    reason = ReasonField()


class BulkDecisionSerializer(DecisionSerializer):
    """What a person says of many items of one run; no keys: of all that wait."""

    run = serializers.UUIDField()
    keys = KeysField(required=False, default=list)


_CARRIED_OUT: Final = OpenApiResponse(
    RunSerializer, description="Decided; `Location` is the run that carries it out."
)
_EXAMPLE: Final = OpenApiExample(
    "Another project",
    value={"decision": "choose", "choice": {"project": 7}, "reason": "asked the owner"},
    request_only=True,
)


class ReviewListView(GenericAPIView[ReviewItem]):
    """Items of all runs; what waits is found by `waiting=true`."""

    queryset = ReviewItem.objects.select_related("run", "decided_by")
    serializer_class = ReviewSerializer
    pagination_class = Pages
    filter_backends = (filters.DjangoFilterBackend, WholeOrder)
    filterset_class = ReviewFilters
    ordering_fields = ("confidence", "decided_at", "key", "id")
    ordering = ("-id",)

    def get_queryset(self) -> Any:
        return super().get_queryset().with_waiting()  # type: ignore[attr-defined]  # ours

    @extend_schema(operation_id="reviews_list", responses=ReviewSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_reader(request, "reviews")
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class ReviewView(APIView):
    """One item with its evidence."""

    @extend_schema(operation_id="reviews_retrieve", responses=ReviewDetailSerializer)
    def get(self, request: Request, number: int) -> Response:
        refuse_reader(request, "reviews", hidden=True)
        return Response(ReviewDetailSerializer(_item(number)).data)


class DecisionView(APIView):
    """Decide one item; a run carries it out, unless it is skipped."""

    @extend_schema(
        operation_id="reviews_decide",
        request=DecisionSerializer,
        responses={200: NOTHING, 202: _CARRIED_OUT},
        examples=[_EXAMPLE],
    )
    @idempotent
    def post(self, request: Request, number: int) -> Response:
        given = DecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        item = _item(number)
        return _decided(request, item.run, [item.key], given.validated_data)


class BulkDecisionView(APIView):
    """Decide many items of a run at once, all or none of them."""

    @extend_schema(
        operation_id="reviews_decide_many",
        request=BulkDecisionSerializer,
        responses={200: NOTHING, 202: _CARRIED_OUT},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = BulkDecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        values = given.validated_data
        return _decided(request, get_reviewed_run(str(values["run"])), values["keys"], values)


def _item(number: int) -> ReviewItem:
    items = ReviewItem.objects.select_related("run", "decided_by").with_waiting()
    return get_object_or_404(items, pk=known_id(number))


def _decided(request: Request, run: Run, keys: list[str], given: dict[str, Any]) -> Response:
    """202 and the run that carries it out; 200 for what is skipped, and where nothing waits."""
    decision_run = decide(
        run,
        DECISIONS[given["decision"]],
        keys,
        choice=given.get("choice"),
        reason=given["reason"],
        acting_user=caller(request),
        surface=SURFACE,
    )
    if decision_run is None:
        return nothing(get_definition(run.definition), RunKind.APPLY)
    return accepted(request, decision_run)
