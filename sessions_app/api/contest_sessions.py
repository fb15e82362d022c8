"""``/api/v1/contest-sessions/``: saving, lists, and the document of 19 fields (contests.md)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.exceptions import Throttled
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import caller
from migrations_tools.api.filters import InstantFilter, IntegerFilter, Search, WholeOrder
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import tagged
from sessions_app.api.contest_shapes import (
    CONTEST_STATUSES,
    ContestDocumentSerializer,
    ContestItemSerializer,
    NewContestSessionSerializer,
    SavedContestSessionSerializer,
)
from sessions_app.models import ContestSession, Session
from sessions_app.selectors.contest_document import contest_document
from sessions_app.selectors.contest_sessions import (
    find_contest_session,
    visible_contest_sessions,
)
from sessions_app.services.contest_sessions import (
    PAUSE,
    SavedTooSoon,
    SaveOutcome,
    save_contest_session,
)

_NEW = OpenApiExample(
    "Two problems",
    {
        "session_id": "2022-a-1",
        "year": 2022,
        "contest": "AMC 10A",
        "mode": "practice",
        "problems_attempted": [
            {"problem_number": 1, "is_correct": True, "selected_answer": "D", "time_spent_ms": 595},
            {"problem_number": 2, "is_correct": False, "selected_answer": "A"},
        ],
    },
    request_only=True,
)


class ContestSessionFilters(filters.FilterSet):
    username = filters.CharFilter(field_name="contest_result__username", max_length=255)
    contest = filters.CharFilter(
        field_name="contest_result__contest", lookup_expr="iexact", max_length=255
    )
    year = IntegerFilter(field_name="contest_result__year", min_value=1, max_value=9_999)
    mode = filters.CharFilter(field_name="contest_result__mode", max_length=255)
    status = filters.ChoiceFilter(choices=CONTEST_STATUSES)
    created_after = InstantFilter(field_name="created_at", lookup_expr="gte")
    created_before = InstantFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = ContestSession
        fields: list[str] = []


class ContestSessionListView(GenericAPIView[Session]):
    """Contest sessions, the newest first; and saving them."""

    serializer_class = ContestItemSerializer
    pagination_class = Pages
    filter_backends = (DjangoFilterBackend, Search, WholeOrder)
    filterset_class = ContestSessionFilters
    search_fields = ("title", "contest_result__contest", "contest_result__username")
    ordering_fields = ("created_at", "ended_at", "contest_result__score", "contest_result__year")
    ordering = ("-created_at",)
    queryset = ContestSession.objects.none()  # tells the description of what; see `get`

    @extend_schema(operation_id="contest_sessions_list", responses=ContestItemSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One's own; with the permission to view results, everybody's."""
        sessions = self.filter_queryset(visible_contest_sessions(caller(request)))
        page = self.paginate_queryset(sessions)
        return self.get_paginated_response(ContestItemSerializer(page, many=True).data)

    @extend_schema(
        operation_id="contest_sessions_save",
        request=NewContestSessionSerializer,
        responses={200: SavedContestSessionSerializer, 201: SavedContestSessionSerializer},
        examples=[_NEW],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Save one's own session: 201 for a new one, 200 for one that was there.

        400 for missing data, 429 within a second of one's last save. The same content again
        changes nothing.
        """
        document: Any = request.data  # the service says what of it cannot be
        try:
            saved = save_contest_session(document, acting_user=caller(request))
        except SavedTooSoon as refusal:  # DRF's own has the header Retry-After
            raise Throttled(PAUSE, refusal.message, refusal.code) from refusal
        told = {
            "session_id": saved.session.session_id,
            "outcome": saved.outcome,
            "warnings": saved.warnings,
        }
        address = reverse("api-contest-session", args=[saved.session.session_id])
        return Response(
            SavedContestSessionSerializer(told).data,
            status=201 if saved.outcome is SaveOutcome.CREATED else 200,
            headers={"Location": address},
        )


class ContestDocumentView(GenericAPIView[Any]):
    """A contest session whole."""

    serializer_class = ContestDocumentSerializer

    @extend_schema(operation_id="contest_sessions_document")
    def get(self, request: Request, session_id: str) -> Response:
        """The 19 fields in their order, then unknown keys of the old document."""
        return tagged(contest_document(find_contest_session(caller(request), session_id)))


class ContestSessionView(ContestDocumentView):
    """The same: a contest session is its document."""

    @extend_schema(operation_id="contest_sessions_retrieve")
    def get(self, request: Request, session_id: str) -> Response:
        """The 19 fields in their order, then unknown keys of the old document."""
        return super().get(request, session_id)
