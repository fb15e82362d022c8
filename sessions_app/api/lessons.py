"""``/api/v1/lessons/`` (lessons.md "List")."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import BigIntegerField
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.pages import Pages, page_answer
from sessions_app.models import SESSION_TRANSITIONS, Delivery, SessionKind, SessionStatus
from sessions_app.selectors.lessons import DEFAULT_PAGE_SIZE, LessonFilters, list_lessons

_LARGEST_ID: Final = BigIntegerField.MAX_BIGINT

_STATUSES: Final = [
    (status.value, status.label)
    for status in SessionStatus
    if status in SESSION_TRANSITIONS[SessionKind.LESSON]
]


class LessonQuerySerializer(serializers.Serializer[Any]):
    """What a list can be asked for; an empty value filters nothing."""

    page = serializers.IntegerField(default=1)
    page_size = serializers.IntegerField(default=DEFAULT_PAGE_SIZE)
    semester = serializers.IntegerField(min_value=1, max_value=_LARGEST_ID, required=False)
    cohort = serializers.IntegerField(min_value=1, max_value=_LARGEST_ID, required=False)
    instructor = serializers.IntegerField(min_value=1, max_value=_LARGEST_ID, required=False)
    delivery = serializers.ChoiceField(choices=Delivery.choices, required=False)
    status = serializers.ChoiceField(choices=_STATUSES, required=False)
    date_from = serializers.DateField(required=False)
    date_to = serializers.DateField(required=False)
    specialization = serializers.CharField(max_length=255, required=False)
    search = serializers.CharField(max_length=200, required=False)
    mine = serializers.BooleanField(default=False)


class SemesterReferenceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    name = serializers.CharField()


class ReferenceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


class OwnBookingSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    status = serializers.CharField()
    waitlist_position = serializers.IntegerField(allow_null=True)


class LessonItemSerializer(serializers.Serializer[Any]):
    """`sessions_app.selectors.lessons.LessonItem`; instants are answered with offset."""

    id = serializers.IntegerField()
    session_id = serializers.CharField()
    title = serializers.CharField()
    description = serializers.CharField()
    status = serializers.CharField()
    delivery = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    capacity = serializers.IntegerField()
    credit_cost = serializers.IntegerField()
    location = serializers.CharField()
    meeting_link = serializers.CharField(allow_null=True)
    target_specialization = serializers.CharField()
    open_to_all = serializers.BooleanField()
    sport_type = serializers.CharField()
    level = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    semester = SemesterReferenceSerializer()
    cohort = ReferenceSerializer(allow_null=True)
    instructor = ReferenceSerializer(allow_null=True)
    booking_count = serializers.IntegerField()
    confirmed_bookings = serializers.IntegerField()
    waitlist_count = serializers.IntegerField()
    attendance_count = serializers.IntegerField()
    average_rating = serializers.FloatField(allow_null=True)
    own_booking = OwnBookingSerializer(allow_null=True)


class LessonListView(GenericAPIView[Any]):
    """The lessons that the caller sees, in pages."""

    serializer_class = LessonItemSerializer
    pagination_class = Pages  # as described; the selector cuts the pages

    @extend_schema(
        operation_id="lessons_list",
        parameters=[LessonQuerySerializer],
        responses=LessonItemSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        asked = LessonQuerySerializer(
            data={name: value for name, value in request.query_params.items() if value != ""}
        )
        asked.is_valid(raise_exception=True)
        filters = dict(asked.validated_data)
        page, page_size = filters.pop("page"), filters.pop("page_size")
        found = list_lessons(
            request.user, filters=LessonFilters(**filters), page=page, page_size=page_size
        )
        return page_answer(
            request,
            count=found.count,
            number=page,
            size=page_size,
            results=LessonItemSerializer(found.items, many=True).data,
        )
