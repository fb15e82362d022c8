"""``/api/v1/data-migrations/``: what can be carried over, and asking for it (SPEC §4)."""

from __future__ import annotations

from typing import Any, Final

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import refuse_reader, who
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.runs import ASKED, NOTHING, AskedSerializer, ask_for_run
from migrations_tools.definitions.registry import get_definition
from migrations_tools.selectors.definition_facts import definition_told, definitions_told
from migrations_tools.services.verification import request_verifications
from migrations_tools.states import RunKind


class DefinitionSerializer(serializers.Serializer[Any]):
    """A data migration and its newest apply or rollback run."""

    name = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    version = serializers.IntegerField()
    depends_on = serializers.ListField(child=serializers.CharField())
    cutover_key = serializers.CharField(allow_null=True)
    last_run = serializers.CharField(allow_null=True)
    kind = serializers.CharField(allow_null=True)
    state = serializers.CharField(allow_null=True)
    verification = serializers.CharField(allow_null=True)
    verified_at = serializers.DateTimeField(allow_null=True)


class ChoiceSerializer(serializers.Serializer[Any]):
    """A value that an option may have."""

    value = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # what people read


class OptionSerializer(serializers.Serializer[Any]):
    """An option of a data migration; the type is integer, number, boolean or string."""

    name = serializers.CharField()
    type = serializers.CharField()
    default = serializers.JSONField()
    help = serializers.CharField()
    choices = ChoiceSerializer(many=True)


class DefinitionDetailSerializer(DefinitionSerializer):
    """A data migration with its options and how much of it waits."""

    options = OptionSerializer(many=True)
    policies = serializers.ListField(child=serializers.CharField())
    pending = serializers.IntegerField(help_text="Source keys that wait for a run.")
    awaiting_review = serializers.IntegerField(help_text="Keys that wait for a person.")
    active_runs = serializers.ListField(child=serializers.CharField())
    cutover_stage = serializers.CharField(allow_null=True)


class DefinitionListView(GenericAPIView[Any]):
    """All data migrations by name."""

    serializer_class = DefinitionSerializer
    pagination_class = Pages

    @extend_schema(operation_id="data_migrations_list", responses=DefinitionSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_reader(request, "runs")
        page = self.paginate_queryset(definitions_told())
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class DefinitionView(APIView):
    """One data migration."""

    @extend_schema(operation_id="data_migrations_retrieve", responses=DefinitionDetailSerializer)
    def get(self, request: Request, name: str) -> Response:
        refuse_reader(request, "runs", hidden=True)
        told = definition_told(get_definition(name))
        return Response(DefinitionDetailSerializer(told).data)


class _Asking(APIView):
    """Leaves a run of some kind to the workers."""

    kind: str

    def ask(self, request: Request, name: str) -> Response:
        given = AskedSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        return ask_for_run(request, name, self.kind, given.validated_data)


_ANSWERS: Final = {200: NOTHING, 202: ASKED}


class PlanView(_Asking):
    """Ask for a forecast: everything is executed, and nothing kept."""

    kind = RunKind.PLAN

    @extend_schema(operation_id="data_migrations_plan", request=AskedSerializer, responses=_ANSWERS)
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        return self.ask(request, name)


class DryRunView(_Asking):
    """Ask for a dry run: the real thing with all keys, and nothing kept."""

    kind = RunKind.DRY_RUN

    @extend_schema(
        operation_id="data_migrations_dry_run", request=AskedSerializer, responses=_ANSWERS
    )
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        return self.ask(request, name)


class RunNowView(_Asking):
    """Ask for the real run; a worker plans it first."""

    kind = RunKind.APPLY

    @extend_schema(
        operation_id="data_migrations_run",
        request=AskedSerializer,
        responses=_ANSWERS,
        examples=[
            OpenApiExample(
                "Fifty keys",
                value={"options": {"skip_low_confidence": True}, "limit": 50, "reason": "a try"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        return self.ask(request, name)


class AskedVerificationsSerializer(serializers.Serializer[Any]):
    """Runs that workers verify now: all of the data migration that stand."""

    runs = serializers.ListField(child=serializers.UUIDField())


class VerifyAllView(APIView):
    """Have every run verified that stands; each tells the result by its `verification_state`."""

    @extend_schema(
        operation_id="data_migrations_verify",
        request=None,
        responses={
            202: OpenApiResponse(
                AskedVerificationsSerializer, description="`Location` is the data migration."
            )
        },
    )
    @idempotent
    def post(self, request: Request, name: str) -> Response:
        refuse_reader(request, "runs", hidden=True)
        definition = get_definition(name)
        asked = request_verifications(definition, **who(request))
        told = AskedVerificationsSerializer({"runs": [run.pk for run in asked]}).data
        location = request.build_absolute_uri(reverse("api-data-migration", args=[name]))
        return Response(told, status=202, headers={"Location": location})
