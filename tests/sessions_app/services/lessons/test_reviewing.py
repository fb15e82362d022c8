"""Performance reviews."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from migrations_tools.models import Transition
from sessions_app.lesson_errors import (
    Forbidden,
    InvalidFields,
    LessonNotOpen,
    NotConfirmed,
    NotFound,
    ReviewGiven,
    ReviewTooEarly,
)
from sessions_app.models import Lesson, PerformanceReview
from sessions_app.services.lessons import change_review, review_performance
from tests.sessions_app import academy
from tests.sessions_app.academy import HOUR, NOW, TICK, at_now

pytestmark = pytest.mark.django_db


def review(lesson: Lesson, student: Any, by: Any, **said: Any) -> PerformanceReview:
    said = said or {"score": "4.5"}
    session = lesson.session.session_id
    return review_performance(session, student.pk, acting_user=by, clock=at_now, **said)


def test_whoever_runs_a_lesson_says_from_its_start_on_how_students_did():
    giver, master, student = academy.instructor(), academy.instructor(), academy.student()
    semester = academy.semester(master_instructor=master)
    lesson = academy.lesson(starts_in=0 * HOUR, instructor=giver, semester=semester)
    academy.confirmed(lesson, student)
    for by in (giver, master, academy.admin()):
        made = review(lesson, student, by, score=3, comment=" Reads the game. ")
        assert (made.score, made.comment) == (Decimal(3), "Reads the game.")
        assert (made.reviewer, made.student, made.created_at) == (by, student, NOW)
        assert made.history.get().history_user == by
        with pytest.raises(ReviewGiven) as again:
            review(lesson, student, by, score=1)
        assert again.value.fields == {"review": made.pk}
    refused = Transition.objects.filter(action="refused").count()
    for other in (student, academy.student()):
        with pytest.raises(Forbidden):
            review(lesson, student, other)
    assert Transition.objects.filter(action="refused").count() == refused + 2
    assert PerformanceReview.objects.count() == 3


def test_students_have_a_seat_and_the_lesson_has_begun():
    admin, student, waiter = academy.admin(), academy.student(), academy.student()
    later = academy.lesson(starts_in=TICK)
    academy.confirmed(later, student)
    academy.waiting(later, waiter, 1)
    off = academy.lesson(starts_in=-HOUR, status="cancelled")
    academy.confirmed(off, student)
    for lesson, person, error in (
        (later, student, ReviewTooEarly),
        (later, waiter, NotConfirmed),
        (later, admin, NotFound),
        (off, student, LessonNotOpen),
    ):
        with pytest.raises(error):
            review(lesson, person, admin)
    assert not PerformanceReview.objects.exists()


@pytest.mark.parametrize(
    ("said", "field", "code"),
    [
        ({"comment": " "}, "score", "required"),
        ({"score": "x"}, "score", "invalid"),
        ({"score": 5.01}, "score", "out_of_range"),
        ({"score": "1.005"}, "score", "too_precise"),
        ({"score": 3, "comment": "\ud800"}, "comment", "broken_characters"),
    ],
)
def test_scores_are_those_of_ratings_and_something_is_said(said, field, code):
    lesson, student = academy.lesson(starts_in=-HOUR), academy.student()
    academy.confirmed(lesson, student)
    with pytest.raises(InvalidFields) as refused:
        review(lesson, student, academy.admin(), **said)
    [fault] = refused.value.faults
    assert (fault.field, fault.code) == (field, code)


def test_a_review_is_changed_by_whoever_runs_its_lesson():
    admin, student = academy.admin(), academy.student()
    lesson, other = (academy.lesson(starts_in=-HOUR) for _ in range(2))
    academy.confirmed(lesson, student)
    made = review(lesson, student, admin, score=2, comment="Late")
    session = lesson.session.session_id
    changed = change_review(session, made.pk, {"score": None}, acting_user=admin)
    assert (changed.score, changed.comment, changed.history.count()) == (None, "Late", 2)
    change_review(session, made.pk, {"comment": "Late "}, acting_user=admin)
    assert made.history.count() == 2
    with pytest.raises(InvalidFields):
        change_review(session, made.pk, {"comment": ""}, acting_user=admin)
    with pytest.raises(InvalidFields):
        change_review(session, made.pk, {"student": 1}, acting_user=admin)
    with pytest.raises(NotFound):
        change_review(other.session.session_id, made.pk, {"score": 1}, acting_user=admin)
    with pytest.raises(Forbidden):
        change_review(session, made.pk, {"score": 5}, acting_user=student)
    made.refresh_from_db()
    assert (made.score, made.comment) == (None, "Late")
