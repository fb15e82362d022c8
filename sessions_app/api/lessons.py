"""``/api/v1/lessons/``: the list, one lesson, and what is done with it (lessons.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from django.db import transaction
from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import caller
from migrations_tools.api.fields import asked, given
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages, page_answer
from migrations_tools.api.versions import require_match, tagged
from migrations_tools.exceptions import CarryoverError
from sessions_app.api.lesson_shapes import (
    LessonItemSerializer,
    LessonQuerySerializer,
    LessonStatusSerializer,
    LessonValuesSerializer,
)
from sessions_app.models import SessionStatus
from sessions_app.selectors.lessons import (
    LessonFilters,
    find_lesson,
    get_lesson,
    list_lessons,
    public_id_of,
    viewer_of,
)
from sessions_app.services.lessons import (
    LessonValues,
    change_lesson_status,
    create_lesson,
    delete_lesson,
    update_lesson,
)

_NEW = OpenApiExample(
    "A lesson on a screen",
    {
        "title": "Passing under pressure",
        "semester": 7,
        "delivery": "virtual",
        "starts_at": "2026-03-01T09:00:00+03:00",
        "ends_at": "2026-03-01T10:00:00+03:00",
        "meeting_link": "https://meet.example.com/passing",
    },
    request_only=True,
)
_FEWER = OpenApiExample("More seats", {"capacity": 30}, request_only=True)


class LessonListView(GenericAPIView[Any]):
    """The lessons that the caller sees, in pages; and new ones."""

    serializer_class = LessonItemSerializer
    pagination_class = Pages  # as described; the selector cuts the pages

    @extend_schema(
        operation_id="lessons_list",
        parameters=[LessonQuerySerializer],
        responses=LessonItemSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Upcoming lessons first, the nearest on top, then past ones, the latest on top."""
        filters = asked(LessonQuerySerializer, request)
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

    @extend_schema(
        operation_id="lessons_create",
        request=LessonValuesSerializer,
        responses={201: LessonItemSerializer},
        examples=[_NEW],
    )
    @idempotent
    def post(self, request: Request) -> Response:
        """Schedule a lesson: for admins and the semester's master instructor."""
        lesson = create_lesson(_values(request), acting_user=caller(request))
        public_id = lesson.session.session_id
        return tagged(_told(request, public_id), status=201, location=lesson_address(public_id))


class LessonView(GenericAPIView[Any]):
    """One lesson, by its ``session_id``, or by the ``id`` that lists tell."""

    serializer_class = LessonItemSerializer

    @extend_schema(operation_id="lessons_retrieve")
    def get(self, request: Request, lesson: str) -> Response:
        """A lesson that the caller sees, with its ``ETag``."""
        return tagged(_told(request, public_id_of(lesson)))

    @extend_schema(operation_id="lessons_update", request=LessonValuesSerializer, examples=[_FEWER])
    def patch(self, request: Request, lesson: str) -> Response:
        """Change what is sent; the rules hold for what results. More seats promote waiters."""
        return _as_seen(request, public_id_of(lesson), _updated)

    @extend_schema(operation_id="lessons_destroy", responses={204: None})
    def delete(self, request: Request, lesson: str) -> Response:
        """Delete a lesson that nothing refers to; 409 counts in ``blocking`` what does."""
        return _as_seen(request, public_id_of(lesson), _deleted)


class LessonStatusView(GenericAPIView[Any]):
    """Beginning, ending and cancelling a lesson."""

    serializer_class = LessonStatusSerializer

    @extend_schema(operation_id="lessons_change_status", responses=LessonItemSerializer)
    @idempotent
    def post(self, request: Request, lesson: str) -> Response:
        """Scheduled lessons become active or cancelled, active ones completed."""
        public_id = public_id_of(lesson)
        status = SessionStatus(given(LessonStatusSerializer, request)["status"])
        change_lesson_status(public_id, status, acting_user=caller(request))
        return tagged(_told(request, public_id))


def lesson_address(public_id: str) -> str:
    return reverse("api-lesson", args=[public_id])


def _as_seen(
    request: Request, public_id: str, deed: Callable[[Request, str], Response]
) -> Response:
    """Do it to the lesson, if that still is as the caller's ``If-Match`` has it."""
    if "If-Match" not in request.headers:
        return deed(request, public_id)
    with transaction.atomic():
        find_lesson(public_id, viewer_of(caller(request)), lock=True)
        require_match(request, _told(request, public_id))
        try:
            return deed(request, public_id)
        except CarryoverError as refusal:
            refused = refusal
    raise refused  # behind the transaction: what it put on record stays


def _deleted(request: Request, public_id: str) -> Response:
    delete_lesson(public_id, acting_user=caller(request))
    return Response(status=204)


def _updated(request: Request, public_id: str) -> Response:
    update_lesson(public_id, _values(request), acting_user=caller(request))
    return tagged(_told(request, public_id))


def _told(request: Request, public_id: str) -> Any:
    return LessonItemSerializer(get_lesson(request.user, public_id)).data


def _values(request: Request) -> LessonValues:
    """What was sent, read by type; names that no lesson has are kept, and refused by the rules."""
    body = LessonValuesSerializer(data=request.data, partial=True)
    body.is_valid(raise_exception=True)
    sent = cast(dict[str, Any], request.data)  # an object: the serializer took it
    unknown = {name: value for name, value in sent.items() if name not in body.fields}
    return cast(LessonValues, {**body.validated_data, **unknown})
