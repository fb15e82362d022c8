"""Risks, recommendations and alerts: strictly more than, and in the order of agents.md."""

from __future__ import annotations

from typing import Any

import pytest

from sessions_app.data_migrations.orphan_risks import alerts_of, recommendations_of, risks_of


def summary(total: int, *, warned: int = 0, **figures: Any) -> dict[str, Any]:
    """A forecast; ``low`` keys have a confidence just below 0.7, the others 0.7."""
    low = figures.pop("low", 0)
    return {
        "total": total,
        "warned": warned,
        "categories": figures,
        "confidence": [{"from": 0.6, "keys": low}, {"from": 0.7, "keys": total - low}],
    }


def test_a_quiet_plan_has_no_risk() -> None:
    assert risks_of(summary(10, low=3, warned=2, confident=10)) == []


def test_every_risk_is_told_in_order() -> None:
    assert risks_of(summary(10, low=4, warned=3, manual_review=1)) == [
        "4 sessions of 10 have a confidence below 0.7",
        "1 session requires manual review",
        "3 sessions of 10 have warnings",
    ]
    assert risks_of(summary(10, manual_review=2)) == ["2 sessions require manual review"]


def test_recommendations_come_in_order_and_the_last_two_always() -> None:
    always = ["Back up the database before the run", "Run in a quiet period"]
    assert recommendations_of(summary(5, confident=3, tentative=3)) == always
    assert recommendations_of(summary(9, manual_review=2, tentative=1, unassigned=1)) == [
        "Review the 2 sessions that require it by hand",
        "Do a dry run first: more decisions are tentative than confident",
        "1 session will be parked as unassigned: verify them",
        *always,
    ]


def run(total: int, quarantined: int = 0, **categories: int) -> dict[str, Any]:
    return {"total": total, "outcomes": {"quarantined": quarantined}, "categories": categories}


@pytest.mark.parametrize(
    ("arguments", "codes"),
    [
        ({"last": run(10, 1, tentative=3)}, []),
        ({"last": run(10, 2)}, ["failures"]),
        ({"last": run(10, tentative=4)}, ["tentative"]),
        ({"rollbacks": 1}, ["rollback"]),
        ({"plan": {"examined": 10_000, "seconds": 5.0}}, []),
        ({"plan": {"examined": 10_000, "seconds": 5.1}}, ["slow_analysis"]),
        ({"plan": {"examined": 20_000, "seconds": 9.9}}, []),
        ({"plan": {"examined": 3, "seconds": 4.0}}, []),  # a few say nothing of thousands
        ({}, []),
    ],
)
def test_alerts(arguments: dict[str, Any], codes: list[str]) -> None:
    given: dict[str, Any] = {"last": None, "plan": None, "rollbacks": 0, **arguments}
    assert [alert["code"] for alert in alerts_of(**given)] == codes


def test_an_alert_is_a_sentence() -> None:
    (alert,) = alerts_of(last=run(10, 2), plan=None, rollbacks=0)
    assert alert["message"] == "2 of 10 sessions failed."
