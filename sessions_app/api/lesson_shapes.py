"""Lessons and bookings as the API tells and takes them (lessons.md "API behaviour")."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from migrations_tools.api.fields import LARGEST_ID, IdField
from sessions_app.api.requests import InstantField, NamedReferenceSerializer
from sessions_app.models import (
    SESSION_TRANSITIONS,
    AttendanceStatus,
    BookingStatus,
    Delivery,
    SessionKind,
    SessionStatus,
)
from sessions_app.selectors.lessons import DEFAULT_PAGE_SIZE

_LARGEST_INTEGER: Final = 2**31 - 1

LESSON_STATUSES: Final = [
    (status.value, status.label)
    for status in SessionStatus
    if status in SESSION_TRANSITIONS[SessionKind.LESSON]
]


class LessonQuerySerializer(serializers.Serializer[Any]):
    """What a list can be asked for; an empty value filters nothing."""

    page = serializers.IntegerField(default=1, max_value=LARGEST_ID)
    page_size = serializers.IntegerField(default=DEFAULT_PAGE_SIZE)
    semester = IdField(required=False)
    cohort = IdField(required=False)
    instructor = IdField(required=False)
    delivery = serializers.ChoiceField(choices=Delivery.choices, required=False)
    status = serializers.ChoiceField(choices=LESSON_STATUSES, required=False)
    date_from = serializers.DateField(required=False)
    date_to = serializers.DateField(required=False)
    specialization = serializers.CharField(max_length=255, required=False)
    search = serializers.CharField(max_length=200, required=False)
    mine = serializers.BooleanField(default=False)


class SemesterReferenceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
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
    cohort = NamedReferenceSerializer(allow_null=True)
    instructor = NamedReferenceSerializer(allow_null=True)
    booking_count = serializers.IntegerField()
    confirmed_bookings = serializers.IntegerField()
    waitlist_count = serializers.IntegerField()
    attendance_count = serializers.IntegerField()
    average_rating = serializers.FloatField(allow_null=True)
    own_booking = OwnBookingSerializer(allow_null=True)


class LessonValuesSerializer(serializers.Serializer[Any]):
    """What can be said of a lesson; texts are null or blank for none. The services hold the rules
    of the whole, see `sessions_app.services.lessons.values`.
    """

    title = serializers.CharField(max_length=255, allow_blank=True)
    description = serializers.CharField(required=False, allow_blank=True, allow_null=True)
    semester = IdField()
    cohort = IdField(required=False, allow_null=True)
    instructor = IdField(required=False, allow_null=True)
    delivery = serializers.ChoiceField(choices=Delivery.choices, required=False)
    starts_at = InstantField()
    ends_at = InstantField()
    capacity = serializers.IntegerField(min_value=1, max_value=_LARGEST_INTEGER, required=False)
    credit_cost = serializers.IntegerField(min_value=0, max_value=_LARGEST_INTEGER, required=False)
    location = serializers.CharField(required=False, allow_blank=True, allow_null=True)
    meeting_link = serializers.CharField(
        max_length=2_000, required=False, allow_blank=True, allow_null=True
    )
    target_specialization = serializers.CharField(
        max_length=255, required=False, allow_blank=True, allow_null=True
    )
    open_to_all = serializers.BooleanField(required=False)
    sport_type = serializers.CharField(
        max_length=255, required=False, allow_blank=True, allow_null=True
    )
    level = serializers.CharField(max_length=255, required=False, allow_blank=True, allow_null=True)


class LessonStatusSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=LESSON_STATUSES)


class BookedLessonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    session_id = serializers.CharField()
    title = serializers.CharField()
    status = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class BookingSerializer(serializers.Serializer[Any]):
    """`sessions_app.selectors.lessons.BookingItem`: of the student id and name."""

    id = serializers.IntegerField()
    lesson = BookedLessonSerializer()
    student = NamedReferenceSerializer()
    status = serializers.ChoiceField(choices=BookingStatus.choices)
    waitlist_position = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    cancelled_at = serializers.DateTimeField(allow_null=True)
    attendance = serializers.ChoiceField(choices=AttendanceStatus.choices, allow_null=True)
    checked_in_at = serializers.DateTimeField(allow_null=True)


class NewBookingSerializer(serializers.Serializer[Any]):
    lesson = serializers.CharField(max_length=255, help_text="The lesson's `session_id` or `id`.")


class AttendanceSerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=AttendanceStatus.choices)


class StudentAttendanceSerializer(AttendanceSerializer):
    student = IdField()


class NewFeedbackSerializer(serializers.Serializer[Any]):
    rating = serializers.DecimalField(
        max_digits=6, decimal_places=2, coerce_to_string=False, help_text="1 to 5, two decimals."
    )
    comment = serializers.CharField(max_length=5_000, required=False, allow_blank=True, default="")
