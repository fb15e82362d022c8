"""A person's progress, added up by the database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import User

from sessions_app.contests.analytics import (
    difficulty_performance,
    performance_metrics,
    topic_performance,
)
from sessions_app.models import ContestResult, ProblemAttempt
from sessions_app.selectors.contest_progress import progress
from tests.sessions_app.factories import SessionFactory

pytestmark = pytest.mark.django_db

NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)


def practised(
    user: User | None,
    right: int,
    wrong: int,
    *,
    day: int = 0,
    topic: str = "Algebra",
    name: str = "",
) -> ContestResult:
    """A session of so many right and wrong attempts at easy problems of one topic."""
    attempts = [
        ProblemAttempt(
            position=position + 1,
            is_correct=position < right,
            time_spent_ms=1000,
            difficulty="easy",
            topics=[topic],
        )
        for position in range(right + wrong)
    ]
    result = ContestResult.objects.create(
        session=SessionFactory.create(kind="contest", ended_at=NOON + timedelta(days=day)),
        user=user,
        username=user.username if user else name,
        performance_metrics=performance_metrics(attempts),
        topic_performance=topic_performance(attempts),
        difficulty_performance=difficulty_performance(attempts),
        total_time_ms=1000 * len(attempts),
    )
    for attempt in attempts:
        attempt.result = result
    ProblemAttempt.objects.bulk_create(attempts)
    return result


@pytest.fixture
def sam() -> User:
    return User.objects.create_user("sam")


def test_accuracy_is_pooled_over_attempts_not_averaged_over_sessions(sam):
    practised(sam, 1, 0)
    practised(sam, 0, 3, day=1)
    assert progress(sam)["totals"] == {
        "sessions": 2,
        "attempted": 4,
        "correct": 1,
        "accuracy": 25,
        "total_time_ms": 4000,
    }


def test_the_last_five_sessions_and_the_trend_of_the_last_ten(sam):
    for day in range(12):
        practised(sam, day, 12 - day, day=day)
    found = progress(sam)
    assert [session["correct"] for session in found["last_sessions"]] == [11, 10, 9, 8, 7]
    accuracies = [session["accuracy"] for session in found["trend"]["sessions"]]
    assert (len(accuracies), accuracies[0], accuracies[-1]) == (10, 16.67, 91.67)
    assert found["trend"]["change"] == 75


def test_a_topic_seldom_met_is_drawn_to_the_overall_accuracy(sam):
    practised(sam, 1, 0, topic="Logic")
    practised(sam, 4, 15, topic="Algebra")
    topics = {topic["name"]: topic for topic in progress(sam)["topics"]}
    assert list(topics) == ["Algebra", "Logic"]
    assert (topics["Algebra"]["accuracy"], topics["Algebra"]["weighted"]) == (21.05, 21.05)
    # 100 · 0.1 + 25 · 0.9
    assert (topics["Logic"]["accuracy"], topics["Logic"]["weighted"]) == (100, 32.5)
    assert progress(sam)["difficulties"] == [
        {"name": "easy", "attempted": 20, "correct": 5, "accuracy": 25}
    ]


def test_the_percentile_is_that_of_the_people_there_are(sam):
    practised(sam, 1, 1)
    assert progress(sam)["percentile"] is None
    practised(User.objects.create_user("noor"), 0, 1)
    practised(User.objects.create_user("lena"), 1, 0)
    practised(None, 1, 3, name="a name without an account")
    practised(None, 0, 0, name="nothing attempted")
    found = progress(sam)
    assert (found["percentile"], found["cohort"]) == (66.67, 3)


def test_somebody_without_sessions_has_nothing_and_no_place(sam):
    practised(User.objects.create_user("noor"), 1, 0)
    assert progress(sam) == {
        "totals": {
            "sessions": 0,
            "attempted": 0,
            "correct": 0,
            "accuracy": 0,
            "total_time_ms": 0,
        },
        "last_sessions": [],
        "trend": {"sessions": [], "change": None},
        "topics": [],
        "difficulties": [],
        "percentile": None,
        "cohort": 1,
    }


def test_queries_do_not_grow_with_the_sessions(sam, django_assert_num_queries):
    for day in range(15):
        practised(sam, 1, 1, day=day)
    with django_assert_num_queries(5):
        progress(sam)
