"""What concerns all agent sessions: health, alerts, time-out; and which project comes next."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.idempotency import idempotent
from sessions_app.api.agent_shapes import (
    AgentAlertSerializer,
    AgentHealthSerializer,
    ProjectResolutionSerializer,
    TimedOutSessionsSerializer,
)
from sessions_app.selectors.agent_health import agent_health
from sessions_app.services import agent_sessions
from sessions_app.services.agent_sessions.permissions import require_work_on_all


class AgentHealthView(GenericAPIView[Any]):
    serializer_class = AgentHealthSerializer

    @extend_schema(operation_id="agent_sessions_health")
    def get(self, request: Request) -> Response:
        """Orphans, parked ones and those that wait for a person; runs; what is not sound."""
        return Response(AgentHealthSerializer(_health(request)).data)


class AgentAlertsView(GenericAPIView[Any]):
    serializer_class = AgentAlertSerializer
    pagination_class = None

    @extend_schema(
        operation_id="agent_sessions_alerts_list", responses=AgentAlertSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """What somebody should look at: a list, empty at best."""
        return Response(AgentAlertSerializer(_health(request)["alerts"], many=True).data)


class TimeOutView(GenericAPIView[Any]):
    serializer_class = TimedOutSessionsSerializer

    @extend_schema(operation_id="agent_sessions_time_out", request=None)
    @idempotent
    def post(self, request: Request) -> Response:
        """Make sessions inactive that nothing happened in for two hours; for staff."""
        number = agent_sessions.time_out_sessions(acting_user=caller(request), surface=SURFACE)
        return Response({"timed_out": number})


class ResolutionView(GenericAPIView[Any]):
    serializer_class = ProjectResolutionSerializer

    @extend_schema(operation_id="agent_sessions_resolution")
    def get(self, request: Request) -> Response:
        """The project that a new session of the caller would get, and why; nothing is made."""
        project, source = agent_sessions.choose_project(caller(request))
        return Response(ProjectResolutionSerializer({"project": project, "chosen_by": source}).data)


def _health(request: Request) -> dict[str, Any]:
    require_work_on_all(
        action="look at the health of", acting_user=caller(request), surface=SURFACE
    )
    return agent_health()
