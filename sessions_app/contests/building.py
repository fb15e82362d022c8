"""What a document that was read and completed comes to, as values of the models' fields."""

from __future__ import annotations

from typing import Any, Final

from sessions_app.contests.analytics import (
    difficulty_performance,
    performance_metrics,
    topic_performance,
)
from sessions_app.contests.reading import Attempt, ContestDocument

#: The mode that got another name (contests.md "The document").
FORMER_MODE: Final = "contest"
MODE: Final = "competition"


def session_title(document: ContestDocument) -> str:
    return f"{document.contest} {document.year or ''}".strip()[:255]


def result_values(document: ContestDocument, *, keep_mode: bool = False) -> dict[str, Any]:
    """The result, but for its session and its user."""
    renamed = document.mode == FORMER_MODE and not keep_mode
    return {
        "username": document.username,
        "year": document.year,
        "contest": document.contest,
        "mode": MODE if renamed else document.mode,
        "shuffle": document.shuffle,
        "score": document.score,
        "total_attempted": document.total_attempted,
        "performance_metrics": performance_metrics(document.attempts),
        "topic_performance": topic_performance(document.attempts),
        "difficulty_performance": difficulty_performance(document.attempts),
        "total_time_ms": document.total_time_ms,
        "extra": document.extra,
    }


def attempt_values(attempt: Attempt) -> dict[str, Any]:
    """The attempt, but for its result."""
    return {
        "position": attempt.position,
        "problem_number": attempt.problem_number,
        "problem_id": attempt.problem,
        "problem_ref": attempt.problem_ref,
        "is_correct": attempt.is_correct,
        "selected_answer": attempt.selected_answer,
        "correct_answer": attempt.correct_answer,
        "time_spent_ms": attempt.time_spent_ms,
        "attempted_at": attempt.attempted_at,
        "difficulty": attempt.difficulty,
        "topics": attempt.topics,
        "extra": attempt.extra,
    }
