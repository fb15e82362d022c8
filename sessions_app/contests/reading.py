"""A contest document of any year, read (contests.md "Input and models", "The document").

Reading raises nothing but `Unreadable`, whatever JSON it is given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, TypeVar

from django.utils.translation import gettext_noop

from migrations_tools.definitions import shown
from sessions_app.contests.analytics import plain
from sessions_app.contests.notes import Notes
from sessions_app.contests.values import (
    read_count,
    read_instant,
    read_milliseconds,
    read_number,
    read_text,
    read_topics,
    read_truth,
)
from sessions_app.models.session import SESSION_TRANSITIONS, SessionKind, SessionStatus
from sessions_app.reading.blanks import WHITE_SPACE, is_blank

T = TypeVar("T")

#: The 19 fields of a document, in order.
FIELDS: Final = (
    "session_id",
    "session_status",
    "created_at",
    "completed_at",
    "username",
    "user_id",
    "year",
    "contest",
    "mode",
    "shuffle",
    "score",
    "total_attempted",
    "problems_attempted",
    "performance_metrics",
    "topic_performance",
    "difficulty_performance",
    "total_time_ms",
    "total_time_seconds",
    "total_time_minutes",
)

#: The fields of an attempt, in order.
ATTEMPT_FIELDS: Final = (
    "problem_number",
    "problem_id",
    "is_correct",
    "selected_answer",
    "correct_answer",
    "time_spent_ms",
    "time_spent_seconds",
    "attempt_timestamp",
    "difficulty",
    "topics",
)

#: Field → its names over the years, the first one preferred.
SESSION_NAMES: Final = {
    "total_attempted": ("total_attempted", "attempted"),
    "total_time_ms": ("total_time_ms", "totalTime"),
}
ATTEMPT_NAMES: Final = {
    "is_correct": ("is_correct", "correct"),
    "time_spent_ms": ("time_spent_ms", "time_spent"),
    "attempt_timestamp": ("attempt_timestamp", "timestamp"),
}

#: Keys of a document, and of an attempt, that have a field; all others are kept as they are.
KNOWN: Final = frozenset(
    {"_id", *FIELDS, *(name for names in SESSION_NAMES.values() for name in names)}
)
KNOWN_OF_ATTEMPTS: Final = frozenset(
    {*ATTEMPT_FIELDS, *(name for names in ATTEMPT_NAMES.values() for name in names)}
)

LONGEST_NAME: Final = 255  # characters of a user name or a public id
_STATUSES: Final = {str(status): status for status in SESSION_TRANSITIONS[SessionKind.CONTEST]}
_NO_USER: Final = frozenset({"none", "null"})
_HIGHEST_SCORE: Final = Decimal(10**9)


class Unreadable(Exception):
    """A document that is no session: ``invalid_document``, or ``invalid_is_correct``."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(slots=True)
class Attempt:
    """One attempt as read; ``None`` is not known. ``problem`` is filled by `complete`."""

    position: int
    problem_number: int | None
    problem_ref: str
    is_correct: bool
    selected_answer: str | None
    correct_answer: str | None
    time_spent_ms: int
    attempted_at: datetime | None
    difficulty: str | None
    topics: list[str] | None
    extra: dict[str, Any]
    problem: int | None = None


@dataclass(slots=True)
class ContestDocument:
    """A document as read; ``None`` is not known. ``notes`` are its warnings."""

    session_ref: str
    status: SessionStatus
    created_at: datetime | None
    completed_at: datetime | None
    username: str
    user_ref: str
    year: int | None
    contest: str
    mode: str
    shuffle: bool
    score: Decimal | None
    total_attempted: int
    attempts: list[Attempt]
    total_time_ms: int
    extra: dict[str, Any]
    notes: Notes = field(default_factory=Notes)


def read_document(document: Any) -> ContestDocument:
    """The document; what it does not say is filled as far as it can be without a look-up.

    Raises Unreadable.
    """
    if not isinstance(document, Mapping):
        raise Unreadable("invalid_document", gettext_noop("The document is no JSON object."))
    username = _name(document.get("username"), gettext_noop("user name"))
    if not username:
        raise Unreadable("invalid_document", gettext_noop("The document has no user name."))
    given = document.get("problems_attempted")
    if not isinstance(given, list):
        raise Unreadable("invalid_document", gettext_noop("The document has no list of attempts."))
    notes = Notes()
    attempts = [_attempt(position, each, notes) for position, each in enumerate(given, 1)]
    reader = _Reader(document, notes)
    score = _score(reader, sum(attempt.is_correct for attempt in attempts), notes)
    total_attempted = reader.first("total_attempted", read_count, "bad_number")
    total_time = reader.first("total_time_ms", read_milliseconds, "bad_number")
    spent = sum(attempt.time_spent_ms for attempt in attempts)
    return ContestDocument(
        session_ref=_name(_scalar_text(document.get("session_id")), gettext_noop("session id")),
        status=_status(document.get("session_status"), notes),
        created_at=reader.first("created_at", read_instant, "bad_timestamp"),
        completed_at=reader.first("completed_at", read_instant, "bad_timestamp"),
        username=username,
        user_ref=_user_ref(document.get("user_id")),
        year=reader.first("year", _year, "bad_number"),
        contest=read_text(document.get("contest")) or "",
        mode=read_text(document.get("mode")) or "",
        shuffle=reader.first("shuffle", read_truth, "bad_flag") or False,
        score=score,
        total_attempted=len(attempts) if total_attempted is None else total_attempted,
        attempts=attempts,
        total_time_ms=spent if total_time is None else total_time,
        extra={name: value for name, value in document.items() if name not in KNOWN},
        notes=notes,
    )


class _Reader:
    """Reads fields of an object by their names, noting what is not understood."""

    def __init__(
        self,
        values: Mapping[str, Any],
        notes: Notes,
        names: Mapping[str, Sequence[str]] = SESSION_NAMES,
        place: str = "",
    ) -> None:
        self._values, self._notes, self._names, self._place = values, notes, names, place

    def first(self, name: str, read: Callable[[Any], T | None], code: str) -> T | None:
        """The first value that is given and understood."""
        for each in self._names.get(name, (name,)):
            value = self._values.get(each)
            if is_blank(value):
                continue
            found = read(value)
            if found is not None:
                return found
            self._notes.add(code, f"{self._place}{each}: “{shown(value)}”")
        return None


def _attempt(position: int, values: Any, notes: Notes) -> Attempt:
    if not isinstance(values, Mapping):
        raise Unreadable(
            "invalid_document",
            gettext_noop("Attempt %(position)s is no JSON object.") % {"position": position},
        )
    reader = _Reader(
        values,
        notes,
        ATTEMPT_NAMES,
        gettext_noop("attempt %(position)s, ") % {"position": position},
    )
    spent = reader.first("time_spent_ms", read_milliseconds, "bad_number")
    return Attempt(
        position=position,
        problem_number=reader.first("problem_number", _problem_number, "bad_number"),
        problem_ref=_scalar_text(values.get("problem_id")),
        is_correct=_is_correct(position, values),
        selected_answer=read_text(values.get("selected_answer")),
        correct_answer=_filled(values.get("correct_answer")),
        time_spent_ms=spent or 0,
        attempted_at=reader.first("attempt_timestamp", read_instant, "bad_timestamp"),
        difficulty=_filled(values.get("difficulty")),
        topics=read_topics(values.get("topics")) or None,
        extra={name: value for name, value in values.items() if name not in KNOWN_OF_ATTEMPTS},
    )


def _is_correct(position: int, values: Mapping[str, Any]) -> bool:
    given = next(
        (values[name] for name in ATTEMPT_NAMES["is_correct"] if values.get(name) is not None), None
    )
    truth = read_truth(given)
    if truth is None:
        raise Unreadable(
            "invalid_is_correct",
            gettext_noop("Attempt %(position)s says neither true nor false: “%(given)s”.")
            % {"position": position, "given": shown(given)},
        )
    return truth


def _name(value: Any, what: str) -> str:
    """Text that names somebody or something; blank where there is none."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise Unreadable(
            "invalid_document", gettext_noop("The %(what)s is no text.") % {"what": what}
        )
    if len(value) > LONGEST_NAME:
        raise Unreadable(
            "invalid_document",
            gettext_noop("The %(what)s is longer than %(longest_name)s characters.")
            % {"what": what, "longest_name": LONGEST_NAME},
        )
    return "" if is_blank(value) else value


def _scalar_text(value: Any) -> str:
    return (read_text(value) or "").strip(WHITE_SPACE)


def _filled(value: Any) -> str | None:
    """Text, or None where it is blank and shall be filled."""
    return None if is_blank(value) else read_text(value)


def _status(value: Any, notes: Notes) -> SessionStatus:
    if is_blank(value):
        return SessionStatus.COMPLETED
    word = value.strip(WHITE_SPACE).lower() if isinstance(value, str) else None
    status = _STATUSES.get(word or "")
    if status is None:
        notes.add("unknown_status", f"“{shown(value)}”")
        return SessionStatus.COMPLETED
    return status


def _user_ref(value: Any) -> str:
    """The id that the document itself gives its user; blank where it is to be looked up."""
    text = _scalar_text(value) if not isinstance(value, bool) else ""
    return "" if text.lower() in _NO_USER else text


def _year(value: Any) -> int | None:
    return read_count(value, highest=9_999) or None


def _problem_number(value: Any) -> int | None:
    return read_count(value) or None


def _score(reader: _Reader, correct: int, notes: Notes) -> Decimal | None:
    """The score as given; it should be the number of correct attempts."""
    score = reader.first("score", _read_score, "bad_number")
    if score is not None and score != correct:
        notes.add(
            "score_mismatch",
            gettext_noop("score %(score)s, %(correct)s correct")
            % {"score": plain(score), "correct": correct},
        )
    return score


def _read_score(value: Any) -> Decimal | None:
    number = read_number(value)
    if number is None or abs(number) >= _HIGHEST_SCORE:
        return None
    return number.quantize(Decimal("0.0001"), ROUND_HALF_UP)
