"""What students and staff do at a lesson: book, check in, record (lessons.md)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import caller
from migrations_tools.api.fields import asked, given
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from sessions_app.api.lesson_shapes import (
    BookingSerializer,
    StudentAttendanceSerializer,
)
from sessions_app.models import AttendanceStatus, BookingStatus
from sessions_app.selectors.lessons import bookings_of_lesson, get_booking, public_id_of
from sessions_app.services.lessons import (
    book_lesson,
    check_in,
    record_attendance,
)


class BookingStatusQuerySerializer(serializers.Serializer[Any]):
    status = serializers.ChoiceField(choices=BookingStatus.choices, required=False)


class LessonBookingsView(GenericAPIView[Any]):
    """The bookings of a lesson, for whoever runs it."""

    serializer_class = BookingSerializer
    pagination_class = Pages

    @extend_schema(
        operation_id="lessons_bookings_list",
        parameters=[BookingStatusQuerySerializer],
        responses=BookingSerializer(many=True),
    )
    def get(self, request: Request, lesson: str) -> Response:
        """Confirmed first, then the queue in its order, then cancelled ones."""
        status = asked(BookingStatusQuerySerializer, request).get("status")
        return _bookings(self, request, lesson, status)


class LessonWaitlistView(GenericAPIView[Any]):
    """The queue of a lesson, for whoever runs it."""

    serializer_class = BookingSerializer
    pagination_class = Pages

    @extend_schema(operation_id="lessons_waitlist_list", responses=BookingSerializer(many=True))
    def get(self, request: Request, lesson: str) -> Response:
        """Those who wait for a seat, the first on top."""
        return _bookings(self, request, lesson, BookingStatus.WAITLISTED)


class BookLessonView(GenericAPIView[Any]):
    """Booking a lesson."""

    serializer_class = BookingSerializer

    @extend_schema(operation_id="lessons_book", request=None, responses={201: BookingSerializer})
    @idempotent
    def post(self, request: Request, lesson: str) -> Response:
        """A seat for the calling student, or the last place in the queue; charged either way."""
        return booked(request, lesson)


class CheckInView(GenericAPIView[Any]):
    """Checking in to a lesson."""

    serializer_class = BookingSerializer

    @extend_schema(operation_id="lessons_check_in", request=None, responses=BookingSerializer)
    @idempotent
    def post(self, request: Request, lesson: str) -> Response:
        """The calling student is there: from 15 minutes before the start to the end."""
        attendance = check_in(public_id_of(lesson), acting_user=caller(request))
        return Response(booking_told(request, attendance.booking_id))


class LessonAttendanceView(GenericAPIView[Any]):
    """Who came, for whoever runs the lesson."""

    serializer_class = StudentAttendanceSerializer

    @extend_schema(operation_id="lessons_record_attendance", responses=BookingSerializer)
    @idempotent
    def post(self, request: Request, lesson: str) -> Response:
        """Whether a student came; recorded again, the last word counts."""
        asked_for = given(StudentAttendanceSerializer, request)
        attendance = record_attendance(
            public_id_of(lesson),
            asked_for["student"],
            AttendanceStatus(asked_for["status"]),
            acting_user=caller(request),
        )
        return Response(booking_told(request, attendance.booking_id))


def booked(request: Request, lesson: str) -> Response:
    """Book for the caller."""
    booking = book_lesson(public_id_of(lesson), acting_user=caller(request))
    address = reverse("api-booking", args=[booking.pk])
    return Response(booking_told(request, booking.pk), status=201, headers={"Location": address})


def booking_told(request: Request, booking_id: int) -> Any:
    return BookingSerializer(get_booking(request.user, booking_id)).data


def _bookings(
    view: GenericAPIView[Any], request: Request, lesson: str, status: str | None
) -> Response:
    found = bookings_of_lesson(request.user, public_id_of(lesson))
    wanted = [item for item in found if status in (None, item.status)]
    page = view.paginate_queryset(wanted)
    return view.get_paginated_response(BookingSerializer(page or [], many=True).data)
