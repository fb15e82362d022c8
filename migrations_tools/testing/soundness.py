"""What must hold of a run after any fault, all by query."""

from __future__ import annotations

from collections import Counter

from django.db import connection
from django.db.models import Count, Q

from migrations_tools.models import Batch, LedgerEntry, RowChange, Run, Transition
from migrations_tools.selectors.summary import counted_steps, counts_of, newest_entries
from migrations_tools.services.actors import system_user
from migrations_tools.services.verification import verify_run
from migrations_tools.states import RUN_TRANSITIONS, BatchState, RunKind, RunState, Surface

#: States that nobody enters without saying why.
WITH_A_REASON = {
    RunState.THROTTLED,
    RunState.NEEDS_ATTENTION,
    RunState.ROLLED_BACK,
    RunState.PARTIALLY_ROLLED_BACK,
}

# The last statement of the data transaction asks for owner and fencing number, and writes the
# batch's row. So whatever has the transaction id of that row was written under the number that
# stands in it, and whatever has another was written by a stale owner, or apart from its outcome.
_FINISHED_BY_ANOTHER = """
    SELECT count(*) FROM migrations_tools_{table} e
    JOIN migrations_tools_batch b ON b.id = e.batch_id
    WHERE e.run_id = %s AND e.key IS NOT NULL
      AND {written_by}::text::numeric %% 4294967296 <> b.xmin::text::numeric
"""

_WITHOUT_OUTCOME = """
    SELECT count(*) FROM migrations_tools_rowchange c WHERE c.run_id = %s AND c.key IS NOT NULL
      AND NOT EXISTS (
        SELECT FROM migrations_tools_ledgerentry l
        WHERE l.run_id = c.run_id AND l.step = c.step AND l.key = c.key
          AND l.batch_id = c.batch_id
          AND l.xmin::text::numeric = c.transaction_id::text::numeric %% 4294967296
      )
"""


def assert_sound(run: Run) -> None:
    """Raise AssertionError with a sentence unless the run came to its end and is whole.

    What `assert_records_sound` asks, and: every batch is done, every key of the plan has an
    outcome, and the verification passes.
    """
    unfinished = Batch.objects.filter(run=run).exclude(state=BatchState.DONE).count()
    _expect(not unfinished, f"{unfinished} batches of run {run.pk} are not done")
    assert_records_sound(run)
    assert_planned_keys_answered(run)
    proof = verify_run(run, acting_user=system_user(), surface=Surface.COMMAND)
    failed = [check for check in proof["checks"] if not check["ok"]]
    _expect(not failed, f"the verification fails: {failed}")


def assert_records_sound(run: Run) -> None:
    """Raise AssertionError unless the records are whole, of a run in the middle too.

    The counters equal the ledger, every changed row has one before-image of each write, from the
    transaction that wrote its key's outcome, nothing was written under an older fencing number,
    and the transitions are a chain of allowed ones, with reasons.
    """
    _assert_counted(run)
    changes = RowChange.objects.filter(run=run, key__isnull=False)
    images = (
        changes.values("step", "key", "model", "pk_text", "operation", "transaction_id")
        .annotate(n=Count("id"))
        .filter(n__gt=1)
    )
    _expect(not images.exists(), f"rows have several images of one write: {list(images[:5])}")
    undone = changes.filter(~Q(batch__state=BatchState.DONE)).count()
    _expect(not undone, f"{undone} changes are of batches that are not done")
    orphaned = _number(_WITHOUT_OUTCOME, run)
    _expect(not orphaned, f"{orphaned} changes have no outcome of their transaction")
    for table, written_by in (("ledgerentry", "e.xmin"), ("rowchange", "e.transaction_id")):
        stale = _number(_FINISHED_BY_ANOTHER.format(table=table, written_by=written_by), run)
        _expect(not stale, f"{stale} rows of {table} were written under an older fencing number")
    _assert_transitions(run)


def _assert_counted(run: Run) -> None:
    counted = counted_steps(run)
    newest = newest_entries(run).values_list("step", "outcome")
    outcomes = Counter(outcome for step, outcome in newest if counted is None or step in counted)
    told = {name: number for name, number in counts_of(run)["outcomes"].items() if number}
    _expect(told == dict(outcomes), f"counters say {told}, the ledger says {dict(outcomes)}")


def assert_planned_keys_answered(run: Run) -> None:
    """Raise AssertionError where a key of the plan has no outcome, or an attempt is missing."""
    if run.kind != RunKind.APPLY or run.tuning.get("limit"):
        return
    ledger = LedgerEntry.objects.filter(run=run)
    if run.plan is not None:
        planned = set(run.plan.ledger.values_list("step", "key"))
        counted = counted_steps(run)
        if counted is not None:
            planned = {(step, key) for step, key in planned if step in counted}
        lost = planned - set(ledger.values_list("step", "key"))
        _expect(not lost, f"keys of the plan have no outcome: {sorted(lost)[:5]}")
    entries = set(ledger.values_list("step", "key", "attempt"))
    missing = [
        entry for entry in entries if entry[2] > 1 and (*entry[:2], entry[2] - 1) not in entries
    ]
    _expect(not missing, f"attempts are missing before: {missing[:5]}")


def _assert_transitions(run: Run) -> None:
    state = None
    for transition in Transition.objects.filter(run=run, to_state__gt="").order_by("id"):
        way = f"{transition.from_state} → {transition.to_state} of run {run.pk}"
        allowed = transition.to_state in RUN_TRANSITIONS[transition.from_state]
        _expect(allowed and state in {None, transition.from_state}, f"{way} is no allowed way")
        told = transition.reason or transition.to_state not in WITH_A_REASON
        _expect(bool(told), f"{way} has no reason")
        state = transition.to_state
    stored = Run.objects.values_list("state", flat=True).get(pk=run.pk)
    _expect(state in {None, stored}, f"run {run.pk} is {stored}, its transitions end at {state}")


def _number(query: str, run: Run) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, [run.pk])
        return int(cursor.fetchone()[0])


def _expect(holds: bool, sentence: str) -> None:
    if not holds:
        raise AssertionError(sentence)
