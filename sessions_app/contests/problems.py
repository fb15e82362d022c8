"""Finding the problems of attempts, and filling in what they say (contests.md "Attempts")."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from sessions_app.contests.reading import Attempt, ContestDocument

#: ``AMC10A_2022_1`` and ``2022_amc10a_p1``.
_CONTEST_FIRST: Final = re.compile(r"([^_]+)_([0-9]{4})_p?([0-9]{1,6})", re.IGNORECASE)
_YEAR_FIRST: Final = re.compile(r"([0-9]{4})_([^_]+)_p?([0-9]{1,6})", re.IGNORECASE)
_LETTER: Final = re.compile(r"[^A-Za-z0-9]*([A-Za-z])(?![A-Za-z0-9])")


class ProblemKey(NamedTuple):
    """A place in the bank: contest and year in small letters, ``amc10a_2022``, and the number."""

    contest: str
    number: int


class KnownProblem(NamedTuple):
    """What the bank says of a problem. Blank texts and empty topics are not known."""

    pk: int
    key: ProblemKey
    correct_answer: str
    difficulty: str
    topics: Sequence[str]
    choice_answer: str = ""
    answer_key: str = ""


@dataclass(slots=True)
class Bank:
    """The problems that a batch of documents may refer to."""

    by_key: Mapping[ProblemKey, KnownProblem] = field(default_factory=dict)
    by_external_id: Mapping[str, KnownProblem] = field(default_factory=dict)


def contest_id(contest: str, year: int) -> str:
    """``AMC10A_2022`` for “AMC 10A” of 2022."""
    return f"{''.join(contest.split())}_{year}"


def key_of_id(ref: str) -> ProblemKey | None:
    """The place that a problem's id names, in either of its forms."""
    if found := _YEAR_FIRST.fullmatch(ref):
        year, contest, number = found.groups()
    elif found := _CONTEST_FIRST.fullmatch(ref):
        contest, year, number = found.groups()
    else:
        return None
    return ProblemKey(contest_id(contest, int(year)).lower(), int(number))


def key_of_number(document: ContestDocument, attempt: Attempt) -> ProblemKey | None:
    """The place that year, contest and number name; in a shuffled session the number is none."""
    if document.shuffle or not document.contest.strip() or document.year is None:
        return None
    if attempt.problem_number is None:
        return None
    return ProblemKey(contest_id(document.contest, document.year).lower(), attempt.problem_number)


def named_places(document: ContestDocument) -> Iterator[tuple[str, ProblemKey | None]]:
    """For each attempt its problem's id as written, and each place that it may mean."""
    for attempt in document.attempts:
        yield attempt.problem_ref, key_of_id(attempt.problem_ref)
        yield attempt.problem_ref, key_of_number(document, attempt)


def answers_differ(answer: str, key: str) -> bool:
    """Whether “B) 7” and “B” say different things; blank ones say nothing."""
    if not answer.strip() or not key.strip():
        return False
    return answer_letter(answer) != answer_letter(key)


def answer_letter(answer: str) -> str:
    """The letter that an answer begins with, else all of it, to be compared."""
    found = _LETTER.match(answer)
    return found[1].upper() if found else answer.strip().casefold()


def complete(document: ContestDocument, bank: Bank) -> None:
    """Find the problem of each attempt; fill each missing value of the attempt from it.

    What the attempts say stays. Warnings go to the document's notes.
    """
    for attempt in document.attempts:
        problem = _problem_of(document, attempt, bank)
        if problem is None:
            if None in (attempt.correct_answer, attempt.difficulty, attempt.topics):
                document.notes.add("unresolved_problem", f"attempt {attempt.position}")
            continue
        attempt.problem = problem.pk
        if attempt.correct_answer is None:
            attempt.correct_answer = problem.correct_answer or None
            if answers_differ(problem.choice_answer, problem.answer_key):
                document.notes.add("answer_conflict", f"{problem.key.contest} {problem.key.number}")
        attempt.difficulty = attempt.difficulty or problem.difficulty or None
        attempt.topics = attempt.topics or list(problem.topics) or None


def _problem_of(document: ContestDocument, attempt: Attempt, bank: Bank) -> KnownProblem | None:
    """By id first, then by number; where both name a problem, the id wins."""
    ref = attempt.problem_ref
    by_number = key_of_number(document, attempt)
    known = bank.by_external_id.get(ref) if ref else None
    by_id = known.key if known is not None else key_of_id(ref)
    if by_id is None:
        return bank.by_key.get(by_number) if by_number is not None else None
    if by_number is not None and by_number != by_id:
        document.notes.add(
            "number_mismatch",
            f"attempt {attempt.position}, {ref} and number {attempt.problem_number}",
        )
    return known if known is not None else bank.by_key.get(by_id)
