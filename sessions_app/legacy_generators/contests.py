"""Generates what ``mongoexport`` writes of the contest trainer: problems, users and sessions.

Files of one seed fit together: sessions are of the first users and of the first four contests.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any, Final

from migrations_tools.generators import register_generator
from sessions_app.contests.analytics import ratio
from sessions_app.legacy_generators.contest_bank import (
    PROBLEMS_OF_A_CONTEST,
    SESSION_CONTESTS,
    BankProblem,
    in_newer_shape,
    in_older_shape,
    problem,
    problems,
)
from sessions_app.legacy_generators.contest_defects import spoil

_NAMES: Final = ("sam", "noor", "lena", "omar", "yuki", "ines", "tariq", "maya", "jon", "huda")
_SESSIONS_OF_A_USER: Final = 20
_FIRST_DAY: Final = datetime(2023, 1, 2, 8)  # noqa: DTZ001 - written with a Z
_MODES: Final = ("practice", "contest", "competition", "review")


def _object_id(seed: int, *parts: object) -> str:
    """24 hexadecimal digits, as MongoDB's ids."""
    return hashlib.sha256(repr((seed, *parts)).encode()).hexdigest()[:24]


def _username(number: int) -> str:
    """The first ten have plain names."""
    name = _NAMES[number % len(_NAMES)]
    return name if number < len(_NAMES) else f"{name}{number}"


def _write(path: Path, table: str, documents: Iterable[dict[str, Any]]) -> dict[str, int]:
    written = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for document in documents:
            file.write(json.dumps(document, ensure_ascii=False) + "\n")
            written += 1
    return {table: written}


@register_generator("problems")
def generate_problems(path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]:
    """``rows`` problems; every second contest is in the older shape.

    Faulty ones have another answer in the other shape, or say less.
    """
    rng = Random(seed)  # noqa: S311 - repeatable, not secret
    return _write(path, "problems", islice(_problems(rng, seed, defects), rows))


def _problems(rng: Random, seed: int, defects: float) -> Iterator[dict[str, Any]]:
    for place, known in enumerate(problems()):
        newer = in_newer_shape(known, _object_id(seed, "problem", known.older_id))
        older = in_older_shape(known)
        is_newer = place // PROBLEMS_OF_A_CONTEST % 2 == 0
        document, other = (newer, older) if is_newer else (older, newer)
        if rng.random() < defects:
            fault = int(rng.random() * 4)
            if fault == 0:  # answer_conflict
                older["answer_key"] = "ABCDE"["ABCDE".index(known.letter) - 1]
                yield other
            elif fault == 1:
                document.pop("difficulty")
            elif fault == 2:
                document["topics"] = known.area
            else:
                document["topics"] = {"area": known.area, "sub_topic": known.sub_topic}
        yield document


@register_generator("contest_users")
def generate_users(path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]:
    """``rows`` users. Faulty ones have no id, no e-mail address, or rights they shall not get."""
    rng = Random(seed)  # noqa: S311 - likewise
    faults: tuple[Callable[[dict[str, Any]], Any], ...] = (
        lambda user: user.pop("_id"),
        lambda user: user.pop("email"),
        lambda user: user.update(is_superuser=True, role="admin"),
        lambda user: user.update(email="no address"),
    )

    def users() -> Iterator[dict[str, Any]]:
        for number in range(rows):
            name = _username(number)
            user: dict[str, Any] = {
                "_id": {"$oid": _object_id(seed, "user", number)},
                "username": name,
                "email": f"{name}@example.com",
                "created_at": {"$date": f"{_FIRST_DAY.isoformat()}Z"},
            }
            if rng.random() < defects:
                faults[int(rng.random() * len(faults))](user)
            yield user

    return _write(path, "contest_users", users())


@register_generator("contest_sessions")
def generate_sessions(path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]:
    """``rows`` documents of about ``rows / 20`` users, in the order of time."""
    rng = Random(seed)  # noqa: S311 - likewise
    users = max(3, rows // _SESSIONS_OF_A_USER)
    documents = (_session(rng, seed, number, users, defects) for number in range(rows))
    return _write(path, "contest_sessions", documents)


def _session(rng: Random, seed: int, number: int, users: int, defects: float) -> dict[str, Any]:
    user = int(rng.random() * users)
    contest, year = SESSION_CONTESTS[int(rng.random() * len(SESSION_CONTESTS))]
    begun = _FIRST_DAY + timedelta(minutes=37 * number, milliseconds=int(rng.random() * 1000))
    shuffle = rng.random() < 0.2
    numbers = list(range(1, PROBLEMS_OF_A_CONTEST + 1))
    if shuffle:
        rng.shuffle(numbers)
    attempts = []
    now = begun
    for position, place in enumerate(numbers[: 1 + int(rng.random() * len(numbers))], 1):
        spent = int(rng.random() ** 2 * 120_000)
        now += timedelta(milliseconds=spent)
        known = problem(contest, year, place)
        attempts.append(_attempt(rng, known, position if shuffle else place, spent, now))
    total = sum(attempt["time_spent_ms"] for attempt in attempts)
    document: dict[str, Any] = {
        "_id": {"$oid": _object_id(seed, "session", number)},
        "session_id": f"{seed}-{number:06d}",
        "session_status": "completed" if rng.random() < 0.9 else "paused",
        "created_at": {"$date": f"{begun.isoformat(timespec='milliseconds')}Z"},
        "completed_at": {"$date": f"{now.isoformat(timespec='milliseconds')}Z"},
        "username": _username(user),
        "user_id": _object_id(seed, "user", user),
        "year": year,
        "contest": contest,
        "mode": _MODES[int(rng.random() * len(_MODES))],
        "shuffle": shuffle,
        "score": sum(attempt["is_correct"] for attempt in attempts),
        "total_attempted": len(attempts),
        "problems_attempted": attempts,
        "total_time_ms": total,
        "total_time_seconds": ratio(total, 1_000),
        "total_time_minutes": ratio(total, 60_000),
    }
    if rng.random() < defects:
        spoil(document, rng)
    return document


def _attempt(
    rng: Random, known: BankProblem, number: int, spent: int, now: datetime
) -> dict[str, Any]:
    """One attempt; half of them leave answer, difficulty and topics to the bank."""
    is_correct = rng.random() < 0.45
    attempt: dict[str, Any] = {
        "problem_number": number,
        "problem_id": f"{known.contest_id}_{known.number}",
        "is_correct": is_correct,
        "selected_answer": known.letter if is_correct else rng.choice("ABCDE"),
        "time_spent_ms": spent,
        "attempt_timestamp": {"$date": f"{now.isoformat(timespec='milliseconds')}Z"},
    }
    if rng.random() < 0.5:
        return attempt | {"correct_answer": "", "difficulty": None, "topics": []}
    return attempt | {
        "correct_answer": known.letter,
        "difficulty": known.difficulty,
        "topics": known.topics,
    }
