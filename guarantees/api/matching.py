"""``/api/v1/unmatched-names/`` and ``/api/v1/duplicates/``: what a person has to look at."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from guarantees.api.base import MayLook
from guarantees.api.entering import SuggestionSerializer
from guarantees.models import Guarantee
from guarantees.selectors.duplicates import duplicate_groups
from guarantees.selectors.open_names import COLUMNS, open_names, with_suggestions
from migrations_tools.api.fields import IdField
from migrations_tools.api.pages import Pages


class UnmatchedQuerySerializer(serializers.Serializer[Any]):
    party = serializers.ChoiceField(choices=list(COLUMNS), default="supplier")
    batch = IdField(required=False)


class CandidateSerializer(SuggestionSerializer):
    id = serializers.IntegerField(source="pk")
    found_by = serializers.CharField(source="tier")


class UnmatchedNameSerializer(serializers.Serializer[Any]):
    """A written name of a batch. Deciding it for ``guarantee`` decides it for all of them."""

    name = serializers.CharField(source="raw_name")
    batch = serializers.IntegerField(source="batch.pk")
    guarantee = serializers.IntegerField()
    guarantees = serializers.IntegerField(help_text="How many have the name.")
    suggestions = CandidateSerializer(many=True)


class UnmatchedNamesView(GenericAPIView[Any]):
    """Names of suppliers or banks that nobody has decided yet, with suggestions.

    Decide one by ``POST /api/v1/guarantees/{guarantee}/match/``.
    """

    serializer_class = UnmatchedNameSerializer
    permission_classes = (IsAuthenticated, MayLook)
    pagination_class = Pages
    looked_at = Guarantee

    @extend_schema(
        operation_id="unmatched_names_list",
        parameters=[UnmatchedQuerySerializer],
        responses=UnmatchedNameSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        given = UnmatchedQuerySerializer(
            data={name: value for name, value in request.query_params.items() if value != ""}
        )
        given.is_valid(raise_exception=True)
        party = given.validated_data["party"]
        names = open_names(party, batch=given.validated_data.get("batch"))
        found = with_suggestions(party, self.paginate_queryset(names) or [])
        return self.get_paginated_response(UnmatchedNameSerializer(found, many=True).data)


class DuplicateSerializer(serializers.Serializer[Any]):
    """Guarantees with the same number, bank, amount and expiry; ``guarantees`` are their ids."""

    number = serializers.CharField(source="key")
    bank = serializers.IntegerField(
        allow_null=True, help_text="Null: nobody knows it, and the names as written are the same."
    )
    amount = serializers.DecimalField(max_digits=16, decimal_places=2, allow_null=True)
    expiry_date = serializers.DateField(allow_null=True)
    count = serializers.IntegerField()
    guarantees = serializers.ListField(child=serializers.IntegerField())


class DuplicatesView(GenericAPIView[Any]):
    """Guarantees that seem to be in twice. They are flagged only: a person can tell."""

    serializer_class = DuplicateSerializer
    permission_classes = (IsAuthenticated, MayLook)
    pagination_class = Pages
    looked_at = Guarantee

    @extend_schema(operation_id="duplicates_list", responses=DuplicateSerializer(many=True))
    def get(self, request: Request) -> Response:
        page = self.paginate_queryset(duplicate_groups())
        return self.get_paginated_response(DuplicateSerializer(page, many=True).data)
