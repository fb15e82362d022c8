"""What did not simply go through: by code, and key by key."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.db.models import Count, Exists, Min, OuterRef, Q, QuerySet

from migrations_tools.models import LedgerEntry, Run
from migrations_tools.models.cutover import Waiver
from migrations_tools.selectors.summary import newest_entries
from migrations_tools.states import Outcome

#: Outcomes after which nobody has anything to look at.
QUIET: Final = (Outcome.APPLIED, Outcome.UNCHANGED, Outcome.RESTORED)
#: Outcomes that keep a key from being carried over, or taken back.
UNCLEAN: Final = (Outcome.QUARANTINED, Outcome.CONFLICT)
#: Columns of `problem_rows`.
HEADINGS: Final = ("key", "outcome", "code", "detail", "warnings", "waived")


def problems_by_code(run: Run) -> list[dict[str, Any]]:
    """``outcome``, ``code``, number of keys and one detail; those that ask for work come first."""
    groups: Iterable[Any] = (
        newest_entries(run)
        .exclude(outcome__in=QUIET)
        .order_by()
        .values("outcome", "code")
        .annotate(keys=Count("pk"), detail=Min("detail"))
    )
    order = {outcome: place for place, outcome in enumerate(UNCLEAN)}
    return sorted(
        groups, key=lambda group: (order.get(group["outcome"], 9), -group["keys"], group["code"])
    )


def problem_entries(run: Run, outcome: str = "", code: str = "") -> QuerySet[LedgerEntry]:
    """The keys behind them, each with ``waived``; warnings of a code are found by the code too."""
    waived = Waiver.objects.filter(
        definition=run.definition, step=OuterRef("step"), key=OuterRef("key")
    )
    entries = newest_entries(run).annotate(waived=Exists(waived)).order_by("id")
    if outcome:
        entries = entries.filter(outcome=outcome)
    elif not code:
        entries = entries.filter(~Q(outcome__in=QUIET) | Q(warnings__isnull=False))
    if code and outcome:
        entries = entries.filter(code=code)
    elif code:
        entries = entries.filter(Q(code=code) | Q(warnings__contains=[[code]]))
    return entries


def problem_rows(run: Run, outcome: str = "", code: str = "") -> Iterator[list[Any]]:
    """`problem_entries` as rows of a table under `HEADINGS`, read bit by bit."""
    entry: LedgerEntry
    for entry in problem_entries(run, outcome, code).iterator(2_000):
        warnings = "; ".join(f"{found}: {text}" for found, text in entry.warnings or ())
        waived = "yes" if entry.waived else ""  # type: ignore[attr-defined]  # annotated
        yield [entry.key, entry.outcome, entry.code, entry.detail or "", warnings, waived]


def quarantined_of(run: Run, code: str) -> list[str]:
    """Keys that are quarantined with this code, in order."""
    entries = problem_entries(run, Outcome.QUARANTINED, code)
    return list(entries.order_by("step", "key").values_list("key", flat=True))
