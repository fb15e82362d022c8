"""What must hold after any fault, all by query."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db import connection
from django.db.models import Count

from migrations_tools.models import Batch, LedgerEntry, RowChange, Run, Transition
from migrations_tools.selectors.summary import counts_of
from migrations_tools.services.actors import system_user
from migrations_tools.services.verification import verify_run
from tests.shop.models import DayBook, LegacyOrder, Order


def assert_run_sound(run: Run) -> None:
    """One outcome per key, one before-image per change, counters equal the ledger, all sealed."""
    assert not Batch.objects.filter(run=run).exclude(state="done").exists()
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
        .values("step", "key", "model", "pk_text")
        .annotate(n=Count("id"))
        .filter(n__gt=1)
    )
    assert not images.exists()
    assert _changes_outside_their_batch(run) == 0
    assert not Transition.objects.filter(run=run, actor__isnull=True).exists()
    proof = verify_run(run, acting_user=system_user(), surface="command")
    assert proof["ok"], [check for check in proof["checks"] if not check["ok"]]


def _changes_outside_their_batch(run: Run) -> int:
    """Journal rows of keys written by another transaction than their key's ledger entry.

    Both are in the same transaction, so their system column xmin agrees.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM migrations_tools_rowchange c WHERE c.run_id = %s "
            "AND c.key IS NOT NULL AND NOT EXISTS (SELECT 1 FROM migrations_tools_ledgerentry l "
            "WHERE l.run_id = c.run_id AND l.step = c.step AND l.key = c.key "
            "AND l.batch_id = c.batch_id)",
            [run.pk],
        )
        (number,) = cursor.fetchone()
    return int(number)


def assert_carried_once(expected: int) -> None:
    """Every legacy order has exactly one order of its own; the books' totals are right."""
    links = list(LegacyOrder.objects.values_list("order_id", flat=True))
    assert len(links) == expected
    assert None not in links
    assert len(set(links)) == expected == Order.objects.count()
    assert Order.history.count() == expected
    for book in DayBook.objects.annotate(n=Count("order")):
        assert book.orders == book.n > 0


def state_of_data() -> dict[str, Any]:
    """All that the shop's migration may touch, to compare before and after."""
    return {
        "orders": list(Order.objects.order_by("number").values_list("number", "total")),
        "links": list(LegacyOrder.objects.order_by("id").values_list("id", "order_id")),
        "books": list(DayBook.objects.order_by("day").values_list("day", "orders")),
    }
