"""What was said of a lesson and of those in it, for those who may read it (lessons.md)."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from sessions_app.lesson_errors import Forbidden, NotFound
from sessions_app.models import Feedback, Lesson, PerformanceReview
from sessions_app.selectors.lessons.viewers import find_lesson, is_staff_of, viewer_of


def visible_feedback(user: User | AnonymousUser, session_id: str) -> QuerySet[Feedback]:
    """What was said of a lesson, the newest first, each with its student: all of it for whoever
    runs the lesson, for others what they said themselves. Raises NotFound for hidden lessons.
    """
    viewer = viewer_of(user)
    lesson = find_lesson(session_id, viewer)
    told = Feedback.objects.filter(lesson=lesson).select_related("student")
    if not is_staff_of(lesson, viewer):
        told = told.filter(student=viewer.user_id)
    return told.order_by("-created_at", "-pk")


def reviews_of(lesson: Lesson) -> QuerySet[PerformanceReview]:
    """Reviews of a lesson, the newest first, each with its people."""
    reviews = PerformanceReview.objects.filter(lesson=lesson)
    return reviews.select_related("student", "reviewer").order_by("-created_at", "-pk")


def own_review(lesson: Lesson, student_id: int, reviewer: User) -> PerformanceReview | None:
    """What ``reviewer`` said of a student in a lesson."""
    return reviews_of(lesson).filter(student=student_id, reviewer=reviewer).first()


def visible_reviews(user: User | AnonymousUser, session_id: str) -> QuerySet[PerformanceReview]:
    """`reviews_of` for whoever runs the lesson; others are refused. Raises NotFound, Forbidden."""
    viewer = viewer_of(user)
    lesson = find_lesson(session_id, viewer)
    if not is_staff_of(lesson, viewer):
        raise Forbidden(_("Only those who run a lesson see its performance reviews."))
    return reviews_of(lesson)


def find_review(user: User | AnonymousUser, session_id: str, review_id: int) -> PerformanceReview:
    """One of `visible_reviews`. Raises NotFound, Forbidden."""
    found = visible_reviews(user, session_id).filter(pk=review_id).first()
    if found is None:
        raise NotFound(_("There is no such review."), review=review_id)
    return found
