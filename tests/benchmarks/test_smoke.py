"""That the benchmarks run and do the same work; never how long it takes."""

import pytest

from tests.benchmarks.sizes import Sizes
from tests.benchmarks.suite import measure

TINY = Sizes(
    rows=600, slow_rows=200, memory_rows=(200, 400), rounds=1, sessions=200, many_sessions=400
)


@pytest.mark.bench
@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_every_contender_does_the_same_work_and_has_its_row_in_the_table() -> None:
    results = measure(TINY)
    table = results.as_markdown()
    names = ("one worker", "two workers", "hand-written", "`save()` loop", "bare parsing")
    for name in (*names, "list of 100 lessons", "five queries for each", "GROUP BY"):
        assert name in table
    assert all(found.seconds for found in results.measured)
    assert len(results.goals) == 16
