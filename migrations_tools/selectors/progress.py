"""How far a run is, how fast it goes, and how long it will take: for all surfaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Sum

from migrations_tools.models import Batch, Run
from migrations_tools.selectors.summary import counted_steps
from migrations_tools.states import WORKING_STATES, BatchState, RunState

#: The newest batches, over which the present rate is taken.
RATE_BATCHES: Final = 20
#: Places of a chart of batches; more batches than that share a place.
CHART_PLACES: Final = 40
MOST_BATCHES: Final = 20_000


@dataclass(frozen=True)
class Progress:
    """Keys of counted steps. ``total`` is None as long as nobody counted them.

    ``rate`` is in keys per second over the newest batches of all workers; ``eta`` in seconds.
    """

    done: int
    total: int | None
    rate: float | None
    eta: float | None
    batches_done: int
    batches_in_hand: int
    owners: Sequence[str]

    @property
    def share(self) -> float | None:
        """How much is done, as a ratio 0–1."""
        return min(1.0, self.done / self.total) if self.total else None


def progress_of(run: Run) -> Progress:
    """Three queries, whatever the size of the run."""
    batches = Batch.objects.filter(run=run)
    counted = counted_steps(run)
    if counted is not None:
        batches = batches.filter(step__in=counted)
    done = batches.filter(state=BatchState.DONE).aggregate(keys=Sum("size"), n=Count("pk"))
    owners = list(
        Batch.objects.filter(run=run, state=BatchState.RUNNING)
        .exclude(owner="")
        .order_by("owner")
        .values_list("owner", flat=True)[:20]
    )
    keys, rate = done["keys"] or 0, _rate(run)
    total = keys if run.state == RunState.COMPLETED else total_keys(run)
    working = run.state in WORKING_STATES
    eta = max(0, total - keys) / rate if working and rate and total is not None else None
    return Progress(keys, total, rate, eta, done["n"], len(owners), owners)


def total_keys(run: Run) -> int | None:
    """Keys of counted steps that the run has before it, as far as anybody counted them."""
    counted = counted_steps(run)
    frozen = sum(
        int(found.get("selected") or 0)
        for index, found in run.key_ranges.items()
        if counted is None or not index.isdigit() or int(index) in counted
    )
    known = [frozen, run.report.get("total") or 0]
    if run.plan is not None:
        known.append(run.plan.report.get("total") or 0)
    if run.parent is not None:
        undone = Batch.objects.filter(run=run.parent)
        if counted is not None:
            undone = undone.filter(step__in=counted)
        known.append(undone.aggregate(n=Sum("size"))["n"] or 0)
    return max(known) or None


def _rate(run: Run) -> float | None:
    newest = list(
        Batch.objects.filter(run=run, state=BatchState.DONE, started_at__isnull=False)
        .exclude(finished_at=None)
        .order_by("-finished_at")
        .values_list("size", "started_at", "finished_at")[:RATE_BATCHES]
    )
    began = min((started for _, started, _ in newest if started), default=None)
    ended = max((finished for _, _, finished in newest if finished), default=None)
    if began is None or ended is None or ended <= began:
        return None
    return sum(size for size, _, _ in newest) / (ended - began).total_seconds()


def batch_rates(run: Run) -> list[tuple[str, float]]:
    """Rows per second over the batches in their order: (numbers of the batches, rate)."""
    batches = list(
        Batch.objects.filter(run=run, state=BatchState.DONE, seconds__gt=0)
        .order_by("step", "number")
        .values_list("step", "number", "size", "seconds")[:MOST_BATCHES]
    )
    share = max(1, -(-len(batches) // CHART_PLACES))
    found = []
    for place in range(0, len(batches), share):
        part = batches[place : place + share]
        first, last = part[0], part[-1]
        name = f"{first[0]}.{first[1]}"
        if len(part) > 1:
            name = f"{name}–{last[0]}.{last[1]}"
        seconds = sum(batch[3] for batch in part)
        found.append((name, round(sum(batch[2] for batch in part) / seconds, 1)))
    return found
