"""``/api/v1/semesters/`` and ``/api/v1/cohorts/`` (lessons.md)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.fields import IdField, ReasonSerializer, given
from migrations_tools.api.filters import IdFilter, Search, WholeOrder, YesNoFilter
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import require_match, tagged
from sessions_app.api.lesson_shapes import SemesterReferenceSerializer
from sessions_app.api.requests import NamedReferenceSerializer, PersonSerializer
from sessions_app.models import Cohort, Semester, SemesterStatus
from sessions_app.selectors.lessons import viewer_of
from sessions_app.selectors.lessons.semesters import (
    find_cohort,
    find_semester,
    visible_cohorts,
    visible_semesters,
)
from sessions_app.services.semesters import (
    create_cohort,
    create_semester,
    delete_cohort,
    delete_semester,
    rename_cohort,
    update_semester,
)

_NEW = OpenApiExample(
    "A term",
    {"code": "2026-S1", "name": "Spring", "start_date": "2026-01-01", "end_date": "2026-06-30"},
    request_only=True,
)


class SemesterSerializer(serializers.Serializer[Any]):
    """Of people id and name."""

    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()
    start_date = serializers.DateField(allow_null=True)
    end_date = serializers.DateField(allow_null=True)
    status = serializers.ChoiceField(choices=SemesterStatus.choices)
    is_active = serializers.BooleanField()
    master_instructor = PersonSerializer(allow_null=True)
    assistants = PersonSerializer(many=True)
    venue = serializers.CharField()
    city = serializers.CharField()
    address = serializers.CharField()
    cohorts = NamedReferenceSerializer(many=True)


class SemesterValuesSerializer(ReasonSerializer):
    """The services hold the rules; people are ids of accounts."""

    code = serializers.CharField(max_length=255, allow_blank=True)
    name = serializers.CharField(max_length=255)
    start_date = serializers.DateField()
    end_date = serializers.DateField()
    status = serializers.ChoiceField(choices=SemesterStatus.choices, required=False)
    is_active = serializers.BooleanField(required=False)
    master_instructor = IdField(required=False, allow_null=True)
    assistants = serializers.ListField(
        child=IdField(),
        max_length=100,
        required=False,
    )
    venue = serializers.CharField(max_length=255, required=False, allow_blank=True)
    city = serializers.CharField(max_length=255, required=False, allow_blank=True)
    address = serializers.CharField(max_length=5_000, required=False, allow_blank=True)


class CohortSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    semester = SemesterReferenceSerializer()


class CohortNameSerializer(ReasonSerializer):
    name = serializers.CharField(max_length=255)


class NewCohortSerializer(CohortNameSerializer):
    semester = IdField()


class SemesterFilters(filters.FilterSet):
    status = filters.ChoiceFilter(choices=SemesterStatus.choices)
    is_active = YesNoFilter()
    on = filters.DateFilter(method="keep_those_on")

    class Meta:
        model = Semester
        fields: list[str] = []

    def keep_those_on(self, semesters: Any, name: str, day: Any) -> Any:
        return semesters.filter(start_date__lte=day, end_date__gte=day)


class CohortFilters(filters.FilterSet):
    semester = IdFilter(field_name="semester_id")

    class Meta:
        model = Cohort
        fields: list[str] = []


class SemesterListView(GenericAPIView[Semester]):
    """Semesters, the newest first; and new ones."""

    serializer_class = SemesterSerializer
    pagination_class = Pages
    filter_backends = (DjangoFilterBackend, Search, WholeOrder)
    filterset_class = SemesterFilters
    search_fields = ("code", "name", "venue", "city")
    ordering_fields = ("start_date", "end_date", "code", "name")
    ordering = ("-start_date",)
    queryset = Semester.objects.none()  # tells the description of what; see `get`

    @extend_schema(operation_id="semesters_list", responses=SemesterSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Admins see all, instructors their own, students those that run."""
        semesters = self.filter_queryset(visible_semesters(viewer_of(request.user)))
        page = self.paginate_queryset(semesters) or []
        return self.get_paginated_response([_semester(each) for each in page])

    @extend_schema(
        operation_id="semesters_create",
        request=SemesterValuesSerializer,
        responses={201: SemesterSerializer},
        examples=[_NEW],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a semester; for admins."""
        values, reason = _values(request)
        semester = create_semester(
            values, acting_user=caller(request), surface=SURFACE, reason=reason
        )
        address = reverse("api-semester", args=[semester.pk])
        return tagged(_semester(semester), status=201, location=address)


class SemesterView(GenericAPIView[Any]):
    serializer_class = SemesterSerializer

    @extend_schema(operation_id="semesters_retrieve")
    def get(self, request: Request, semester: int) -> Response:
        """One semester, with its ``ETag``."""
        return tagged(_semester(find_semester(request.user, semester)))

    @extend_schema(operation_id="semesters_update", request=SemesterValuesSerializer)
    def patch(self, request: Request, semester: int) -> Response:
        """Change what is sent; for admins."""
        values, reason = _values(request)
        changed = update_semester(
            semester,
            values,
            acting_user=caller(request),
            surface=SURFACE,
            reason=reason,
            expected=lambda held: require_match(request, _semester(held)),
        )
        return tagged(_semester(changed))

    @extend_schema(operation_id="semesters_destroy", request=None, responses={204: None})
    def delete(self, request: Request, semester: int) -> Response:
        """Delete it, for admins; 409 counts in `blocking` what belongs to it."""
        delete_semester(
            semester,
            acting_user=caller(request),
            surface=SURFACE,
            expected=lambda held: require_match(request, _semester(held)),
        )
        return Response(status=204)


class CohortListView(GenericAPIView[Cohort]):
    """The groups of semesters, by name; and new ones."""

    serializer_class = CohortSerializer
    pagination_class = Pages
    filter_backends = (DjangoFilterBackend, Search, WholeOrder)
    filterset_class = CohortFilters
    search_fields = ("name", "semester__code", "semester__name")
    ordering_fields = ("name",)
    ordering = ("name",)
    queryset = Cohort.objects.none()  # tells the description of what; see `get`

    @extend_schema(operation_id="cohorts_list", responses=CohortSerializer(many=True))
    def get(self, request: Request) -> Response:
        """Those of the semesters that one sees."""
        cohorts = self.filter_queryset(visible_cohorts(viewer_of(request.user)))
        page = self.paginate_queryset(cohorts)
        return self.get_paginated_response(CohortSerializer(page, many=True).data)

    @extend_schema(
        operation_id="cohorts_create",
        request=NewCohortSerializer,
        responses={201: CohortSerializer},
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Make a cohort; for the semester's master and admins."""
        said = given(NewCohortSerializer, request)
        cohort = create_cohort(
            said.pop("semester"), **said, acting_user=caller(request), surface=SURFACE
        )
        address = reverse("api-cohort", args=[cohort.pk])
        return tagged(CohortSerializer(cohort).data, status=201, location=address)


class CohortView(GenericAPIView[Any]):
    serializer_class = CohortSerializer

    @extend_schema(operation_id="cohorts_retrieve")
    def get(self, request: Request, cohort: int) -> Response:
        """One cohort, with its ``ETag``."""
        return tagged(CohortSerializer(find_cohort(request.user, cohort)).data)

    @extend_schema(operation_id="cohorts_update", request=CohortNameSerializer)
    def patch(self, request: Request, cohort: int) -> Response:
        """Call it something else; for the semester's master and admins."""
        renamed = rename_cohort(
            find_cohort(request.user, cohort),
            **given(CohortNameSerializer, request),
            acting_user=caller(request),
            surface=SURFACE,
            expected=lambda held: require_match(request, CohortSerializer(held).data),
        )
        return tagged(CohortSerializer(renamed).data)

    @extend_schema(operation_id="cohorts_destroy", request=None, responses={204: None})
    def delete(self, request: Request, cohort: int) -> Response:
        """Delete it, for the semester's master and admins; 409 counts its lessons."""
        delete_cohort(
            find_cohort(request.user, cohort),
            acting_user=caller(request),
            surface=SURFACE,
            expected=lambda held: require_match(request, CohortSerializer(held).data),
        )
        return Response(status=204)


def _values(request: Request) -> tuple[dict[str, Any], str]:
    body = SemesterValuesSerializer(data=request.data, partial=True)
    body.is_valid(raise_exception=True)
    values = dict(body.validated_data)
    return values, values.pop("reason", "")


def _semester(semester: Semester) -> Any:
    names = {field.name: getattr(semester, field.name) for field in semester._meta.concrete_fields}
    names["master_instructor"] = semester.master_instructor
    told = {
        **names,
        "assistants": list(semester.assistants.all()),
        "cohorts": list(semester.cohorts.all()),
    }
    return SemesterSerializer(told).data
