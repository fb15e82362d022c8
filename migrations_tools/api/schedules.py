"""``/api/v1/schedules/``: what is done by the clock (SPEC §6)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.access import SURFACE, caller, refuse_reader
from migrations_tools.api.fields import TextField, given
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import require_match, tagged
from migrations_tools.services.schedules import (
    DEEDS,
    get_schedule,
    remove_schedule,
    reschedule,
    schedule,
    schedule_told,
    schedules,
)


class TimesSerializer(serializers.Serializer[Any]):
    """When: minute, hour, day of the month, month, day of the week."""

    at = TextField(max_length=250, help_text="A crontab line, such as `0 2 * * *`.")


class NewScheduleSerializer(TimesSerializer):
    """What, of which data migration, and when."""

    deed = serializers.ChoiceField(choices=list(DEEDS))
    migration = TextField(max_length=100, required=False, allow_null=True, default=None)


class ScheduleSerializer(serializers.Serializer[Any]):
    """What is done when; times are those of the time zone."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    deed = serializers.ChoiceField(choices=list(DEEDS))
    migration = serializers.CharField(allow_null=True)
    at = serializers.CharField()
    time_zone = serializers.CharField()
    enabled = serializers.BooleanField()
    last_run_at = serializers.DateTimeField(allow_null=True)


class ScheduleListView(GenericAPIView[Any]):
    """Schedules by name; and new ones."""

    serializer_class = ScheduleSerializer
    pagination_class = Pages

    @extend_schema(operation_id="schedules_list", responses=ScheduleSerializer(many=True))
    def get(self, request: Request) -> Response:
        refuse_reader(request, "runs")
        page = self.paginate_queryset([schedule_told(task) for task in schedules()])
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(
        operation_id="schedules_create",
        description="Have something done by the clock. A schedule for the same is replaced.",
        request=NewScheduleSerializer,
        responses={
            201: OpenApiResponse(ScheduleSerializer, description="`Location` is the schedule.")
        },
        examples=[
            OpenApiExample(
                "A delta run every night",
                value={"deed": "run", "migration": "split_imported_records", "at": "0 2 * * *"},
                request_only=True,
            )
        ],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        said = given(NewScheduleSerializer, request)
        made = schedule(
            said["deed"],
            said["migration"],
            at=said["at"],
            acting_user=caller(request),
            surface=SURFACE,
        )
        address = request.build_absolute_uri(reverse("api-schedule", args=[made.pk]))
        return tagged(_told(made), status=201, location=address)


class ScheduleView(APIView):
    """One schedule."""

    @extend_schema(operation_id="schedules_retrieve", responses=ScheduleSerializer)
    def get(self, request: Request, number: int) -> Response:
        refuse_reader(request, "runs", hidden=True)
        return tagged(_told(get_schedule(number)))

    @extend_schema(
        operation_id="schedules_change", request=TimesSerializer, responses=ScheduleSerializer
    )
    def patch(self, request: Request, number: int) -> Response:
        """Have it done at other times."""
        changed = reschedule(
            number,
            **given(TimesSerializer, request),
            acting_user=caller(request),
            surface=SURFACE,
            expected=lambda held: require_match(request, _told(held)),
        )
        return tagged(_told(changed))

    @extend_schema(operation_id="schedules_destroy", request=None, responses={204: None})
    def delete(self, request: Request, number: int) -> Response:
        """Do it by the clock no longer."""
        remove_schedule(
            number,
            acting_user=caller(request),
            surface=SURFACE,
            expected=lambda held: require_match(request, _told(held)),
        )
        return Response(status=204)


def _told(task: Any) -> Any:
    return ScheduleSerializer(schedule_told(task)).data
