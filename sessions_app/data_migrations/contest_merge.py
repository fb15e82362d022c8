"""A document that was imported again after it was carried over, merged into what it became."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.db.models import Model
from django.utils.translation import gettext_noop

from migrations_tools.definitions import Conflict, Delete, Insert, Update
from migrations_tools.definitions.changes import Change
from sessions_app.data_migrations.contest_context import Carried
from sessions_app.models import ContestResult, ProblemAttempt, Session

#: What a document says again. Creation time, public id and title stay (contests.md "Saving").
_SESSION: Final = ("status", "user_id", "updated_at", "ended_at", "last_activity_at")
_RESULT: Final = (
    "username", "user_id", "user_ref", "year", "contest", "mode", "shuffle", "score",
    "total_attempted", "performance_metrics", "topic_performance", "difficulty_performance",
    "total_time_ms", "extra",
)  # fmt: skip
_ATTEMPT: Final = (
    "problem_number", "problem_id", "problem_ref", "is_correct", "selected_answer",
    "correct_answer", "time_spent_ms", "attempted_at", "difficulty", "topics", "extra",
)  # fmt: skip


def merge(
    carried: Carried, session: Session, result: ContestResult, attempts: Sequence[ProblemAttempt]
) -> list[Change] | Conflict:
    """What has to be written so that the carried session is as the document says now.

    What people changed here stays: then nothing is written, and the document is a conflict.
    """
    changes = [
        *_changed(carried.session, session, _SESSION),
        *_changed(carried.result, result, _RESULT),
    ]
    by_position = {attempt.position: attempt for attempt in carried.attempts}
    for attempt in attempts:
        known = by_position.pop(attempt.position, None)
        if known is None:
            attempt.result_id = carried.result.pk
            changes.append(Insert(attempt))
        else:
            changes += _changed(known, attempt, _ATTEMPT)
    changes += [Delete(surplus) for surplus in by_position.values()]
    if changes and carried.edited:
        return Conflict(
            "changed_after_migration",
            gettext_noop(
                "The document changed after it was carried over, and %(edited)s was "
                "changed here. Make both alike, or import the former document again."
            )
            % {"edited": " and ".join(carried.edited)},
        )
    return changes


def _changed(known: Model, wanted: Model, names: Sequence[str]) -> list[Change]:
    """An update of the fields in which ``known`` is not as ``wanted``; nothing where all are."""
    values = {
        name: getattr(wanted, name)
        for name in names
        if getattr(known, name) != getattr(wanted, name)
    }
    return [Update(known, **_by_field_name(known, values))] if values else []


def _by_field_name(row: Model, values: dict[str, Any]) -> dict[str, Any]:
    names = {field.attname: field.name for field in row._meta.concrete_fields}
    return {names[name]: value for name, value in values.items()}
