"""``/api/v1/agent-sessions/``: one's own agent sessions, for staff all of them (agents.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.fields import given
from migrations_tools.api.filters import IdFilter, InstantFilter, Search, WholeOrder, YesNoFilter
from migrations_tools.api.idempotency import idempotent, idempotent_apart
from migrations_tools.api.pages import Entries, Pages
from migrations_tools.api.versions import tagged
from sessions_app.api.agent_shapes import (
    AGENT_STATUSES,
    ActivityEventSerializer,
    AgentSessionSerializer,
    AssignProjectSerializer,
    EndAgentSessionSerializer,
    NewActivityEventSerializer,
    NewAgentSessionSerializer,
    ProjectSwitchSerializer,
    SwitchProjectSerializer,
)
from sessions_app.models import UNASSIGNED_ID, ActivityEvent, AgentSession, Session
from sessions_app.models.session import SessionQuerySet
from sessions_app.selectors.agent_visibility import find_agent_session, visible_agent_sessions
from sessions_app.services import agent_sessions
from sessions_app.services.agent_sessions import Forbidden, SessionNotFound

_NEW = OpenApiExample(
    "In one's current project",
    {"title": "Fix the door", "metadata": {"agent_type": "coder"}},
    request_only=True,
)


class AgentSessionFilters(filters.FilterSet):
    """``orphan``: without a project; ``parked``: on the project that parks sessions."""

    status = filters.ChoiceFilter(choices=AGENT_STATUSES)
    project = filters.UUIDFilter(field_name="project_id")
    user = IdFilter(field_name="user_id")
    orphan = YesNoFilter(field_name="project", lookup_expr="isnull")
    parked = YesNoFilter(method="keep_parked")
    active_after = InstantFilter(field_name="last_activity_at", lookup_expr="gte")
    active_before = InstantFilter(field_name="last_activity_at", lookup_expr="lt")

    class Meta:
        model = AgentSession
        fields: list[str] = []

    def keep_parked(self, sessions: SessionQuerySet, name: str, wanted: bool) -> SessionQuerySet:
        parked = Q(project=UNASSIGNED_ID)
        return sessions.filter(parked if wanted else ~parked | Q(project__isnull=True))


class AgentSessionListView(GenericAPIView[Session]):
    """Agent sessions, the newest first; and starting them."""

    serializer_class = AgentSessionSerializer
    pagination_class = Pages
    filter_backends = (DjangoFilterBackend, Search, WholeOrder)
    filterset_class = AgentSessionFilters
    search_fields = ("session_id", "title", "description", "project__name")
    ordering_fields = ("created_at", "started_at", "ended_at", "last_activity_at", "title")
    ordering = ("-created_at",)
    queryset = AgentSession.objects.none()  # tells the description of what; see `get`

    @extend_schema(operation_id="agent_sessions_list", responses=AgentSessionSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One's own sessions; for staff everybody's."""
        page = self.paginate_queryset(self.filter_queryset(visible_agent_sessions(caller(request))))
        return self.get_paginated_response(AgentSessionSerializer(page, many=True).data)

    @extend_schema(
        operation_id="agent_sessions_start",
        request=NewAgentSessionSerializer,
        responses={201: AgentSessionSerializer},
        examples=[_NEW],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Start a session in its project: the given one, else the resolved one."""
        session = agent_sessions.start_session(
            **given(NewAgentSessionSerializer, request),
            acting_user=caller(request),
            surface=SURFACE,
        )
        address = reverse("api-agent-session", args=[session.session_id])
        return tagged(AgentSessionSerializer(session).data, status=201, location=address)


class AgentSessionView(GenericAPIView[Any]):
    serializer_class = AgentSessionSerializer

    @extend_schema(operation_id="agent_sessions_retrieve")
    def get(self, request: Request, session_id: str) -> Response:
        """One agent session, with its ``ETag``."""
        session = find_agent_session(caller(request), session_id)
        return tagged(AgentSessionSerializer(session).data)


class EndView(GenericAPIView[Any]):
    serializer_class = EndAgentSessionSerializer

    @extend_schema(operation_id="agent_sessions_end", responses=AgentSessionSerializer)
    @idempotent
    def post(self, request: Request, session_id: str) -> Response:
        """Complete a session, or give it up as abandoned. Ending twice is refused."""
        said = given(EndAgentSessionSerializer, request)
        return _done(
            request,
            session_id,
            agent_sessions.end_session,
            to_status=said["status"],
            reason=said["reason"],
        )


class SwitchView(GenericAPIView[Any]):
    """Repeated without a key, a switch changes nothing either."""

    serializer_class = SwitchProjectSerializer

    @extend_schema(operation_id="agent_sessions_switch", responses=AgentSessionSerializer)
    @idempotent_apart
    def post(self, request: Request, session_id: str) -> Response:
        """Move a session that has not ended to another project."""
        said = given(SwitchProjectSerializer, request)
        return _done(request, session_id, agent_sessions.switch_project, **said)


class AssignView(GenericAPIView[Any]):
    """Repeated, as `SwitchView`."""

    serializer_class = AssignProjectSerializer

    @extend_schema(operation_id="agent_sessions_assign", responses=AgentSessionSerializer)
    @idempotent_apart
    def post(self, request: Request, session_id: str) -> Response:
        """The same by name; an orphan gets its project even if it has ended."""
        said = given(AssignProjectSerializer, request)
        return _done(request, session_id, agent_sessions.assign_by_name, **said)


class RecoverView(GenericAPIView[Any]):
    serializer_class = AgentSessionSerializer

    @extend_schema(
        operation_id="agent_sessions_recover", request=None, responses=AgentSessionSerializer
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Go on with one's own newest session that is active or inactive; its end is cleared."""
        session = agent_sessions.recover_session(acting_user=caller(request), surface=SURFACE)
        return tagged(AgentSessionSerializer(session).data)


class SwitchListView(GenericAPIView[Any]):
    serializer_class = ProjectSwitchSerializer
    pagination_class = Pages

    @extend_schema(
        operation_id="agent_sessions_switches_list", responses=ProjectSwitchSerializer(many=True)
    )
    def get(self, request: Request, session_id: str) -> Response:
        """Every switch of a session on record, the newest first."""
        session = find_agent_session(caller(request), session_id)
        switches = session.project_switches.select_related("from_project", "to_project", "actor")
        page = self.paginate_queryset(switches.order_by("-pk"))
        return self.get_paginated_response(ProjectSwitchSerializer(page, many=True).data)


class EventListView(GenericAPIView[ActivityEvent]):
    serializer_class = ActivityEventSerializer
    pagination_class = Entries

    @extend_schema(
        operation_id="agent_sessions_events_list", responses=ActivityEventSerializer(many=True)
    )
    def get(self, request: Request, session_id: str) -> Response:
        """What happened in a session, in the order in which it became known."""
        session = find_agent_session(caller(request), session_id)
        events = ActivityEvent.objects.filter(session_ref=session.session_id)
        page = self.paginate_queryset(events)
        return self.get_paginated_response(ActivityEventSerializer(page, many=True).data)

    @extend_schema(
        operation_id="agent_sessions_events_create",
        request=NewActivityEventSerializer,
        responses={201: ActivityEventSerializer},
    )
    @idempotent
    def post(self, request: Request, session_id: str) -> Response:
        """Record what happens now in a session that has not ended; that is activity."""
        event = _acted(
            request,
            session_id,
            agent_sessions.record_event,
            **given(NewActivityEventSerializer, request),
        )
        return Response(ActivityEventSerializer(event).data, status=201)


def _done(
    request: Request, session_id: str, deed: Callable[..., Session], **values: Any
) -> Response:
    done = _acted(request, session_id, deed, **values)
    return tagged(AgentSessionSerializer(find_agent_session(caller(request), done.session_id)).data)


def _acted(request: Request, session_id: str, deed: Callable[..., Any], **values: Any) -> Any:
    """Act on a session. An attempt on another person's one is on record, and answered like one on
    a session that is not there.
    """
    session = agent_sessions.find_session(session_id)
    try:
        return deed(session, **values, acting_user=caller(request), surface=SURFACE)
    except Forbidden as refusal:
        raise SessionNotFound(
            _("There is no agent session “%(session_id)s”.") % {"session_id": session_id},
            session=session_id,
        ) from refusal
