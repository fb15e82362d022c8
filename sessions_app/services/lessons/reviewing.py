"""What whoever runs a lesson says of a student in it (lessons.md "Models", `PerformanceReview`)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.signing import save
from migrations_tools.states import Surface
from sessions_app.lesson_errors import (
    FieldFault,
    Forbidden,
    InvalidFields,
    LessonNotOpen,
    NotFound,
    ReviewGiven,
    ReviewTooEarly,
    text_fault,
)
from sessions_app.models import Lesson, PerformanceReview, SessionStatus
from sessions_app.selectors.lessons import Clock, is_staff_of, system_clock, viewer_of
from sessions_app.selectors.lessons.opinions import own_review, reviews_of
from sessions_app.selectors.lessons.viewers import Viewer
from sessions_app.services.lessons.attending import seat_of
from sessions_app.services.lessons.common import lock_lesson, on_scale, refusals_on_record

#: What can be said in a review.
FIELDS: Final = frozenset({"score", "comment"})

_DEED: Final = "review the performance of a student"


def review_performance(
    session_id: str,
    student_id: int,
    *,
    score: Decimal | int | str | None = None,
    comment: str = "",
    acting_user: User,
    surface: str = Surface.API,
    clock: Clock = system_clock,
) -> PerformanceReview:
    """Say of a student with a seat how it went: a score, 1–5 as ratings are, a comment, or both.

    By whoever runs the lesson, from its start on, and once by each of them: then it is changed.
    Raises NotFound, Forbidden, InvalidFields, NotConfirmed, LessonNotOpen (cancelled),
    ReviewTooEarly or ReviewGiven.
    """
    now = clock()
    viewer = viewer_of(acting_user)
    with refusals_on_record(acting_user, surface, _DEED), transaction.atomic():
        lesson = _run_by(session_id, viewer)
        review = PerformanceReview(lesson=lesson, reviewer=acting_user, created_at=now)
        review.student = seat_of(lesson, student_id).student
        if lesson.session.status == SessionStatus.CANCELLED:
            raise LessonNotOpen(_("This lesson does not take place."), status=lesson.session.status)
        if now < lesson.starts_at:
            raise ReviewTooEarly(_("A review is written once the lesson has begun."))
        own = own_review(lesson, student_id, acting_user)
        if own is not None:
            raise ReviewGiven(_("You have reviewed this student already."), review=own.pk)
        _say(review, {"score": score, "comment": comment})
        save(review, acting_user=acting_user, reason="written")
    return review


def change_review(
    session_id: str,
    review_id: int,
    values: Mapping[str, Any],
    *,
    acting_user: User,
    surface: str = Surface.API,
    expected: Callable[[PerformanceReview], None] = lambda review: None,
) -> PerformanceReview:
    """Change what ``values`` names of a review, see `FIELDS`; by whoever runs the lesson.

    ``expected`` looks at the locked review, and raises where it is not what the person means to
    change. Raises NotFound, Forbidden or InvalidFields.
    """
    viewer = viewer_of(acting_user)
    with refusals_on_record(acting_user, surface, _DEED), transaction.atomic():
        lesson = _run_by(session_id, viewer)
        held = reviews_of(lesson).select_for_update(no_key=True, of=("self",))
        review = held.filter(pk=review_id).first()
        if review is None:
            raise NotFound(_("There is no such review."), review=review_id)
        expected(review)
        before = (review.score, review.comment)
        _say(review, {"score": review.score, "comment": review.comment, **values})
        if (review.score, review.comment) != before:
            save(review, acting_user=acting_user, reason="changed")
    return review


def _run_by(session_id: str, viewer: Viewer) -> Lesson:
    lesson = lock_lesson(session_id, viewer)
    if not is_staff_of(lesson, viewer):
        raise Forbidden(_("Only those who run a lesson review performances."))
    return lesson


def _say(review: PerformanceReview, values: Mapping[str, Any]) -> None:
    unknown = [
        FieldFault(name, "unknown", _("A review has no such field."))
        for name in sorted(values.keys() - FIELDS)
    ]
    if unknown:
        raise InvalidFields(unknown)
    score, comment = values["score"], values["comment"]
    if fault := text_fault("comment", comment):
        raise InvalidFields([fault])
    if score is None and not comment.strip():
        raise InvalidFields(
            [FieldFault("score", "required", _("A review has a score, a comment, or both."))]
        )
    review.score = None if score is None else on_scale("score", score)
    review.comment = comment.strip()
