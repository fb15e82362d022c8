"""``/api/v1/guarantees/`` (guarantees.md "Running the department")."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from guarantees.action_errors import LetterRefused, NothingChanged
from guarantees.api.acting import ActsOnGuarantees
from guarantees.api.base import DatabaseViewSet
from guarantees.api.entering import EntersGuarantees
from guarantees.api.filters import GuaranteeFilters
from guarantees.api.history import HistoryEntrySerializer
from guarantees.api.letters import (
    LETTER_OPTIONS,
    LETTER_RESPONSES,
    LetterQuerySerializer,
    WritesLetters,
)
from guarantees.api.representations import GuaranteeSerializer
from guarantees.api.requests import CorrectionSerializer, NameDecisionSerializer
from guarantees.letters import newest_letter
from guarantees.models import Guarantee
from guarantees.selectors.history import history_of_number
from guarantees.services.correcting import correct_guarantee
from guarantees.services.deciding import decide_names
from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.versions import require_match


class DecidedSerializer(serializers.Serializer[Any]):
    """The guarantee as it is now, and the open rows of its batch that were decided with it."""

    guarantee = GuaranteeSerializer()
    guarantees = serializers.ListField(child=serializers.IntegerField())
    ready = serializers.IntegerField(help_text="How many of them became ready.")
    taught = serializers.BooleanField(help_text="Whether a name was learnt.")


class NumberQuerySerializer(serializers.Serializer[Any]):
    number = serializers.CharField(max_length=1_000)


class GuaranteeViewSet(WritesLetters, EntersGuarantees, ActsOnGuarantees, DatabaseViewSet):
    """Guarantees: what was imported, and what they currently are."""

    serializer_class = GuaranteeSerializer
    looked_at = Guarantee
    filterset_class = GuaranteeFilters
    search_fields = (
        "number",
        "raw_supplier_name",
        "raw_bank_name",
        "contract_number",
        "supplier__name",
        "supplier__display_name",
        "bank__name_en",
        "bank__name_ar",
    )
    ordering_fields = (
        "created_at",
        "number",
        "amount",
        "current_amount",
        "issue_date",
        "expiry_date",
        "current_expiry",
        "id",
    )
    ordering = ("-created_at", "-id")

    def get_queryset(self) -> QuerySet[Guarantee]:
        return Guarantee.objects.select_related("supplier", "bank")

    @extend_schema(
        request=CorrectionSerializer,
        responses=GuaranteeSerializer,
        examples=[
            OpenApiExample("An amount", value={"amount": "1,500.00"}, request_only=True),
        ],
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Correct what was imported, while nothing protects it; what currently holds follows."""
        given = CorrectionSerializer(data=request.data, partial=True)
        given.is_valid(raise_exception=True)
        with suppress(NothingChanged):  # then it is as it was asked to be
            correct_guarantee(
                int(pk),
                given.validated_data,
                before=lambda now: require_match(request, GuaranteeSerializer(now).data),
                acting_user=caller(request),
                surface=SURFACE,
            )
        return self.shown(int(pk))

    @extend_schema(
        operation_id="guarantees_history",
        responses=HistoryEntrySerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"])
    def history(self, request: Request, pk: str) -> Response:
        """What happened to the guarantees of its number, the newest first, with differences."""
        return self._history(self.get_object().number)

    @extend_schema(
        operation_id="guarantees_history_of_number",
        parameters=[OpenApiParameter("number", str, required=True)],
        responses=HistoryEntrySerializer(many=True),
        filters=False,
    )
    @action(detail=False, methods=["get"], url_path="history")
    def history_of(self, request: Request) -> Response:
        """What happened to a number, also one that is known from rows of the old system alone."""
        asked = NumberQuerySerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        return self._history(asked.validated_data["number"])

    def _history(self, number: str) -> Response:
        page = self.paginate_queryset(history_of_number(number))
        return self.get_paginated_response(HistoryEntrySerializer(page, many=True).data)

    @extend_schema(
        operation_id="guarantees_letter",
        parameters=[LetterQuerySerializer],
        responses=LETTER_RESPONSES,
        filters=False,
    )
    @action(detail=True, methods=["get"], **LETTER_OPTIONS)
    def letter(self, request: Request, pk: str) -> Response:
        """The letter of its newest issued extension or release."""
        guarantee = self.get_object()
        found = newest_letter(guarantee.pk)
        if found is None:
            raise LetterRefused(
                _("No issued extension or release of guarantee %(number)s has a letter.")
                % {"number": guarantee.number},
                guarantee=guarantee.pk,
            )
        return self.letters(request, [found])

    @extend_schema(
        operation_id="guarantees_match",
        request=NameDecisionSerializer,
        responses=DecidedSerializer,
        examples=[OpenApiExample("A supplier", value={"supplier": 7}, request_only=True)],
    )
    @action(detail=True, methods=["post"])
    @idempotent
    def match(self, request: Request, pk: str) -> Response:
        """Decide whom its names mean; the names are learnt, and open rows of the batch follow."""
        given = NameDecisionSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        asked = given.validated_data
        decided = decide_names(
            int(pk),
            supplier_id=asked.get("supplier"),
            bank_id=asked.get("bank"),
            reason=asked["reason"],
            acting_user=caller(request),
            surface=SURFACE,
        )
        return Response(
            {
                "guarantee": self.representation(int(pk)),
                "guarantees": decided.guarantees,
                "ready": decided.ready,
                "taught": decided.has_taught,
            }
        )
