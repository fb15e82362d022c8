"""Every field with every odd value: the run and its checks read them alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from sessions_app.models import Session
from tests.docs.console import document
from tests.sessions_app.contest_files import (
    GONE,
    NAME,
    actor,
    attempt,
    failed_checks,
    import_bank,
    import_sessions,
    import_users,
    session,
    take_back,
)

POISON: list[Any] = [
    None, "", "None", 0, -1, 1, 0.005, " 7 ", 1e300, 10**12, 10**12 + 1, 2**31, True, " TRUE ",
    [], {}, {"a": 1}, "x" * 300, "a\0b", "\ud800", "\u3000x\u3000", "NaN", "١٢", "%s", " Paused ",
    {"$numberLong": "5"}, {"$numberDecimal": "5.50"}, {"$numberDouble": "Infinity"},
    {"$date": {"$numberLong": "-62135596800000"}}, 1714554000000, "2026-02-30", "2026-02-01 10:00",
    "2024-02-29T00:00:00.1234567Z", "2200-12-31T23:59:59-05:00", "1900-01-01T00:00:00.000000+00:00",
    "1899-12-31T23:59:59.000000+00:00", "2026-02-01T10:00:00+05:60", "2026-02-01T10:00:00+16:00",
    ["A", " A ", "", None, {"area": "X", "sub_topic": "Y"}], {"area": " Q "}, "AMC10A_2022_1",
    "2022_AMC\u00a010A_p2", " AMC10A_2022_3 ", "AMC10A_2022_99", "2022_amc10a_p1234567",
]  # fmt: skip
OTHER_NAMES = {"correct": "is_correct", "time_spent": "time_spent_ms",
               "timestamp": "attempt_timestamp"}  # fmt: skip


def documents() -> Iterator[dict[str, Any]]:
    number = 0
    of_session = [name for name in session() if name != "_id"]
    for name in (*of_session, "attempted", "totalTime"):
        for value in POISON:
            number += 1
            totals = {"total_attempted": GONE, "total_time_ms": GONE} if "tot" in name else {}
            yield session(str(number), **{**totals, name: value})
    for name in (*attempt(), *OTHER_NAMES):
        for value in POISON:
            bare = dict.fromkeys(("correct_answer", "difficulty", "topics"))
            for filled in ({}, bare):
                number += 1
                usual = {OTHER_NAMES[name]: GONE} if name in OTHER_NAMES else {}
                odd = attempt(**{**filled, **usual, name: value})
                tried = [odd, attempt(2)]
                yield session(str(number), shuffle=bool(number % 2), problems_attempted=tried)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_odd_values_are_read_alike_by_the_run_and_its_checks(tmp_path: Path) -> None:
    import_bank(tmp_path)
    import_users(tmp_path, "sam", "noor")
    import_sessions(tmp_path, *documents())
    tried = runs.dry_run(NAME, options={}, **actor())
    started = runs.start_run(NAME, options={}, tuning={"error_budget": 1}, **actor())
    assert tried is not None
    assert started is not None
    forecast, told = summarise(tried), summarise(runs.work_run(started))
    for figures in ("outcomes", "warnings", "codes"):
        assert forecast[figures] == told[figures]
    assert told["outcomes"]["applied"] > 1_000
    assert set(told["codes"]) == {"duplicate_session", "invalid_document", "invalid_is_correct"}
    explained = document("docs/enrich-contest-sessions.md")
    assert {code for code in told["warnings"] if f"`{code}`" not in explained} == set()
    assert failed_checks() == {}
    take_back(told["run"])
    assert not Session.objects.exists()
