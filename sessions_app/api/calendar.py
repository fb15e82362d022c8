"""``/api/v1/calendar/``: lessons as events of FullCalendar, and as an iCalendar feed (RFC 5545)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from migrations_tools.api.fields import asked
from sessions_app.selectors.lessons import calendar_events, icalendar_feed


class _EdgeField(serializers.DateTimeField):
    """A day or an instant, as FullCalendar writes them; without offset it is local time."""

    default_error_messages = {"far": gettext_lazy("A calendar shows the years 1900 to 9998.")}

    def enforce_timezone(self, value: datetime) -> datetime:
        if not 1900 <= value.year < 9999:
            self.fail("far")
        if timezone.is_naive(value):
            value = timezone.make_aware(value, timezone.get_default_timezone())
        return value.astimezone(UTC)  # PostgreSQL knows no offsets of 16 hours and more


class CalendarQuerySerializer(serializers.Serializer[Any]):
    start = _EdgeField(help_text="A day or an instant; the events that reach behind it.")
    end = _EdgeField(help_text="A day or an instant, up to 366 days later; not included.")


class CalendarEventPropertiesSerializer(serializers.Serializer[Any]):
    status = serializers.CharField()
    delivery = serializers.CharField()
    location = serializers.CharField()
    meeting_link = serializers.CharField(allow_null=True)
    semester = serializers.CharField()
    instructor = serializers.CharField(allow_null=True)
    capacity = serializers.IntegerField()
    confirmed_bookings = serializers.IntegerField()
    own_booking = serializers.CharField(allow_null=True)


class CalendarEventSerializer(serializers.Serializer[Any]):
    """An event object of FullCalendar; ``id`` is the lesson's public id."""

    id = serializers.CharField()
    title = serializers.CharField()
    start = serializers.DateTimeField()
    end = serializers.DateTimeField()
    extendedProps = CalendarEventPropertiesSerializer()  # noqa: N815 - the name that FullCalendar gives it


_WEEK = OpenApiExample(
    "A lesson",
    {
        "id": "lesson-17",
        "title": "Passing under pressure",
        "start": "2026-03-01T06:00:00+00:00",
        "end": "2026-03-01T07:00:00+00:00",
        "extendedProps": {
            "status": "scheduled",
            "delivery": "on_site",
            "location": "Hall 1",
            "meeting_link": None,
            "semester": "Spring 2026",
            "instructor": "Nora Haddad",
            "capacity": 20,
            "confirmed_bookings": 3,
            "own_booking": None,
        },
    },
    response_only=True,
)


class CalendarView(APIView):
    """The lessons that the caller sees, as a calendar asks for them."""

    @extend_schema(
        operation_id="calendar_events",
        parameters=[CalendarQuerySerializer],
        responses=CalendarEventSerializer(many=True),
        examples=[_WEEK],
    )
    def get(self, request: Request) -> Response:
        """Events of FullCalendar from ``start`` to before ``end``: a list, not in pages."""
        edges = asked(CalendarQuerySerializer, request)
        return Response(calendar_events(request.user, **edges))


class _CalendarText(BaseRenderer):
    """Told to the description only; the feed is plain text."""

    media_type = "text/calendar"
    format = "ics"

    def render(self, data: Any, *args: Any, **kwargs: Any) -> bytes:
        return str(data).encode()


class _WhateverIsAccepted(BaseContentNegotiation):
    """Calendar programs ask for anything; errors are JSON all the same."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        return JSONRenderer(), JSONRenderer.media_type

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return None


class CalendarFeedView(APIView):
    """The same for programs that subscribe to a calendar."""

    renderer_classes = (_CalendarText,)
    content_negotiation_class = _WhateverIsAccepted

    @extend_schema(
        operation_id="calendar_feed",
        responses={
            (200, "text/calendar"): OpenApiResponse(OpenApiTypes.STR, description="RFC 5545")
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Lessons of the last 90 and the next 270 days, as iCalendar (RFC 5545)."""
        return HttpResponse(
            icalendar_feed(request.user),
            content_type="text/calendar; charset=utf-8",
            headers={"Content-Disposition": 'inline; filename="lessons.ics"'},
        )
