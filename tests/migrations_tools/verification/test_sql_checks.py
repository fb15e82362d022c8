"""The definition's own checks: what they count, name and excuse."""

from __future__ import annotations

import pytest

from migrations_tools.definitions import SQLCheck, SQLScan
from migrations_tools.verification.sql_checks import run_check

pytestmark = pytest.mark.django_db


def check(failures: str, examined: str = "SELECT 5", **arguments: object) -> SQLCheck:
    return SQLCheck("wrong", "Nothing is wrong", examined, failures, **arguments)  # type: ignore[arg-type]


def test_failures_are_counted_and_the_first_named_in_order() -> None:
    (result,) = run_check(check("SELECT n, 'detail ' || n FROM generate_series(130, 101, -1) n"))
    assert (result.examined, result.failures, result.ok) == (5, 30, False)
    assert [named["key"] for named in result.sample] == [str(n) for n in range(101, 121)]
    assert result.sample[0]["detail"] == "detail 101"


def test_no_failure_is_a_pass() -> None:
    (result,) = run_check(check("SELECT 1, 'x' WHERE false"))
    assert (result.ok, result.failures, result.sample) == (True, 0, [])


def test_rows_explained_by_history_are_counted_apart() -> None:
    (result,) = run_check(
        check("SELECT n AS id, 'x' AS why, n > 1 AS edited FROM generate_series(1, 3) n")
    )
    assert (result.failures, result.edited_since) == (1, 2)
    assert [named["key"] for named in result.sample] == ["1"]


def test_looking_at_nothing_fails_unless_allowed() -> None:
    nothing = "SELECT 1, 'x' WHERE false"
    (result,) = run_check(check(nothing, "SELECT 0"))
    assert result.looked_at_nothing
    assert not result.ok
    (result,) = run_check(check(nothing, "SELECT 0", may_be_empty=True))
    assert result.ok


def test_parameters_and_percent_signs_reach_the_query() -> None:
    (result,) = run_check(
        check(
            "SELECT %(key)s, 'x' WHERE %(key)s LIKE 'a%%'",
            "SELECT length(%(key)s)",
            parameters={"key": "abc"},
        )
    )
    assert (result.examined, result.failures, result.sample[0]["key"]) == (3, 1, "abc")


def test_a_scan_answers_for_each_of_its_codes() -> None:
    results = run_check(
        SQLScan(
            {"first": "The first", "second": "The second", "third": "The third"},
            examined="SELECT 9",
            failures="SELECT CASE WHEN n < 3 THEN 'first' ELSE 'third' END, n, 'x', "
            "n = 5 AS edited FROM generate_series(1, 5) n",
        )
    )
    found = {result.code: (result.examined, result.failures, result.edited_since)
             for result in results}  # fmt: skip
    assert found == {"first": (9, 2, 0), "second": (9, 0, 0), "third": (9, 2, 1)}
    assert [result.ok for result in results] == [False, True, False]
