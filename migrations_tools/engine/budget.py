"""The error budget: a run that quarantines too much pauses, so that a person can look."""

from __future__ import annotations

from collections import Counter

from django.utils.translation import gettext_noop

from migrations_tools.engine.context import RunContext
from migrations_tools.engine.cutting import FIRST_PASS
from migrations_tools.engine.limits import short_transaction
from migrations_tools.engine.transitions import change_state
from migrations_tools.models import Batch, Run
from migrations_tools.states import BatchState, Outcome, RunState, Surface

#: Share of the selected keys, and the least number of keys, that may be quarantined.
DEFAULT_SHARE, LEAST_KEYS = 0.05, 10


def _is_cut_to_its_end(context: RunContext) -> bool:
    """Whether the first pass over every counted step has no key left to claim."""
    for index in context.definition.counted_steps():
        frozen = context.run.key_ranges.get(str(index))
        if frozen is None:
            return False
        if frozen["upper"] is None or frozen["closed"] or frozen["sweep"] > FIRST_PASS:
            continue
        newest = Batch.objects.filter(run=context.run, step=index).order_by("-number").first()
        if newest is None or newest.last_key != frozen["upper"]:
            return False
    return True


def quarantined_so_far(run: Run) -> int:
    """Quarantined keys of the finished batches."""
    counts: Counter[str] = Counter()
    done = Batch.objects.filter(run=run, state=BatchState.DONE)
    for outcomes in done.values_list("counts__outcomes", flat=True):
        counts.update(outcomes or {})
    return counts[Outcome.QUARANTINED]


def pause_if_exceeded(context: RunContext) -> None:
    """Ask the run to pause where the budget is spent. Resuming grants a new one.

    Once every key is in a batch, a pause would spare nothing: the run comes to its end.
    """
    run = context.run
    if _is_cut_to_its_end(context):
        return
    selected = sum(int(frozen.get("selected", 0)) for frozen in run.key_ranges.values())
    share = float(run.tuning.get("error_budget", DEFAULT_SHARE))
    allowed = max(LEAST_KEYS, share * selected)
    spent = quarantined_so_far(run) - int(run.tuning.get("forgiven", 0))
    if spent <= allowed:
        return
    with short_transaction():
        locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        if locked.state != RunState.RUNNING:
            return
        change_state(
            locked,
            RunState.PAUSING,
            action="pause",
            acting_user=locked.actor,
            surface=Surface.WORKER,
            reason=gettext_noop(
                "%(spent)s keys are quarantined, more than the %(allowed)s allowed: "
                "look at the problems, then resume or cancel."
            )
            % {"spent": spent, "allowed": f"{allowed:.0f}"},
        )
