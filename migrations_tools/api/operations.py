"""``/api/v1/health/`` and ``/api/v1/governor/``: is all well, and stopping all runs (SPEC §4)."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import SURFACE, caller, refuse_reader
from migrations_tools.api.fields import ReasonField
from migrations_tools.api.idempotency import idempotent
from migrations_tools.models import Governor
from migrations_tools.selectors.health import health
from migrations_tools.services.governor import let_runs_go, stop_all_runs


class HealthSerializer(serializers.Serializer[Any]):
    """What ``datamigrate health --json`` answers. A signal that is not watched is null."""

    ok = serializers.BooleanField()
    signals = serializers.DictField(child=serializers.FloatField(allow_null=True))
    strain = serializers.CharField(help_text="Why runs wait; empty: they do not.")
    stopped = serializers.CharField(help_text="Why all runs are stopped; empty: they are not.")
    migrations = serializers.DictField(child=serializers.DictField())


class GovernorSerializer(serializers.Serializer[Any]):
    """Whether all runs are stopped, by whom and why."""

    stopped = serializers.BooleanField()
    reason = serializers.CharField()
    changed_by = serializers.CharField(source="changed_by.username", default=None, allow_null=True)
    changed_at = serializers.DateTimeField(allow_null=True)


class GovernorReasonSerializer(serializers.Serializer[Any]):
    """Why; a stop needs a reason, which everybody sees."""

    reason = ReasonField()


class HealthView(APIView):
    """Whether database and migrations are well. Answers 200 where they are not, too."""

    @extend_schema(operation_id="health", responses=HealthSerializer)
    def get(self, request: Request) -> Response:
        refuse_reader(request, "health")
        return Response(health())


class GovernorView(APIView):
    """The global stop."""

    @extend_schema(operation_id="governor_retrieve", responses=GovernorSerializer)
    def get(self, request: Request) -> Response:
        refuse_reader(request, "runs")
        found = Governor.objects.select_related("changed_by").first() or Governor()
        return Response(GovernorSerializer(found).data)


class StopView(APIView):
    """No worker begins a batch of any run; batches in hand end."""

    @extend_schema(
        operation_id="governor_stop", request=GovernorReasonSerializer, responses=GovernorSerializer
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = GovernorReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        who: dict[str, Any] = {"acting_user": caller(request), "surface": SURFACE}
        return Response(GovernorSerializer(stop_all_runs(**given.validated_data, **who)).data)


class GoView(APIView):
    """Let runs go on that were stopped."""

    @extend_schema(
        operation_id="governor_go", request=GovernorReasonSerializer, responses=GovernorSerializer
    )
    @idempotent
    def post(self, request: Request) -> Response:
        given = GovernorReasonSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        who: dict[str, Any] = {"acting_user": caller(request), "surface": SURFACE}
        return Response(GovernorSerializer(let_runs_go(**given.validated_data, **who)).data)
