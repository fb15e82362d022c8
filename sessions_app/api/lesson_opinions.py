"""``/api/v1/lessons/{lesson}/feedback/`` and ``…/performance-reviews/`` (lessons.md)."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import SURFACE, caller
from migrations_tools.api.fields import IdField, given
from migrations_tools.api.idempotency import idempotent
from migrations_tools.api.pages import Pages
from migrations_tools.api.versions import require_match, tagged
from sessions_app.api.lesson_shapes import NewFeedbackSerializer
from sessions_app.api.requests import PersonSerializer
from sessions_app.models import Feedback, PerformanceReview
from sessions_app.selectors.lessons import public_id_of
from sessions_app.selectors.lessons.opinions import find_review, visible_feedback, visible_reviews
from sessions_app.services.lessons import change_review, give_feedback, review_performance

_HIGH = OpenApiExample(
    "A score and why",
    {"student": 12, "score": 4.5, "comment": "Reads the game."},
    request_only=True,
)


class FeedbackSerializer(serializers.Serializer[Any]):
    """Of the student id and name."""

    id = serializers.IntegerField()
    student = PersonSerializer()
    rating = serializers.FloatField()
    comment = serializers.CharField()
    created_at = serializers.DateTimeField()


class ReviewValuesSerializer(serializers.Serializer[Any]):
    """A score, a comment, or both."""

    score = serializers.DecimalField(
        max_digits=6,
        decimal_places=2,
        coerce_to_string=False,
        required=False,
        allow_null=True,
        help_text="1 to 5, two decimals.",
    )
    comment = serializers.CharField(max_length=5_000, required=False, allow_blank=True)


class NewReviewSerializer(ReviewValuesSerializer):
    """Of a student with a seat."""

    student = IdField()


class PerformanceReviewSerializer(serializers.Serializer[Any]):
    """Of the student and of the reviewer id and name."""

    id = serializers.IntegerField()
    student = PersonSerializer()
    reviewer = PersonSerializer(allow_null=True)
    score = serializers.FloatField(allow_null=True)
    comment = serializers.CharField()
    created_at = serializers.DateTimeField()


class LessonFeedbackView(GenericAPIView[Feedback]):
    """What those who were there say of a lesson."""

    serializer_class = FeedbackSerializer
    pagination_class = Pages
    queryset = Feedback.objects.none()  # tells the description of what; see `get`

    @extend_schema(operation_id="lessons_feedback_list", responses=FeedbackSerializer(many=True))
    def get(self, request: Request, lesson: str) -> Response:
        """All of it for whoever runs the lesson, for others what they said themselves."""
        page = self.paginate_queryset(visible_feedback(request.user, public_id_of(lesson)))
        return self.get_paginated_response(FeedbackSerializer(page, many=True).data)

    @extend_schema(
        operation_id="lessons_give_feedback",
        request=NewFeedbackSerializer,
        responses={201: FeedbackSerializer},
    )
    @idempotent
    def post(self, request: Request, lesson: str) -> Response:
        """The calling student's rating, once, within 24 hours after the end."""
        said = given(NewFeedbackSerializer, request)
        feedback = give_feedback(public_id_of(lesson), **said, acting_user=caller(request))
        return Response(FeedbackSerializer(feedback).data, status=201)


class PerformanceReviewListView(GenericAPIView[PerformanceReview]):
    """What whoever runs a lesson says of the students in it."""

    serializer_class = PerformanceReviewSerializer
    pagination_class = Pages
    queryset = PerformanceReview.objects.none()  # tells the description of what; see `get`

    @extend_schema(
        operation_id="lessons_performance_reviews_list",
        responses=PerformanceReviewSerializer(many=True),
    )
    def get(self, request: Request, lesson: str) -> Response:
        """The newest first, for whoever runs the lesson."""
        page = self.paginate_queryset(visible_reviews(request.user, public_id_of(lesson)))
        return self.get_paginated_response(PerformanceReviewSerializer(page, many=True).data)

    @extend_schema(
        operation_id="lessons_performance_reviews_create",
        request=NewReviewSerializer,
        responses={201: PerformanceReviewSerializer},
        examples=[_HIGH],
    )
    @idempotent
    def post(self, request: Request, lesson: str) -> Response:
        """Of a student with a seat, from the start of the lesson on; for whoever runs it."""
        said = given(NewReviewSerializer, request)
        review = review_performance(
            public_id_of(lesson),
            said.pop("student"),
            **said,
            acting_user=caller(request),
            surface=SURFACE,
        )
        address = reverse("api-performance-review", args=[lesson, review.pk])
        told = PerformanceReviewSerializer(review).data
        return tagged(told, status=201, location=address)


class PerformanceReviewView(GenericAPIView[Any]):
    serializer_class = PerformanceReviewSerializer

    @extend_schema(operation_id="lessons_performance_reviews_retrieve")
    def get(self, request: Request, lesson: str, review: int) -> Response:
        """One review, with its ``ETag``."""
        found = find_review(request.user, public_id_of(lesson), review)
        return tagged(PerformanceReviewSerializer(found).data)

    @extend_schema(
        operation_id="lessons_performance_reviews_update", request=ReviewValuesSerializer
    )
    def patch(self, request: Request, lesson: str, review: int) -> Response:
        """Change what is sent; for whoever runs the lesson."""
        changed = change_review(
            public_id_of(lesson),
            review,
            given(ReviewValuesSerializer, request),
            acting_user=caller(request),
            surface=SURFACE,
            expected=lambda held: require_match(request, PerformanceReviewSerializer(held).data),
        )
        return tagged(PerformanceReviewSerializer(changed).data)
