"""``/api/v1/progress/``: what people make of contest sessions (contests.md)."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import SURFACE, caller
from migrations_tools.services.actors import require_permission
from sessions_app.api.contest_shapes import CohortProgressSerializer, ContestProgressSerializer
from sessions_app.selectors.contest_progress import cohort_progress, progress
from sessions_app.selectors.contest_sessions import VIEW_ALL, find_person


class OwnProgressView(GenericAPIView[Any]):
    serializer_class = ContestProgressSerializer

    @extend_schema(operation_id="progress_own")
    def get(self, request: Request) -> Response:
        """One's totals, last sessions, trend, topics, difficulties and place in the cohort."""
        return _told(caller(request))


class ProgressView(GenericAPIView[Any]):
    serializer_class = ContestProgressSerializer

    @extend_schema(operation_id="progress_retrieve")
    def get(self, request: Request, username: str) -> Response:
        """The same of somebody: of oneself, or with the permission to view results."""
        return _told(find_person(caller(request), username))


class CohortProgressView(GenericAPIView[Any]):
    serializer_class = CohortProgressSerializer

    @extend_schema(operation_id="progress_cohort")
    def get(self, request: Request) -> Response:
        """Everybody together, nobody named; with the permission to view results."""
        deed = "look at everybody's progress"
        require_permission(caller(request), VIEW_ALL, surface=SURFACE, deed=deed)
        return Response(CohortProgressSerializer(cohort_progress()).data)


def _told(person: User) -> Response:
    return Response(ContestProgressSerializer(progress(person)).data)
