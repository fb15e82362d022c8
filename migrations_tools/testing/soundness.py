"""What must hold of a run after any fault, all by query."""

from __future__ import annotations

from collections import Counter

from django.db.models import Count

from migrations_tools.models import Batch, LedgerEntry, RowChange, Run, Transition
from migrations_tools.selectors.summary import counted_steps, counts_of
from migrations_tools.services.actors import system_user
from migrations_tools.services.verification import verify_run
from migrations_tools.states import BatchState, Surface


def assert_sound(run: Run) -> None:
    """Raise AssertionError with a sentence unless the run is whole.

    Every batch is done, every key has one entry for each attempt, every changed row one
    before-image, the counters equal the ledger, every transition has an actor, and the
    verification passes.
    """
    unfinished = Batch.objects.filter(run=run).exclude(state=BatchState.DONE).count()
    _expect(not unfinished, f"{unfinished} batches of run {run.pk} are not done")
    ledger = LedgerEntry.objects.filter(run=run)
    doubled = ledger.values("step", "key", "attempt").annotate(n=Count("id")).filter(n__gt=1)
    _expect(not doubled.exists(), f"keys have several entries: {list(doubled[:5])}")
    changes = RowChange.objects.filter(run=run, key__isnull=False)
    images = (
        changes.values("step", "batch", "key", "model", "pk_text", "operation")
        .annotate(n=Count("id"))
        .filter(n__gt=1)
    )
    _expect(not images.exists(), f"rows have several images of one write: {list(images[:5])}")
    nobody = Transition.objects.filter(run=run, actor__isnull=True).count()
    _expect(not nobody, f"{nobody} transitions have no actor")
    counted = counted_steps(run)
    newest = (
        ledger.order_by("step", "key", "-attempt")
        .distinct("step", "key")
        .values_list("step", "outcome")
    )
    outcomes = Counter(outcome for step, outcome in newest if counted is None or step in counted)
    told = {name: number for name, number in counts_of(run)["outcomes"].items() if number}
    _expect(told == dict(outcomes), f"counters say {told}, the ledger says {dict(outcomes)}")
    proof = verify_run(run, acting_user=system_user(), surface=Surface.COMMAND)
    failed = [check for check in proof["checks"] if not check["ok"]]
    _expect(not failed, f"the verification fails: {failed}")


def _expect(holds: bool, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)
