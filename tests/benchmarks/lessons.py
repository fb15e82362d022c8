"""The list of lessons beside a loop of five queries for each, and in a longer table."""

from __future__ import annotations

from tests.benchmarks.databases import Databases
from tests.benchmarks.results import Goal, Measured, Results, ratios
from tests.benchmarks.sizes import Sizes

#: How often a list is asked for in one turn: of one alone the time could not be told.
LISTS, LOOPS = 100, 5

PAGE = 10  # lessons of one page where tables of different length are compared


def measure_lessons(databases: Databases, sizes: Sizes, results: Results) -> None:
    """All 100 lessons of a table on one page by both ways; a page of 10 of 10 and of 500."""
    empty = databases.migrated()
    whole = results.new(f"list of 100 lessons, {LISTS} times", 100 * LISTS)
    loop = results.new(f"the same by five queries for each, {LOOPS} times", 100 * LOOPS)
    few, many = (
        results.new(f"page of {PAGE} of {lessons} lessons, {LISTS} times", PAGE * LISTS)
        for lessons in (10, 500)
    )
    for _ in range(sizes.rounds):
        answer = databases.contend(
            empty, "lesson_lists", lessons=100, page_size=100, lists=LISTS, loops=LOOPS
        )
        whole.add(answer["seconds"]["lists"], answer["peak"])
        loop.add(answer["seconds"]["loops"])
        for measured, lessons in ((few, 10), (many, 500)):
            _page(databases, empty, measured, lessons)
    results.goals += [
        Goal(
            "list of 100 lessons: rate of ours, of the loop's",
            "×",
            ratios(whole, loop),
            at_least=20,
        ),
        Goal("page of 500 lessons: time of that of 10", "×", ratios(few, many), at_most=2),
    ]


def _page(databases: Databases, empty: str, measured: Measured, lessons: int) -> None:
    answer = databases.contend(
        empty, "lesson_lists", lessons=lessons, page_size=PAGE, lists=LISTS, loops=0
    )
    measured.add(answer["seconds"]["lists"], answer["peak"])
