"""What must hold after any fault, all by query."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, F

from migrations_tools.models import Batch, LedgerEntry, RowChange, Run, Transition
from migrations_tools.selectors.summary import counts_of
from migrations_tools.services.actors import system_user
from migrations_tools.services.verification import verify_run
from migrations_tools.states import RUN_TRANSITIONS, RunKind, RunState
from tests.shop.models import DayBook, LegacyOrder, Order

#: States that nobody enters without saying why.
WITH_A_REASON = {
    RunState.THROTTLED,
    RunState.NEEDS_ATTENTION,
    RunState.ROLLED_BACK,
    RunState.PARTIALLY_ROLLED_BACK,
}

#: Entries of keys and the transaction that finished their batch: the last statement of the data
#: transaction asks for owner and fencing number. So whatever has the transaction id of the batch's
#: row was written under the number that stands in it, and whatever has another was written by a
#: stale owner, or apart from its outcome.
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


def assert_run_sound(run: Run) -> None:
    """Every invariant of a run that came to its end: all done, counted, told and proved."""
    assert not Batch.objects.filter(run=run).exclude(state="done").exists()
    assert_records_sound(run)
    assert_planned_keys_have_one_outcome(run)
    proof = verify_run(run, acting_user=system_user(), surface="command")
    assert proof["ok"], [check for check in proof["checks"] if not check["ok"]]


def assert_records_sound(run: Run) -> None:
    """What holds at any moment, of a run in the middle too."""
    doubled = (
        LedgerEntry.objects.filter(run=run)
        .values("step", "key", "attempt")
        .annotate(n=Count("id"))
        .filter(n__gt=1)
    )
    assert not doubled.exists()
    newest = Counter(
        LedgerEntry.objects.filter(run=run)
        .order_by("step", "key", "-attempt")
        .distinct("step", "key")
        .values_list("step", "outcome")
    )
    counted = Counter({outcome: number for (step, outcome), number in newest.items() if step == 0})
    assert {k: v for k, v in counts_of(run)["outcomes"].items() if v} == dict(counted)
    images = (
        RowChange.objects.filter(run=run, key__isnull=False)
        .values("step", "key", "model", "pk_text", "transaction_id")
        .annotate(n=Count("id"))
        .filter(n__gt=1)
    )
    assert not images.exists()
    unfinished = RowChange.objects.filter(run=run, key__isnull=False)
    assert not unfinished.exclude(batch__state="done").exists()
    assert _count(_WITHOUT_OUTCOME, run) == 0, "changes without an outcome of their transaction"
    for table, written_by in (("ledgerentry", "e.xmin"), ("rowchange", "e.transaction_id")):
        stale = _count(_FINISHED_BY_ANOTHER.format(table=table, written_by=written_by), run)
        assert stale == 0, f"{stale} rows of {table} were written under an older fencing number"
    _assert_transitions(run)


def assert_planned_keys_have_one_outcome(run: Run) -> None:
    """Each key of the plan is in the ledger of its run, and no attempt is missing or doubled."""
    if run.kind != RunKind.APPLY or run.plan is None or run.tuning.get("limit"):
        return
    planned = set(run.plan.ledger.filter(step=0).values_list("key", flat=True))
    answered = Counter(run.ledger.filter(step=0, attempt=1).values_list("key", flat=True))
    assert planned <= answered.keys()
    assert set(answered.values()) <= {1}
    again = run.ledger.filter(attempt__gt=1).values_list("step", "key", "attempt")
    entries = set(run.ledger.values_list("step", "key", "attempt"))
    assert all((step, key, attempt - 1) in entries for step, key, attempt in again)


def _assert_transitions(run: Run) -> None:
    """A chain of allowed changes up to the state there is, each with its actor and action."""
    state = None
    for transition in Transition.objects.filter(run=run).order_by("id"):
        assert transition.actor_id is not None
        assert transition.action
        if not transition.to_state:
            continue
        assert transition.to_state in RUN_TRANSITIONS[transition.from_state]
        assert state in {None, transition.from_state}
        assert transition.reason or transition.to_state not in WITH_A_REASON, transition
        state = transition.to_state
    run.refresh_from_db()
    assert state == run.state


def _count(query: str, run: Run) -> int:
    with connection.cursor() as cursor:
        cursor.execute(query, [run.pk])
        return int(cursor.fetchone()[0])


def assert_carried_once(expected: int) -> None:
    """Every legacy order has exactly one order of its own; the books' totals are right."""
    links = list(LegacyOrder.objects.values_list("order_id", flat=True))
    assert len(links) == expected
    assert None not in links
    assert len(set(links)) == expected == Order.objects.count()
    assert Order.history.count() == expected
    assert_links_right()


def assert_links_right() -> None:
    """Every linked legacy order is what the transform makes of it, once; books count orders."""
    linked = LegacyOrder.objects.filter(order__isnull=False)
    found = {
        row.pk: (row.order_number, row.order_day, row.order_total)
        for row in linked.annotate(
            order_number=F("order__number"),
            order_day=F("order__day_book__day"),
            order_total=F("order__total"),
        )
    }
    assert found == {row.pk: (row.number, row.day, Decimal(row.total)) for row in linked}
    assert len(found) == Order.objects.count()
    for book in DayBook.objects.annotate(n=Count("order")):
        assert book.orders == book.n > 0


def state_of_data() -> dict[str, Any]:
    """All that the shop's migration may touch, to compare before and after."""
    return {
        "orders": list(Order.objects.order_by("number").values_list("number", "total")),
        "links": list(LegacyOrder.objects.order_by("id").values_list("id", "order_id")),
        "books": list(DayBook.objects.order_by("day").values_list("day", "orders")),
    }
