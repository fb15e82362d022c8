"""The summary of a run: one JSON shape for command, API and admin (SPEC §3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.registry import get_definition
from migrations_tools.exceptions import UnknownDefinition
from migrations_tools.models import Batch, LedgerEntry, Run, Transition
from migrations_tools.states import Outcome, RunKind, RunState

_QUIET = [Outcome.APPLIED, Outcome.UNCHANGED, Outcome.RESTORED]


def counts_of(run: Run) -> dict[str, Any]:
    """Sums over the run's batches: outcomes, warnings, codes, categories (counted steps only),
    and changes by model (all steps).
    """
    counted = counted_steps(run)
    sums: dict[str, Counter[str]] = {
        name: Counter() for name in ("outcomes", "warnings", "codes", "categories")
    }
    changes: dict[str, Counter[str]] = {}
    for step, counts in Batch.objects.filter(run=run).values_list("step", "counts"):
        if counted is None or step in counted:
            for name, counter in sums.items():
                counter.update(counts.get(name, {}))
        for label, operations in counts.get("changes", {}).items():
            changes.setdefault(label, Counter()).update(operations)
    for label, operations in run.report.get("shared", {}).items():
        changes.setdefault(label, Counter()).update(operations)
    return {
        "outcomes": {outcome: sums["outcomes"][outcome] for outcome in Outcome.values},
        "warnings": {code: n for code, n in sorted(sums["warnings"].items()) if n > 0},
        "codes": {code: n for code, n in sorted(sums["codes"].items()) if n > 0},
        "changes": {
            label: {name: operations[name] for name in ("insert", "update", "delete")}
            for label, operations in sorted(changes.items())
        },
        "categories": {name: n for name, n in sums["categories"].items() if n > 0},
    }


def newest_entries(run: Run) -> QuerySet[LedgerEntry]:
    """The last word on each key of each step: its newest attempt."""
    later = LedgerEntry.objects.filter(
        run=run, step=OuterRef("step"), key=OuterRef("key"), attempt__gt=OuterRef("attempt")
    )
    return LedgerEntry.objects.filter(~Exists(later), run=run)


def spread_of(run: Run) -> dict[str, Any]:
    """How sure a run is of its keys, counted steps only: ``confidence``, the number of keys by
    tenth, and ``warned``, the number of keys with any warning.
    """
    entries = LedgerEntry.objects.filter(run=run)
    counted = counted_steps(run)
    if counted is not None:
        entries = entries.filter(step__in=counted)
    histogram: Counter[int] = Counter()
    known = entries.filter(confidence__isnull=False)
    for confidence in known.values_list("confidence", flat=True).iterator(10_000):
        histogram[min(9, int((confidence or 0.0) * 10))] += 1
    return {
        "confidence": [
            {"from": tenth / 10, "keys": histogram[tenth]} for tenth in sorted(histogram)
        ],
        "warned": entries.filter(warnings__isnull=False).count(),
    }


def counted_steps(run: Run) -> set[int] | None:
    """Indexes of the steps whose keys are source keys, as the run knows them.

    A run made before that was kept asks its definition; None where that is gone.
    """
    if run.counted_steps is not None:
        return set(run.counted_steps)
    try:
        return set(get_definition(run.definition).counted_steps())
    except UnknownDefinition:
        return None


def problems_of(run: Run) -> Iterator[dict[str, str]]:
    """Keys that did not simply go through, and warnings with a detail; newest attempt only."""
    entries = (
        LedgerEntry.objects.filter(run=run)
        .filter(~Q(outcome__in=_QUIET) | Q(warnings__isnull=False))
        .exclude(pk__in=_superseded(run))
        .order_by("step", "id")
        .values_list("key", "outcome", "code", "detail", "warnings")
    )
    for key, outcome, code, detail, warnings in entries.iterator(5_000):
        if outcome not in _QUIET:
            yield {"key": key, "outcome": outcome, "code": code, "detail": detail or ""}
        for warning, text in warnings or ():
            if text:
                yield {"key": key, "outcome": outcome, "code": warning, "detail": text}


def _superseded(run: Run) -> Any:
    """Entries to which a newer attempt exists; only runs with retried keys have any."""
    if not LedgerEntry.objects.filter(run=run, attempt__gt=1).exists():
        return []
    return (
        LedgerEntry.objects.filter(run=run)
        .filter(
            run__ledger__step=F("step"),
            run__ledger__key=F("key"),
            run__ledger__attempt__gt=F("attempt"),
        )
        .values("pk")
    )


def seconds_of(run: Run) -> float:
    """Seconds of work, without the time the run stood paused."""
    working = {RunState.RUNNING, RunState.THROTTLED, RunState.PAUSING, RunState.CANCELLING}
    total, since = 0.0, None
    for to_state, at in (
        Transition.objects.filter(run=run).exclude(to_state="").values_list("to_state", "at")
    ):
        if since is not None and to_state not in working:
            total += (at - since).total_seconds()
            since = None
        elif since is None and to_state in working:
            since = at
    return total


def summarise(run: Run, *, problems: bool = True) -> dict[str, Any]:
    """The whole summary; ``problems`` may be many."""
    counts = counts_of(run)
    plan = run if run.kind in {RunKind.PLAN, RunKind.DRY_RUN} else run.plan
    seconds = seconds_of(run)
    total = sum(counts["outcomes"].values())
    return {
        "run": str(run.pk),
        "migration": run.definition,
        "kind": run.kind,
        "state": run.state,
        "total": total,
        "outcomes": counts["outcomes"],
        "warnings": counts["warnings"],
        "codes": counts["codes"],
        "problems": list(problems_of(run)) if problems else [],
        "changes": counts["changes"],
        "categories": counts["categories"],
        "risks": (plan.report if plan else {}).get("risks", []),
        "recommendations": (plan.report if plan else {}).get("recommendations", []),
        "seconds": round(seconds, 3),
        "rows_per_second": round(total / seconds, 1) if seconds > 0 else 0.0,
    }


def nothing_to_do(definition: type[DataMigration], kind: str) -> dict[str, Any]:
    """The same shape for a run that was not made because there is nothing to do."""
    return {
        "run": None,
        "migration": definition.name,
        "kind": kind,
        "state": RunState.COMPLETED,
        "total": 0,
        "outcomes": dict.fromkeys(Outcome.values, 0),
        "warnings": {},
        "codes": {},
        "problems": [],
        "changes": {},
        "categories": {},
        "risks": [],
        "recommendations": [],
        "seconds": 0.0,
        "rows_per_second": 0.0,
    }
