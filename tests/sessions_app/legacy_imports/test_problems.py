"""Problem files in both shapes meet in one bank."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sessions_app.contests.problems import answers_differ
from sessions_app.models import Problem
from tests.migrations_tools.imports.importing import counts, import_file, lines

pytestmark = pytest.mark.django_db

NEWER = {
    "_id": {"$oid": "65f0a1b2c3d4e5f6a7b8c9d0"},
    "contest_id": "AMC10A_2022",
    "problem_number": 7,
    "correct_answer": "B) 7",
    "difficulty": "easy",
    "topics": ["Number Theory", "GCD and LCM"],
}
OLDER = {
    "_id": "2022_amc10a_p7",
    "year": "2022",
    "contest": "AMC 10A",
    "problem_number": "7",
    "answer_key": "B",
    "difficulty": "Medium",
    "topics": "Number Theory",
}


def load(folder: Path, *rows: Any) -> tuple[int, int, int, int]:
    return counts(import_file("problems", lines(folder / "problems.jsonl", *rows)))


@pytest.mark.parametrize("order", [(NEWER, OLDER), (OLDER, NEWER)])
def test_the_newer_shape_counts_whatever_comes_first(tmp_path, order):
    assert load(tmp_path, *order) == (1, 1, 0, 0)
    problem = Problem.objects.get()
    assert (problem.contest_id, problem.year, problem.contest, problem.number) == (
        "AMC10A_2022",
        2022,
        "AMC 10A",
        7,
    )
    assert (problem.correct_answer, problem.answer_key) == ("B) 7", "B")
    assert (problem.difficulty, problem.topics) == ("easy", ["Number Theory", "GCD and LCM"])
    assert set(problem.external_ids) == {"65f0a1b2c3d4e5f6a7b8c9d0", "2022_amc10a_p7"}
    assert load(tmp_path, *order) == (0, 0, 2, 0)
    assert problem.history.count() == 1


def test_the_older_shape_alone_gives_the_letter_and_fills_what_the_newer_leaves_open(tmp_path):
    load(tmp_path, OLDER)
    assert Problem.objects.get().correct_answer == "B"
    load(tmp_path, NEWER | {"difficulty": None, "topics": []})
    problem = Problem.objects.get()
    assert (problem.correct_answer, problem.difficulty) == ("B) 7", "medium")
    assert load(tmp_path, OLDER | {"answer_key": "C"}) == (0, 1, 0, 0)
    assert Problem.objects.get().correct_answer == "B) 7"


def test_what_somebody_corrected_here_stays(tmp_path):
    load(tmp_path, NEWER)
    problem = Problem.objects.get()
    problem.correct_answer = "C) 8"
    problem.save()
    assert load(tmp_path, NEWER | {"correct_answer": "D) 9"}, OLDER) == (0, 0, 2, 0)
    assert Problem.objects.get().correct_answer == "C) 8"


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"contest_id": "AMC8_2020"}, ("AMC8_2020", 2020, "AMC 8", 7)),
        ({"contest_id": "amc10a_2022"}, ("amc10a_2022", 2022, "amc 10a", 7)),
        ({"contest_id": "Kangaroo Grade 5_2019"}, (
            "Kangaroo Grade 5_2019", 2019, "Kangaroo Grade 5", 7)),
        ({"contest_id": None, "_id": "2021_amc12b_p9", "problem_number": None}, (
            "AMC12B_2021", 2021, "AMC 12B", 9)),
    ],
)  # fmt: skip
def test_where_a_problem_is(tmp_path, values, place):
    load(tmp_path, NEWER | values)
    problem = Problem.objects.get()
    assert (problem.contest_id, problem.year, problem.contest, problem.number) == place


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"contest_id": None}, "problem_unnamed"),
        ({"contest_id": "AMC10A"}, "problem_unnamed"),
        ({"problem_number": "seven"}, "problem_unnamed"),
        ({"problem_number": 0}, "problem_unnamed"),
        ({"correct_answer": "E"}, "duplicate_key"),
    ],
)
def test_a_row_that_is_no_problem_is_rejected_alone(tmp_path, values, code):
    path = lines(tmp_path / "problems.jsonl", NEWER, NEWER | values, NEWER | {"problem_number": 8})
    legacy_import = import_file("problems", path)
    assert counts(legacy_import) == (2, 0, 0, 1)
    assert legacy_import.rejected_lines.get().code == code


@pytest.mark.parametrize(
    ("answer", "key", "differ"),
    [
        ("B) 7", "B", False),
        ("(b) 7", " B ", False),
        ("B) 7", "C", True),
        ("7", "7", False),
        ("Bee", "B", True),
        ("", "B", False),
    ],
)
def test_when_two_answers_say_different_things(answer, key, differ):
    assert answers_differ(answer, key) is differ


def test_a_contest_with_too_long_a_name_is_called_by_its_id(tmp_path):
    long = {**NEWER, "contest": "x" * 81}
    assert load(tmp_path, long, {**NEWER, "problem_number": 8}) == (2, 0, 0, 0)
    assert load(tmp_path, long) == (0, 0, 1, 0)
    assert Problem.objects.get(number=7).contest == "AMC 10A"
