"""Contest sessions as documents of the same 19 fields, in the same order (contests.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from django.db.models import QuerySet

from sessions_app.contests.analytics import (
    BUCKET,
    METRICS,
    difficulty_performance,
    minutes,
    plain,
    seconds,
    topic_performance,
)
from sessions_app.models import ContestResult, ProblemAttempt, Session

_CHUNK: Final = 500  # sessions of an export that are read at a time


def contest_document(session: Session) -> dict[str, Any]:
    """The document of a contest session: the known fields in order, then unknown keys.

    Values are plain JSON; instants are ISO text in UTC. Topics and difficulties stand in the
    order of first appearance, which JSONB does not keep.
    """
    result: ContestResult = session.contest_result
    attempts = sorted(result.attempts.all(), key=lambda attempt: attempt.position)
    document = {
        "session_id": session.session_id,
        "session_status": session.status,
        "created_at": _instant(session.created_at),
        "completed_at": _instant(session.ended_at),
        "username": result.username,
        "user_id": result.user_ref or None,
        "year": result.year,
        "contest": result.contest or None,
        "mode": result.mode or None,
        "shuffle": result.shuffle,
        "score": None if result.score is None else plain(result.score),
        "total_attempted": result.total_attempted,
        "problems_attempted": [_attempt(attempt) for attempt in attempts],
        "performance_metrics": _ordered(result.performance_metrics, METRICS),
        "topic_performance": _buckets(result.topic_performance, topic_performance(attempts)),
        "difficulty_performance": _buckets(
            result.difficulty_performance, difficulty_performance(attempts)
        ),
        "total_time_ms": result.total_time_ms,
        "total_time_seconds": seconds(result.total_time_ms),
        "total_time_minutes": minutes(result.total_time_ms),
    }
    return {**document, **result.extra}


def contest_documents(sessions: QuerySet[Session]) -> Iterator[dict[str, Any]]:
    """The documents of many sessions, by three queries for each 500 of them."""
    chosen = sessions.filter(contest_result__isnull=False).select_related("contest_result")
    for session in chosen.prefetch_related("contest_result__attempts").iterator(_CHUNK):
        yield contest_document(session)


def _attempt(attempt: ProblemAttempt) -> dict[str, Any]:
    values = {
        "problem_number": attempt.problem_number,
        "problem_id": attempt.problem_ref or None,
        "is_correct": attempt.is_correct,
        "selected_answer": attempt.selected_answer,
        "correct_answer": attempt.correct_answer,
        "time_spent_ms": attempt.time_spent_ms,
        "time_spent_seconds": seconds(attempt.time_spent_ms),
        "attempt_timestamp": _instant(attempt.attempted_at),
        "difficulty": attempt.difficulty,
        "topics": attempt.topics,
    }
    return {**values, **attempt.extra}


def _ordered(stored: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: stored.get(name) for name in names}


def _buckets(stored: Mapping[str, Any], order: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The stored buckets, in the order in which the attempts name them."""
    names = [*(name for name in order if name in stored), *sorted(stored.keys() - order.keys())]
    return {name: _ordered(stored[name], BUCKET) for name in names}


def _instant(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
