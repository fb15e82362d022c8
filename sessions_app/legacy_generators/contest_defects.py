"""How documents of the contest trainer differ over the years, one way for every rule."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

Document = dict[str, Any]
Defect = Callable[[Document, Random], None]


def _put(name: str, *values: Any) -> Defect:
    """A defect that gives a field one of ``values``."""

    def spoil(document: Document, rng: Random) -> None:
        document[name] = rng.choice(values)

    return spoil


def _drop(*names: str) -> Defect:
    def spoil(document: Document, rng: Random) -> None:
        for name in names:
            document.pop(name, None)

    return spoil


def _rename(**names: str) -> Defect:
    """Fields under the names that they had once."""

    def spoil(document: Document, rng: Random) -> None:
        for name, former in names.items():
            if name in document:
                document[former] = document.pop(name)

    return spoil


def _in_attempts(*defects: Defect, share: float = 0.5) -> Defect:
    """One of the defects in about that share of the attempts, and in the first one."""

    def spoil(document: Document, rng: Random) -> None:
        defect = rng.choice(defects)
        for place, attempt in enumerate(document.get("problems_attempted") or []):
            if not place or rng.random() < share:
                defect(attempt, rng)

    return spoil


def _older_problem_id(attempt: Document, rng: Random) -> None:
    contest, year, number = str(attempt["problem_id"]).split("_")
    attempt["problem_id"] = f"{year}_{contest.lower()}_p{number}"


def _text_year(document: Document, rng: Random) -> None:
    document["year"] = str(document["year"])


def _text_dates(document: Document, rng: Random) -> None:
    for name in ("created_at", "completed_at"):
        document[name] = document[name]["$date"].replace("Z", rng.choice(("", "Z", "+00:00")))


def _epoch_dates(attempt: Document, rng: Random) -> None:
    attempt["attempt_timestamp"] = {"$date": {"$numberLong": "1714556400000"}}


def _wrong_number(attempt: Document, rng: Random) -> None:
    attempt["problem_number"] = int(attempt["problem_number"]) % 25 + 1


def _text_truth(attempt: Document, rng: Random) -> None:
    attempt["is_correct"] = "true" if attempt["is_correct"] else "false"


def _shared_id(document: Document, rng: Random) -> None:
    """The id that another user's session may have too."""
    document["session_id"] = f"shared-{int(rng.random() * 5)}"


#: Every way in which a document may differ; some of them make it no session at all.
DEFECTS: Final[tuple[Defect, ...]] = (
    _rename(total_attempted="attempted", total_time_ms="totalTime"),
    _in_attempts(
        _rename(is_correct="correct", time_spent_ms="time_spent", attempt_timestamp="timestamp")
    ),
    _text_year,
    _text_dates,
    _in_attempts(_epoch_dates),
    _put("user_id", None, "None", "null", ""),
    _drop("user_id"),
    _drop("session_status"),
    _put("session_status", "in_progress", "Done", 7, "ACTIVE", "abandoned"),
    _put("created_at", "last week", None, {"$date": "not a date"}),
    _put("completed_at", "2024-02-30", None, ""),
    _drop("created_at", "completed_at"),
    _drop("shuffle"),
    _put("shuffle", "true", "perhaps", None),
    _put("score", 99, "3", None, "many"),
    _drop("total_attempted"),
    _drop("total_time_ms", "total_time_seconds", "total_time_minutes"),
    _put("total_time_ms", None, -5, "soon", 7426.5),
    _drop("performance_metrics", "topic_performance", "difficulty_performance"),
    _put("performance_metrics", {"accuracy_percentage": "NaN", "total_correct": 99}),
    _put("mode", "contest", None),
    _put("notes", "typed by hand ✍", "nul \x00 inside", {"nested": [1, 2.5, None]}),
    _put("problems_attempted", []),
    _put("problems_attempted", None, "none", {}),  # invalid_document
    _put("username", 12, None, ["sam"]),  # invalid_document
    _in_attempts(_put("is_correct", "yes", 1, None), share=0.1),  # invalid_is_correct
    _in_attempts(_text_truth),
    _in_attempts(_put("correct_answer", None, ""), _put("difficulty", None, ""), _drop("topics")),
    _in_attempts(_put("topics", "Algebra", [" Algebra ", "", "Algebra"], None)),
    _in_attempts(_put("difficulty", "Easy", "HARD")),
    _in_attempts(_put("problem_id", "AMC99Z_1999_1", "unknown"), _put("topics", [])),
    _in_attempts(_older_problem_id),
    _in_attempts(_drop("problem_id")),
    _in_attempts(_wrong_number, share=0.1),
    _in_attempts(_put("time_spent_ms", None, "1500", -1, "long")),
    _in_attempts(_put("hint_used", True, False)),
    _shared_id,
    _drop("_id"),
    _drop("session_id"),
)


def spoil(document: Document, rng: Random) -> None:
    """Give the document one of the defects."""
    DEFECTS[int(rng.random() * len(DEFECTS))](document, rng)
