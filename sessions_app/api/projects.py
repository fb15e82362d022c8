"""``/api/v1/projects/``: what agent sessions work on (agents.md)."""

from __future__ import annotations

import uuid
from typing import Any

from django.urls import reverse
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.fields import given
from migrations_tools.api.filters import Search, WholeOrder, YesNoFilter
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import require_match, tagged
from sessions_app.api.agent_shapes import ProjectSerializer, ProjectValuesSerializer
from sessions_app.models import Project, ProjectStatus
from sessions_app.selectors.agent_visibility import find_visible_project, visible_projects
from sessions_app.services.projects import create_project, delete_project, update_project

_NEW = OpenApiExample("A project", {"name": "Web shop"}, request_only=True)


class ProjectFilters(filters.FilterSet):
    status = filters.ChoiceFilter(choices=ProjectStatus.choices)
    is_primary = YesNoFilter()

    class Meta:
        model = Project
        fields: list[str] = []


class ProjectListView(GenericAPIView[Project]):
    """Projects by name; and new ones."""

    serializer_class = ProjectSerializer
    pagination_class = Pages
    filter_backends = (DjangoFilterBackend, Search, WholeOrder)
    filterset_class = ProjectFilters
    search_fields = ("name", "description")
    ordering_fields = ("name", "created_at", "status")
    ordering = ("name",)
    queryset = Project.objects.none()  # tells the description of what; see `get`

    @extend_schema(operation_id="projects_list", responses=ProjectSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The primary project and those that one works in; with the permission to view all."""
        page = self.paginate_queryset(self.filter_queryset(visible_projects(caller(request))))
        return self.get_paginated_response(ProjectSerializer(page, many=True).data)

    @extend_schema(
        operation_id="projects_create",
        request=ProjectValuesSerializer,
        responses={201: ProjectSerializer},
        examples=[_NEW],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a project, with the permission to."""
        values = given(ProjectValuesSerializer, request)
        reason = values.pop("reason")
        project = create_project(
            values, acting_user=caller(request), surface=SURFACE, reason=reason
        )
        address = reverse("api-project", args=[project.pk])
        return tagged(ProjectSerializer(project).data, status=201, location=address)


class ProjectView(GenericAPIView[Any]):
    serializer_class = ProjectSerializer

    @extend_schema(operation_id="projects_retrieve")
    def get(self, request: Request, project_id: uuid.UUID) -> Response:
        """One project, with its ``ETag``."""
        return tagged(ProjectSerializer(find_visible_project(caller(request), project_id)).data)

    @extend_schema(operation_id="projects_update", request=ProjectValuesSerializer)
    def patch(self, request: Request, project_id: uuid.UUID) -> Response:
        """Change a project, with the permission to. One project is primary at most."""
        find_visible_project(caller(request), project_id)
        body = ProjectValuesSerializer(data=request.data, partial=True)
        body.is_valid(raise_exception=True)
        values = dict(body.validated_data)
        project = update_project(
            project_id,
            {name: value for name, value in values.items() if name != "reason"},
            reason=values.get("reason", ""),
            acting_user=caller(request),
            surface=SURFACE,
            expected=lambda held: require_match(request, ProjectSerializer(held).data),
        )
        return tagged(ProjectSerializer(project).data)

    @extend_schema(operation_id="projects_destroy", request=None, responses={204: None})
    def delete(self, request: Request, project_id: uuid.UUID) -> Response:
        """Delete a project, with the permission to; 409 counts in `blocking` what names it."""
        find_visible_project(caller(request), project_id)
        delete_project(
            project_id,
            acting_user=caller(request),
            surface=SURFACE,
            expected=lambda held: require_match(request, ProjectSerializer(held).data),
        )
        return Response(status=204)
