"""What the overview shows of the engine, over all runs at once, in few queries each."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import BigIntegerField, Count, F, Q, Sum
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, TruncDate
from django.utils import timezone

from migrations_tools.definitions.registry import all_definitions
from migrations_tools.models import Batch, Check, LegacyImport, QueuedImport, ReviewItem, Run
from migrations_tools.selectors.summary import counted_steps
from migrations_tools.states import BatchState, Outcome, RunKind, RunState

#: Minutes over which the present rate of a run is taken.
RATE_MINUTES = 2
#: Outcomes of the chart, in the order in which they are stacked.
CHARTED = (Outcome.APPLIED, Outcome.SKIPPED, Outcome.REVIEW, Outcome.CONFLICT, Outcome.QUARANTINED)


@dataclass(frozen=True)
class ActiveRun:
    """A run that may still write: keys ``done`` of ``total``, and seconds until it is through.

    ``total`` is None where nobody counted, ``eta`` where nothing was done in the last minutes.
    """

    run: Run
    done: int
    total: int | None
    eta: float | None


@dataclass(frozen=True)
class Decisions:
    """What waits for a person."""

    reviews: Mapping[str, int]  # by definition
    approvals: int
    attention: int
    conflicts: int  # runs of which a rollback left something
    quarantined: Mapping[str, int]  # by definition

    def __bool__(self) -> bool:
        return bool(
            self.reviews or self.approvals or self.attention or self.conflicts or self.quarantined
        )


@dataclass(frozen=True)
class LastVerification:
    """The newest standing run of a definition, and the failures of its last verification."""

    run: Run
    failed_checks: int


def active_runs() -> list[ActiveRun]:
    """Runs that may still write, the oldest first, with their progress: two queries."""
    runs = list(Run.objects.active().order_by("created_at"))
    since = timezone.now() - datetime.timedelta(minutes=RATE_MINUTES)
    done: Counter[object] = Counter()
    lately: Counter[object] = Counter()
    sums = (
        Batch.objects.filter(run__in=runs, state=BatchState.DONE)
        .values("run_id", "step")
        .annotate(keys=Sum("size"), new=Sum("size", filter=Q(finished_at__gte=since)))
    )
    counted = {run.pk: counted_steps(run) for run in runs}
    for row in sums:
        steps = counted[row["run_id"]]
        if steps is None or row["step"] in steps:
            done[row["run_id"]] += row["keys"] or 0
            lately[row["run_id"]] += row["new"] or 0
    return [_active(run, done[run.pk], lately[run.pk]) for run in runs]


def _active(run: Run, done: int, lately: int) -> ActiveRun:
    total = sum(int(frozen.get("selected") or 0) for frozen in run.key_ranges.values()) or None
    started = run.started_at or timezone.now()
    seconds = min(RATE_MINUTES * 60.0, max(1.0, (timezone.now() - started).total_seconds()))
    rate = lately / seconds
    eta = max(0, total - done) / rate if total is not None and rate > 0 else None
    return ActiveRun(run, done, total, eta)


def decisions() -> Decisions:
    """What waits for a person: four queries."""
    waiting = ReviewItem.objects.waiting().values("run__definition").annotate(n=Count("pk"))
    states = Run.objects.aggregate(
        approvals=Count("pk", filter=Q(state=RunState.AWAITING_APPROVAL)),
        attention=Count("pk", filter=Q(state=RunState.NEEDS_ATTENTION)),
        conflicts=Count("pk", filter=Q(state=RunState.PARTIALLY_ROLLED_BACK, kind=RunKind.APPLY)),
    )
    return Decisions(
        reviews={row["run__definition"]: row["n"] for row in waiting.order_by("run__definition")},
        quarantined=_quarantined(),
        **states,
    )


def newest_standing() -> list[Run]:
    """The newest standing run of every definition that looked at all of its keys: one query."""
    return list(
        Run.objects.standing()
        .filter(reviewed=None)
        .order_by("definition", "-created_at", "-id")
        .distinct("definition")
    )


def _quarantined() -> dict[str, int]:
    """Keys that the newest run of each definition could not carry over."""
    runs = {run.pk: run for run in newest_standing()}
    found: Counter[str] = Counter()
    for run_id, step, number in (
        Batch.objects.filter(run__in=runs)
        .values_list("run_id", "step")
        .annotate(n=Sum(_outcome(Outcome.QUARANTINED)))
    ):
        steps = counted_steps(runs[run_id])
        if number and (steps is None or step in steps):
            found[runs[run_id].definition] += number
    return {name: n for name, n in sorted(found.items()) if n > 0}


def last_verifications() -> list[LastVerification]:
    """The newest standing runs, how their last verification ended and when: two queries."""
    runs = newest_standing()
    failed = (
        Check.objects.filter(run__in=runs, ok=False, at__gte=F("run__started_at"))
        .values("run_id")
        .annotate(n=Count("code", distinct=True))
    )
    by_run = {row["run_id"]: row["n"] for row in failed}
    return [LastVerification(run, by_run.get(run.pk, 0)) for run in runs]


def outcomes_by_day(days: int) -> dict[datetime.date, Counter[str]]:
    """Source keys that runs finished on each of the last ``days`` local days, by outcome.

    Every day is there, the oldest first. Rollbacks and dry runs are left out.
    """
    today = timezone.localdate()
    first = today - datetime.timedelta(days=days - 1)
    counts = {first + datetime.timedelta(days=day): Counter[str]() for day in range(days)}
    start = timezone.make_aware(datetime.datetime.combine(first, datetime.time()))
    runs = {
        run.pk: run for run in Run.objects.filter(kind=RunKind.APPLY, finished_at__gte=start)
    } | {run.pk: run for run in Run.objects.active().filter(kind=RunKind.APPLY)}
    sums = (
        Batch.objects.filter(run__in=runs, state=BatchState.DONE, finished_at__gte=start)
        .annotate(day=TruncDate("finished_at"))
        .values_list("run_id", "step", "day")
        .annotate(**{outcome: Sum(_outcome(outcome)) for outcome in CHARTED})
    )
    for run_id, step, day, *numbers in sums:
        steps = counted_steps(runs[run_id])
        if day in counts and (steps is None or step in steps):
            counts[day].update(dict(zip(CHARTED, (n or 0 for n in numbers), strict=True)))
    return counts


def queued_imports(most: int = 5) -> list[QueuedImport]:
    """Imports that wait for a worker or are worked on, the oldest first."""
    queued = QueuedImport.objects.filter(state=QueuedImport.State.QUEUED)
    return list(queued.select_related("actor").order_by("pk")[:most])


def last_imports(most: int = 5) -> list[LegacyImport]:
    """The newest imports that were done."""
    return list(LegacyImport.objects.order_by("-pk")[:most])


def nothing_yet() -> bool:
    """Whether nothing was imported and nothing run so far."""
    return not (
        LegacyImport.objects.exists() or QueuedImport.objects.exists() or Run.objects.exists()
    )


def titles(names: Iterable[str]) -> dict[str, str]:
    """Titles of definitions; one that is gone is called by its name."""
    known = {definition.name: definition.title() for definition in all_definitions()}
    return {name: known.get(name, name) for name in names}


def _outcome(outcome: str) -> Cast:
    counted = KeyTextTransform(outcome, KeyTextTransform("outcomes", "counts"))
    return Cast(counted, BigIntegerField())
