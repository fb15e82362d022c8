"""Feedback and performance reviews of a lesson."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from sessions_app.models import Feedback, PerformanceReview
from tests.sessions_app import academy
from tests.sessions_app.api.asking import Caller, faults, refusal
from tests.sessions_app.lesson_factories import FeedbackFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def lesson():
    start = timezone.now() - timedelta(hours=2)
    return academy.lesson(starts_at=start, instructor=academy.instructor())


def test_feedback_is_read_by_whoever_runs_the_lesson_and_one_reads_ones_own(lesson):
    first, second = academy.student(first_name="Ann"), academy.student()
    for student, rating in ((first, 5), (second, 2)):
        FeedbackFactory.create(lesson=lesson, student=student, rating=rating, comment="Good.")
    path = f"/lessons/{lesson.session.session_id}/feedback/"
    for person in (academy.admin(), lesson.instructor):
        told = Caller(person).get(path).json()
        assert (told["count"], [each["rating"] for each in told["results"]]) == (2, [2.0, 5.0])
    [own] = Caller(first).get(path).json()["results"]
    kept = Feedback.objects.get(student=first)
    assert own.pop("created_at")
    assert own == {
        "id": kept.pk, "student": {"id": first.pk, "name": "Ann"}, "rating": 5.0,
        "comment": "Good.",
    }  # fmt: skip
    assert Caller(academy.student()).get(path).json()["results"] == []
    assert Caller(None).get(path).status_code == 401
    assert refusal(Caller(first).get("/lessons/nothing/feedback/")) == (404, "not_found")
    for _ in range(5):
        FeedbackFactory.create(lesson=lesson)
    admin = Caller(academy.admin())
    assert admin.statements(path) == admin.statements(path, page_size=1)


def test_reviews_are_written_read_and_changed(lesson):
    student, admin = academy.student(first_name="Ann"), Caller(academy.admin())
    academy.confirmed(lesson, student)
    path = f"/lessons/{lesson.session.session_id}/performance-reviews/"
    giver = Caller(lesson.instructor)
    body = {"student": student.pk, "score": 4.5, "comment": "Reads the game."}
    answers = [giver.post(path, body, Idempotency_Key="k") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    made = PerformanceReview.objects.get()
    address = answers[0]["Location"].removeprefix("/api/v1")
    assert address == f"{path}{made.pk}/"
    seen = admin.get(address)
    assert seen.json() == answers[0].json()
    assert (seen.json()["student"], seen.json()["score"]) == (
        {"id": student.pk, "name": "Ann"},
        4.5,
    )
    assert seen.json()["reviewer"]["id"] == lesson.instructor.pk
    assert admin.get(path).json()["results"] == [seen.json()]
    changed = admin.patch(address, {"score": None}, If_Match=seen["ETag"])
    assert (changed.status_code, changed.json()["score"]) == (200, None)
    assert refusal(admin.patch(address, {"score": 1}, If_Match=seen["ETag"])) == (
        412, "precondition_failed",
    )  # fmt: skip
    assert refusal(giver.post(path, body)) == (409, "review_given")
    assert faults(admin.post(path, {"student": student.pk})) == ["score"]
    assert faults(admin.post(path, {"student": student.pk, "score": 9})) == ["score"]
    for stranger in (Caller(student), Caller(academy.student())):
        for answer in (stranger.get(path), stranger.get(address), stranger.post(path, body)):
            assert refusal(answer) == (403, "permission_denied")
    assert refusal(admin.get(f"{path}{10**18}/")) == (404, "not_found")
    assert refusal(admin.get("/lessons/nothing/performance-reviews/")) == (404, "not_found")
    assert PerformanceReview.objects.count() == 1
