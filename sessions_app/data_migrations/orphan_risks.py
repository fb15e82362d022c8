"""What an operator is told before and after a run (agents.md "Risks", "Alerts"). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from sessions_app.data_migrations.orphan_decision import DecisionType

#: A confidence below this is low; ratios are exact, and exceeded only strictly.
LOW_CONFIDENCE: Final = 0.7
MOST_LOW_CONFIDENCE: Final = Fraction(30, 100)
MOST_WARNED: Final = Fraction(20, 100)

MOST_FAILED: Final = Fraction(10, 100)
MOST_TENTATIVE: Final = Fraction(30, 100)
#: Seconds that the analysis of so many sessions may take.
MOST_SECONDS: Final = 5.0
SESSIONS_OF_SECONDS: Final = 10_000


def risks_of(summary: Mapping[str, Any]) -> list[str]:
    """The risks of a plan, by its forecast."""
    total = summary["total"]
    low = sum(tenth["keys"] for tenth in summary["confidence"] if tenth["from"] < LOW_CONFIDENCE)
    review = summary["categories"].get(DecisionType.MANUAL_REVIEW, 0)
    warned = summary["warned"]
    found = []
    if _exceeds(low, total, MOST_LOW_CONFIDENCE):
        found.append(f"{_sessions(low)} of {total} {_has(low)} a confidence below {LOW_CONFIDENCE}")
    if review:
        found.append(f"{_sessions(review)} {_verb(review, 'require')} manual review")
    if _exceeds(warned, total, MOST_WARNED):
        found.append(f"{_sessions(warned)} of {total} {_has(warned)} warnings")
    return found


def recommendations_of(summary: Mapping[str, Any]) -> list[str]:
    """What to do before the run, in the order of agents.md."""
    count = summary["categories"].get
    review, tentative = count(DecisionType.MANUAL_REVIEW, 0), count(DecisionType.TENTATIVE, 0)
    parked = count(DecisionType.UNASSIGNED, 0)
    found = []
    if review:
        found.append(f"Review the {_sessions(review)} that {_verb(review, 'require')} it by hand")
    if tentative > count(DecisionType.CONFIDENT, 0):
        found.append("Do a dry run first: more decisions are tentative than confident")
    if parked:
        found.append(f"{_sessions(parked)} will be parked as unassigned: verify them")
    return [*found, "Back up the database before the run", "Run in a quiet period"]


def alerts_of(
    *, last: Mapping[str, Any] | None, plan: Mapping[str, Any] | None, rollbacks: int
) -> list[dict[str, str]]:
    """What somebody should look at: code and sentence.

    ``last`` is the summary of the last run, ``plan`` the report of the last plan, ``rollbacks``
    the number of rollbacks since the last run began.
    """
    found = []
    if last is not None:
        total = last["total"]
        failed = last["outcomes"]["quarantined"]
        tentative = last["categories"].get(DecisionType.TENTATIVE, 0)
        if _exceeds(failed, total, MOST_FAILED):
            found.append(_alert("failures", f"{failed} of {total} sessions failed."))
        if _exceeds(tentative, total, MOST_TENTATIVE):
            found.append(_alert("tentative", f"{tentative} of {total} decisions are tentative."))
    if rollbacks:
        found.append(_alert("rollback", "The last run was rolled back."))
    if plan is not None:
        allowed = MOST_SECONDS * max(1.0, plan["examined"] / SESSIONS_OF_SECONDS)
        if plan["seconds"] > allowed:
            sentence = f"{plan['examined']} sessions took {plan['seconds']} s to analyse."
            found.append(_alert("slow_analysis", sentence))
    return found


def _exceeds(number: int, total: int, share: Fraction) -> bool:
    return Fraction(number) > share * total


def _sessions(number: int) -> str:
    return f"{number} session" if number == 1 else f"{number} sessions"


def _verb(number: int, verb: str) -> str:
    return f"{verb}s" if number == 1 else verb


def _has(number: int) -> str:
    return "has" if number == 1 else "have"


def _alert(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}
