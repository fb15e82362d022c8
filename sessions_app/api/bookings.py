"""``/api/v1/bookings/``: one's own bookings, and those of the lessons that one runs."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from django_filters.rest_framework import DjangoFilterBackend
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import caller
from migrations_tools.api.fields import given
from migrations_tools.api.filters import IdFilter, InstantFilter, WholeOrder
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import tagged
from sessions_app.api.lesson_deeds import booked, booking_told
from sessions_app.api.lesson_shapes import (
    AttendanceSerializer,
    BookingSerializer,
    NewBookingSerializer,
)
from sessions_app.models import AttendanceStatus, Booking, BookingStatus
from sessions_app.selectors.lessons import (
    booking_item,
    booking_rows,
    get_booking,
    viewer_of,
    visible_bookings,
)
from sessions_app.services.lessons import (
    cancel_booking,
    check_in,
    confirm_booking,
    record_attendance,
)


class BookingFilters(filters.FilterSet):
    """``lesson`` is a public id, ``student`` an account's id."""

    lesson = filters.CharFilter(field_name="lesson__session__session_id", max_length=255)
    student = IdFilter(field_name="student_id")
    status = filters.ChoiceFilter(choices=BookingStatus.choices)
    starts_after = InstantFilter(field_name="lesson__starts_at", lookup_expr="gte")
    starts_before = InstantFilter(field_name="lesson__starts_at", lookup_expr="lt")

    class Meta:
        model = Booking
        fields: list[str] = []


class BookingListView(GenericAPIView[Booking]):
    """Bookings, the newest first; and new ones."""

    serializer_class = BookingSerializer
    pagination_class = Pages
    filter_backends = (DjangoFilterBackend, WholeOrder)
    filterset_class = BookingFilters
    ordering_fields = ("created_at", "lesson__starts_at")
    ordering = ("-created_at",)
    queryset = Booking.objects.none()  # tells the description of what; see `get`

    @extend_schema(operation_id="bookings_list", responses=BookingSerializer(many=True))
    def get(self, request: Request) -> Response:
        """One's own bookings, and all bookings of the lessons that one runs."""
        bookings = self.filter_queryset(visible_bookings(viewer_of(request.user)))
        rows: Any = self.paginate_queryset(booking_rows(bookings))  # `Pages` takes any rows
        items = [booking_item(row) for row in rows]
        return self.get_paginated_response(BookingSerializer(items, many=True).data)

    @extend_schema(
        operation_id="bookings_create",
        request=NewBookingSerializer,
        responses={201: BookingSerializer},
        examples=[OpenApiExample("A seat", {"lesson": "lesson-17"}, request_only=True)],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """A seat for the calling student, or the last place in the queue; charged either way."""
        return booked(request, given(NewBookingSerializer, request)["lesson"])


class BookingView(GenericAPIView[Any]):
    """One booking."""

    serializer_class = BookingSerializer

    @extend_schema(operation_id="bookings_retrieve")
    def get(self, request: Request, booking: int) -> Response:
        """One's own booking, or one of a lesson that one runs."""
        return tagged(booking_told(request, booking))


class CancelBookingView(GenericAPIView[Any]):
    """Leaving a lesson or its queue."""

    serializer_class = BookingSerializer

    @extend_schema(operation_id="bookings_cancel", request=None, responses=BookingSerializer)
    @idempotent
    def post(self, request: Request, booking: int) -> Response:
        """Until 12 hours before the start; refunded, and the first waiter gets the seat."""
        cancel_booking(booking, acting_user=caller(request))
        return Response(booking_told(request, booking))


class ConfirmBookingView(GenericAPIView[Any]):
    """A seat out of turn."""

    serializer_class = BookingSerializer

    @extend_schema(operation_id="bookings_confirm", request=None, responses=BookingSerializer)
    @idempotent
    def post(self, request: Request, booking: int) -> Response:
        """Give a waiter a free seat, for whoever runs the lesson."""
        confirm_booking(booking, acting_user=caller(request))
        return Response(booking_told(request, booking))


class CheckInBookingView(GenericAPIView[Any]):
    """Checking in by one's booking."""

    serializer_class = BookingSerializer

    @extend_schema(operation_id="bookings_check_in", request=None, responses=BookingSerializer)
    @idempotent
    def post(self, request: Request, booking: int) -> Response:
        """The calling student is there: from 15 minutes before the start to the end."""
        found = get_booking(request.user, booking)
        check_in(found.lesson.session_id, acting_user=caller(request))
        return Response(booking_told(request, booking))


class BookingAttendanceView(GenericAPIView[Any]):
    """Whether the student of a booking came."""

    serializer_class = AttendanceSerializer

    @extend_schema(operation_id="bookings_record_attendance", responses=BookingSerializer)
    @idempotent
    def post(self, request: Request, booking: int) -> Response:
        """For whoever runs the lesson; recorded again, the last word counts."""
        found = get_booking(request.user, booking)
        record_attendance(
            found.lesson.session_id,
            found.student.id,
            AttendanceStatus(given(AttendanceSerializer, request)["status"]),
            acting_user=caller(request),
        )
        return Response(booking_told(request, booking))
