"""Cutting the next batch: key ranges up to the frozen bound, sweeps, and batches to undo."""

from __future__ import annotations

from enum import Enum
from typing import Any

from django.db.models import Max, Sum
from django.db.models.functions import Coalesce

from migrations_tools.definitions.sources import KeyRange
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.statistics import refresh_statistics
from migrations_tools.models import Batch, LedgerEntry, Run
from migrations_tools.states import BatchState, RunKind

#: The sweep number of the pass over a step's frozen range.
FIRST_PASS = 0
#: Sweeps for rows that appeared behind the key.
MOST_SWEEPS = 3
#: The sweep number of batches that drive listed keys again.
AGAIN = 9
#: That of batches of keys whose review a person decided.
DECIDED = 8


class Idle(Enum):
    """Why there is no batch to work on."""

    WAIT = "wait"  # other workers still hold batches of this step, or a back-off runs
    FINISHED = "finished"  # every step is closed: the run can be closed
    STOPPED = "stopped"  # the run's state allows no work


def cut_batch(context: RunContext, size: int) -> Batch | Idle:
    """Cut the next range of the first step that is not closed, under the lock on the run."""
    run = context.run
    for index, step in enumerate(context.steps):
        if run.kind == RunKind.ROLLBACK and not step.recomputed:
            continue
        frozen = run.key_ranges.get(str(index)) or _freeze(context, index)
        while not frozen["closed"]:
            if frozen.get("again"):
                again = _cut_again(context, index, size)
                if again is not None:
                    return again
                break
            last = Batch.objects.filter(run=run, step=index).order_by("-number").first()
            most = min(size, remaining_limit(context)) if step.counted else size
            after = last.last_key if last and last.sweep == frozen["sweep"] else None
            found = _next_keys(context, index, after, most)
            if found:
                return Batch.objects.create(
                    run=run,
                    step=index,
                    number=last.number + 1 if last else 1,
                    sweep=frozen["sweep"],
                    after_key=after,
                    last_key=found[-1],
                    size=len(found),
                )
            if Batch.objects.filter(run=run, step=index).exclude(state=BatchState.DONE).exists():
                return Idle.WAIT
            swept_enough = last is None or last.sweep < frozen["sweep"]
            if frozen["sweep"] >= MOST_SWEEPS or swept_enough or most <= 0:
                frozen["closed"] = True
            else:
                frozen["sweep"] += 1
                refresh_statistics(LedgerEntry)
            run.save(update_fields=["key_ranges"])
    if Batch.objects.filter(run=run).exclude(state=BatchState.DONE).exists():
        return Idle.WAIT
    return Idle.FINISHED


def _next_keys(context: RunContext, index: int, after: str | None, most: int) -> list[str]:
    """The next keys of a step's range, at most ``most``.

    Planned keys that are not selected any more take their place among the others. A full batch
    finds those between its keys as it is carried; only a limit needs them counted before.
    """
    frozen = context.run.key_ranges[str(index)]
    if most <= 0 or frozen["upper"] is None:
        return []
    source = context.steps[index].source
    selection = context.selection(index, sweeping=frozen["sweep"] > FIRST_PASS)
    keys = source.within(source.keys(selection), KeyRange(after, frozen["upper"]), "k")
    found = [str(key) for key in keys.order_by("k").values_list("k", flat=True)[:most]]
    plan = context.planned(index) if frozen["sweep"] == FIRST_PASS else None
    full = len(found) == most
    if plan is None or (full and not context.run.tuning.get("limit")):
        return found
    planned = plan.within(after, found[-1] if full else frozen["upper"])
    absent = plan.absent(planned, found)
    return plan.in_key_order([*found, *absent], most) if absent else found


def _cut_again(context: RunContext, index: int, size: int) -> Batch | Idle | None:
    """Batches of every key of a recomputed step, once the keys driven again are done; the first.

    They are cut together, so that no key is in two of them however the keys change meanwhile.
    """
    run = context.run
    if Batch.objects.filter(run=run).exclude(state=BatchState.DONE).exists():
        return Idle.WAIT
    source = context.steps[index].source
    found = source.keys(context.selection(index)).order_by("k").values_list("k", flat=True)
    keys = [str(key) for key in found]
    run.key_ranges[str(index)].update(again=False, closed=True)
    run.save(update_fields=["key_ranges"])
    number = Batch.objects.filter(run=run, step=index).count()
    parts = [keys[place : place + size] for place in range(0, len(keys), size)]
    batches = Batch.objects.bulk_create(
        Batch(run=run, step=index, number=place, sweep=AGAIN, keys=part, size=len(part))
        for place, part in enumerate(parts, start=number + 1)
    )
    return batches[0] if batches else None


def cut_undo_batch(context: RunContext, size: int) -> Batch | Idle:
    """The newest batch of the parent run that is not undone; then the recomputed steps.

    Steps are undone last first, and each is finished before the one before it starts.
    """
    run = context.run
    for index in reversed(range(len(context.steps))):
        if context.steps[index].recomputed:
            continue
        name = f"undo {index}"
        if name not in run.key_ranges:
            run.key_ranges[name] = {"order": undo_order(run, index), "closed": False}
            run.save(update_fields=["key_ranges"])
        progress = run.key_ranges[name]
        if progress["closed"]:
            continue
        own = Batch.objects.filter(run=run, step=index)
        number = own.count()
        if number < len(progress["order"]):
            undone = Batch.objects.get(pk=progress["order"][number])
            return Batch.objects.create(
                run=run,
                step=index,
                number=number + 1,
                undoes=undone,
                after_key=undone.after_key,
                last_key=undone.last_key,
                size=undone.size,
            )
        if own.exclude(state=BatchState.DONE).exists():
            return Idle.WAIT
        progress["closed"] = True
        run.save(update_fields=["key_ranges"])
    return cut_batch(context, size)


def undo_order(run: Run, step: int) -> list[int]:
    """Ids of the parent's batches of a step, the newest write first.

    Numbers do not tell: a batch that waited for a lock may have written after a later one.
    """
    written = Batch.objects.filter(run=run.parent, step=step, state=BatchState.DONE)
    newest = Coalesce(Max("changes__id"), 0)
    return list(
        written.alias(newest=newest).order_by("-newest", "-number").values_list("pk", flat=True)
    )


def _freeze(context: RunContext, index: int) -> dict[str, Any]:
    """Freeze the step's key range as the step starts."""
    source = context.steps[index].source
    keys = source.keys(context.selection(index))
    upper = keys.order_by("-k").values_list("k", flat=True).first()
    plan = context.planned(index)
    if plan is not None:  # planned keys beyond the last selected one get their outcome too
        ends = [str(key) for key in (upper, plan.last()) if key is not None]
        upper = plan.in_key_order(ends, len(ends))[-1] if ends else None
    frozen = {
        "upper": None if upper is None else str(upper),
        "selected": keys.count(),
        "sweep": FIRST_PASS,
        "closed": upper is None,
    }
    context.run.key_ranges[str(index)] = frozen
    context.run.save(update_fields=["key_ranges"])
    return frozen


def remaining_limit(context: RunContext) -> int:
    """How many source keys ``--limit`` still allows."""
    limit = context.run.tuning.get("limit")
    if not limit:
        return 1 << 31
    counted = [index for index, step in enumerate(context.steps) if step.counted]
    taken = Batch.objects.filter(run=context.run, step__in=counted).aggregate(n=Sum("size"))["n"]
    return int(limit) - (taken or 0)
