"""Carrying out what persons decided: the rows must still be what the review saw.

All of it happens in the data transaction of the batch, so that a decision is carried out once
and recorded with its data, or is open again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.db.models import Exists, OuterRef
from django.utils.translation import gettext_noop

from migrations_tools.definitions.base import Step
from migrations_tools.definitions.decisions import Decision
from migrations_tools.definitions.sources import Items
from migrations_tools.engine.ledger import Entry
from migrations_tools.engine.planned import entries_of_absent
from migrations_tools.models import Batch, LedgerEntry, ReviewItem, Run
from migrations_tools.states import DECIDED_OUTCOMES, Outcome, ReviewDecision


def hold_decisions(batch: Batch) -> dict[str, Decision]:
    """What was decided of the keys of ``batch``; the items are locked until the commit."""
    items = (
        ReviewItem.objects.filter(decision_run=batch.run_id, applied_by=None, step=batch.step)
        .filter(key__in=batch.keys or [])
        .order_by("id")
        .select_for_update(no_key=True)
    )
    return {
        item.key: Decision(ReviewDecision(item.decision), item.proposal, item.choice or {})
        for item in items
    }


def set_aside_changed(
    run: Run,
    batch: Batch,
    step: Step,
    items: Items,
    decisions: Mapping[str, Decision],
    entries: list[Entry],
) -> Items:
    """Only what the review saw as it is now; of all other keys ``entries`` tell why not."""
    seen = _digests_seen(run, batch)
    kept = Items([], [], [])
    for key, digest, row in zip(items.keys, items.digests, items.rows, strict=True):
        if key in decisions and key in seen and seen[key] == digest:
            kept.keys.append(key)
            kept.digests.append(digest)
            kept.rows.append(row)
        else:
            entries.append(
                _changed(key, gettext_noop("The row changed after it was left to review."))
            )
    found = set(items.keys)
    missing = [key for key in batch.keys or [] if key not in found]
    entries += entries_of_absent(step.source, missing)
    return kept


def _changed(key: str, detail: str) -> Entry:
    return Entry(key, Outcome.CONFLICT, "changed_since_plan", f"{detail} Run again.")


def _digests_seen(run: Run, batch: Batch) -> dict[str, bytes | None]:
    """Key → digest of the row as the review saw it."""
    entries = (
        LedgerEntry.objects.filter(run=run.reviewed_id, step=batch.step, key__in=batch.keys or [])
        .filter(outcome=Outcome.REVIEW)
        .order_by("attempt")
        .values_list("key", "source_digest")
    )
    return {key: None if digest is None else bytes(digest) for key, digest in entries}


def settle_decisions(batch: Batch, entries: Sequence[Entry]) -> None:
    """Mark what was carried out; a decision that could not be is open again."""
    done = [entry.key for entry in entries if entry.outcome in DECIDED_OUTCOMES]
    pending = ReviewItem.objects.filter(
        decision_run=batch.run_id, applied_by=None, step=batch.step, key__in=batch.keys or []
    )
    pending.filter(key__in=done).update(applied_by=batch.run_id)
    pending.reopen()


def reopen_restored(rollback: Run, step: int, keys: Sequence[str]) -> None:
    """A rollback restored these keys: decisions that its parent had carried out are open again."""
    ReviewItem.objects.filter(applied_by=rollback.parent_id, step=step, key__in=keys).reopen()


def reopen_rolled_back(rollback: Run) -> None:
    """A rollback comes to its end: only decisions stand whose keys conflict with it.

    Also those that wrote nothing, which no batch of a rollback looks at.
    """
    staying = LedgerEntry.objects.filter(run=rollback, outcome=Outcome.CONFLICT)
    stays = Exists(staying.filter(step=OuterRef("step"), key=OuterRef("key")))
    ReviewItem.objects.filter(~stays, applied_by=rollback.parent_id).reopen()
