"""The problem bank of the contest trainer: AMC 10A of 2022, and made-up contests after it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple


class BankProblem(NamedTuple):
    contest: str
    year: int
    number: int
    letter: str
    area: str
    sub_topic: str

    @property
    def contest_id(self) -> str:
        return f"{self.contest.replace(' ', '')}_{self.year}"

    @property
    def difficulty(self) -> str:
        return difficulty_of(self.number)

    @property
    def topics(self) -> list[str]:
        return [self.area, self.sub_topic]

    @property
    def older_id(self) -> str:
        """``2022_amc10a_p7``, the id in the older shape."""
        return f"{self.year}_{self.contest.replace(' ', '').lower()}_p{self.number}"


PROBLEMS_OF_A_CONTEST: Final = 25

#: Facts of AMC 10A 2022, from the first problem to the last: answer, area, sub-topic.
_AMC_10A_2022: Final = (
    ("D", "Algebra", "Continued Fractions"),
    ("B", "Algebra", "Ratios and Proportions"),
    ("E", "Algebra", "System of Linear Equations"),
    ("E", "Algebra", "Unit Conversion"),
    ("C", "Geometry", "Polygons"),
    ("A", "Algebra", "Absolute Value"),
    ("B", "Number Theory", "GCD and LCM"),
    ("D", "Algebra", "Mean"),
    ("D", "Counting and Probability", "Graph Theory"),
    ("E", "Geometry", "Coordinate Geometry"),
    ("C", "Algebra", "Exponents"),
    ("A", "Logic", "Truth Tables"),
    ("C", "Geometry", "Triangle Properties"),
    ("E", "Counting and Probability", "Combinatorics"),
    ("D", "Geometry", "Cyclic Quadrilateral"),
    ("D", "Algebra", "Polynomials - Vieta's formulas"),
    ("D", "Number Theory", "Repeating Decimals"),
    ("A", "Geometry", "3D Transformations"),
    ("C", "Number Theory", "Modular Arithmetic"),
    ("E", "Algebra", "Arithmetic and Geometric Sequences"),
    ("B", "Geometry", "Area of Polygons"),
    ("D", "Counting and Probability", "Permutation"),
    ("B", "Geometry", "Isosceles Trapezoid"),
    ("E", "Counting and Probability", "String Counting"),
    ("B", "Geometry", "Lattice Points"),
)

#: Contests in the order of the files; sessions are of the first four.
_CONTESTS: Final = ("AMC 10A", "AMC 10B", "AMC 12A", "AMC 8")
SESSION_CONTESTS: Final = tuple(zip(_CONTESTS, (2022, 2022, 2021, 2020), strict=True))


def difficulty_of(number: int) -> str:
    """1–10 are easy, 11–20 medium, 21–25 hard."""
    if number <= 10:
        return "easy"
    return "medium" if number <= 20 else "hard"


def amc_10a_2022() -> list[BankProblem]:
    """The 25 problems of the example in contests.md."""
    return [
        BankProblem("AMC 10A", 2022, number, *facts)
        for number, facts in enumerate(_AMC_10A_2022, 1)
    ]


def contests() -> Iterator[tuple[str, int]]:
    """Contest and year, without end: those of the sessions, then one year before another."""
    yield from SESSION_CONTESTS
    year = 2019
    while True:
        for contest in _CONTESTS:
            yield contest, year
        year -= 1


def problem(contest: str, year: int, number: int) -> BankProblem:
    """The problem at a place; of every contest but the first its facts are made up."""
    if (contest, year) == SESSION_CONTESTS[0]:
        return BankProblem(contest, year, number, *_AMC_10A_2022[number - 1])
    place = hashlib.sha256(f"{contest}/{year}/{number}".encode()).digest()
    _, area, sub_topic = _AMC_10A_2022[place[0] % PROBLEMS_OF_A_CONTEST]
    return BankProblem(contest, year, number, "ABCDE"[place[1] % 5], area, sub_topic)


def problems() -> Iterator[BankProblem]:
    """All problems, contest by contest, without end."""
    for contest, year in contests():
        for number in range(1, PROBLEMS_OF_A_CONTEST + 1):
            yield problem(contest, year, number)


def in_newer_shape(known: BankProblem, own_id: str) -> dict[str, Any]:
    """With ``contest_id``, a number, and the text of the choice."""
    return {
        "_id": {"$oid": own_id},
        "contest_id": known.contest_id,
        "problem_number": known.number,
        "correct_answer": f"{known.letter}) {known.number * 7 % 50}",
        "difficulty": known.difficulty,
        "topics": known.topics,
    }


def in_older_shape(known: BankProblem) -> dict[str, Any]:
    """With year and contest, the number as text, and the letter of the answer."""
    return {
        "_id": known.older_id,
        "year": known.year,
        "contest": known.contest,
        "problem_number": str(known.number),
        "answer_key": known.letter,
        "difficulty": known.difficulty.capitalize(),
        "topics": known.topics,
    }
