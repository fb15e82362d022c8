"""What an operator is told before and after a run (agents.md "Risks", "Alerts"). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, Final

from django.utils.translation import gettext_noop

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
        one = gettext_noop("%(n)s session of %(total)s has a confidence below %(lowest)s")
        many = gettext_noop("%(n)s sessions of %(total)s have a confidence below %(lowest)s")
        found.append(_counted(low, one, many, total=total, lowest=LOW_CONFIDENCE))
    if review:
        one = gettext_noop("%(n)s session requires manual review")
        many = gettext_noop("%(n)s sessions require manual review")
        found.append(_counted(review, one, many))
    if _exceeds(warned, total, MOST_WARNED):
        one = gettext_noop("%(n)s session of %(total)s has warnings")
        many = gettext_noop("%(n)s sessions of %(total)s have warnings")
        found.append(_counted(warned, one, many, total=total))
    return found


def recommendations_of(summary: Mapping[str, Any]) -> list[str]:
    """What to do before the run, in the order of agents.md."""
    count = summary["categories"].get
    review, tentative = count(DecisionType.MANUAL_REVIEW, 0), count(DecisionType.TENTATIVE, 0)
    parked = count(DecisionType.UNASSIGNED, 0)
    found = []
    if review:
        one = gettext_noop("Review the %(n)s session that requires it by hand")
        many = gettext_noop("Review the %(n)s sessions that require it by hand")
        found.append(_counted(review, one, many))
    if tentative > count(DecisionType.CONFIDENT, 0):
        found.append(
            gettext_noop("Do a dry run first: more decisions are tentative than confident")
        )
    if parked:
        one = gettext_noop("%(n)s session will be parked as unassigned: verify them")
        many = gettext_noop("%(n)s sessions will be parked as unassigned: verify them")
        found.append(_counted(parked, one, many))
    found.append(gettext_noop("Back up the database before the run"))
    found.append(gettext_noop("Run in a quiet period"))
    return found


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
            sentence = gettext_noop("%(n)s of %(total)s sessions failed.")
            found.append(_alert("failures", sentence % {"n": failed, "total": total}))
        if _exceeds(tentative, total, MOST_TENTATIVE):
            sentence = gettext_noop("%(n)s of %(total)s decisions are tentative.")
            found.append(_alert("tentative", sentence % {"n": tentative, "total": total}))
    if rollbacks:
        found.append(_alert("rollback", gettext_noop("The last run was rolled back.")))
    if plan is not None:
        allowed = MOST_SECONDS * max(1.0, plan["examined"] / SESSIONS_OF_SECONDS)
        if plan["seconds"] > allowed:
            sentence = gettext_noop("%(n)s sessions took %(seconds)s s to analyse.")
            values = {"n": plan["examined"], "seconds": plan["seconds"]}
            found.append(_alert("slow_analysis", sentence % values))
    return found


def _exceeds(number: int, total: int, share: Fraction) -> bool:
    return Fraction(number) > share * total


def _counted(number: int, one: str, many: str, **values: object) -> str:
    return (one if number == 1 else many) % {"n": number, **values}


def _alert(code: str, message: str) -> dict[str, str]:
    return {"code": code, "message": message}
