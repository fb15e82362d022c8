"""Damage to journal, ledger and seal is found, and its range is named."""

from __future__ import annotations

import pytest

from migrations_tools.exceptions import JournalDamaged
from migrations_tools.models import Batch, LedgerEntry, RowChange, Run
from migrations_tools.verification.journal import journal_damage
from tests.migrations_tools.verification.shop import (
    carry,
    failed,
    roll_back,
    stage,
    tamper,
    verified,
)
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)

JOURNAL = "migrations_tools_rowchange"
LEDGER = "migrations_tools_ledgerentry"


@pytest.fixture
def run() -> Run:
    stage(6, line="one line")
    return carry(tuning={"batch_size": 2})


def second_batch(run: Run) -> Batch:
    return Batch.objects.get(run=run, step=0, number=2)


def test_an_untouched_journal_has_no_damage(run: Run) -> None:
    assert journal_damage(run) == []


def test_a_changed_journal_entry_is_named_with_its_range(run: Run) -> None:
    batch = second_batch(run)
    change = RowChange.objects.filter(batch=batch, model="shop.legacyorder").first()
    assert change is not None
    tamper(JOURNAL, f"UPDATE {JOURNAL} SET after = '{{\"order_id\": 1}}' WHERE id = %s", change.pk)
    (sentence,) = journal_damage(run)
    assert sentence == (
        f"Step 0, batch 2, keys after {batch.after_key} up to {batch.last_key}: "
        f"1 entries were changed: update of shop.legacyorder {change.pk_text}."
    )
    assert set(failed(verified(run))) == {"journal_damaged"}


@pytest.mark.parametrize(
    "assignment",
    [
        "key = 'other'",
        "pk_text = '999'",
        "operation = 'delete'",
        "image = '\\x00'",
        "model = 'shop.order2'",
        "step = 1",
        "digest = '\\x00'",
        "run_id = gen_random_uuid()",
    ],
)
def test_every_value_of_a_journal_entry_counts(run: Run, assignment: str) -> None:
    entry = RowChange.objects.filter(batch=second_batch(run), operation="insert").first()
    assert entry is not None
    tamper(JOURNAL, f"UPDATE {JOURNAL} SET {assignment} WHERE id = {entry.pk}")
    (sentence,) = journal_damage(run)
    assert sentence.startswith("Step 0, batch 2, ")


@pytest.mark.parametrize(
    "assignment",
    ["outcome = 'skipped'", "code = 'x'", "detail = 'x'", "warnings = '[]'", "attempt = 7"],
)
def test_every_value_of_a_ledger_entry_counts(run: Run, assignment: str) -> None:
    entry = LedgerEntry.objects.filter(batch=second_batch(run)).first()
    assert entry is not None
    tamper(LEDGER, f"UPDATE {LEDGER} SET {assignment} WHERE id = {entry.pk}")
    (sentence,) = journal_damage(run)
    assert f"1 entries were changed: key {entry.key}." in sentence
    assert "journal_damaged" in failed(verified(run))


def test_a_missing_ledger_entry_is_a_gap(run: Run) -> None:
    entry = LedgerEntry.objects.filter(batch=second_batch(run)).first()
    assert entry is not None
    tamper(LEDGER, f"DELETE FROM {LEDGER} WHERE id = {entry.pk}")
    (sentence,) = journal_damage(run)
    assert sentence.endswith("2 keys were recorded, 1 are left in the ledger.")
    found = failed(verified(run))
    assert found["key_without_outcome"] == [entry.key]
    assert found["counts_differ"] == ["step 0 applied"]


def test_a_missing_journal_entry_is_found(run: Run) -> None:
    entry = RowChange.objects.filter(batch=second_batch(run)).first()
    assert entry is not None
    tamper(JOURNAL, f"DELETE FROM {JOURNAL} WHERE id = {entry.pk}")
    (sentence,) = journal_damage(run)
    assert sentence.endswith("journal entries are missing, or others were added.")


def test_a_batch_taken_out_whole_breaks_the_seal(run: Run) -> None:
    batch = second_batch(run)
    tamper(JOURNAL, f"DELETE FROM {JOURNAL} WHERE batch_id = {batch.pk}")
    tamper(LEDGER, f"DELETE FROM {LEDGER} WHERE batch_id = {batch.pk}")
    batch.delete()
    assert journal_damage(run) == [
        "Step 0, batch 2 is missing.",
        "The seal of the run does not fit its batches: one was added, removed or rewritten.",
    ]
    assert "seal_broken" in failed(verified(run))


def test_a_rewritten_batch_breaks_the_seal(run: Run) -> None:
    batch = second_batch(run)
    tamper(JOURNAL, f"DELETE FROM {JOURNAL} WHERE batch_id = {batch.pk}")
    from migrations_tools.engine.seal import batch_digest

    Batch.objects.filter(pk=batch.pk).update(digest=batch_digest(batch))
    assert journal_damage(run) == [
        "The seal of the run does not fit its batches: one was added, removed or rewritten."
    ]


def test_a_run_with_a_damaged_journal_is_not_rolled_back(run: Run) -> None:
    entry = RowChange.objects.filter(batch=second_batch(run)).first()
    assert entry is not None
    tamper(JOURNAL, f"DELETE FROM {JOURNAL} WHERE id = {entry.pk}")
    before = Order.objects.count()
    with pytest.raises(JournalDamaged):
        roll_back(run)
    assert Order.objects.count() == before
    assert not Run.objects.filter(kind="rollback").exists()


def test_the_journal_of_a_rollback_is_checked_too(run: Run) -> None:
    rollback = roll_back(run)
    assert journal_damage(rollback) == []
    assert journal_damage(run) == []
    entry = RowChange.objects.filter(run=rollback, operation="delete").first()
    assert entry is not None
    tamper(JOURNAL, f"UPDATE {JOURNAL} SET before = NULL WHERE id = {entry.pk}")
    assert set(failed(verified(rollback))) == {"journal_damaged"}
