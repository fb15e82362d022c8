"""One batch, one transaction: read and lock, load, transform, write, record, finish.

Commit is all or nothing; the last statement asks whether this worker still owns the batch.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.utils.translation import gettext_noop

from migrations_tools.definitions.base import Step
from migrations_tools.definitions.changes import Change, Ensure
from migrations_tools.definitions.decisions import Decision
from migrations_tools.definitions.outcomes import Outcome, Reject, Review
from migrations_tools.definitions.sources import Items, KeyRange
from migrations_tools.engine import ensure
from migrations_tools.engine.claim import finish_batch, own_batch_again, refuse_stale_owner
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.cutting import DECIDED, FIRST_PASS, MOST_SWEEPS
from migrations_tools.engine.deaths import parts_of, set_aside_deadly
from migrations_tools.engine.decided import hold_decisions, set_aside_changed, settle_decisions
from migrations_tools.engine.errors import (
    ErrorClass,
    classify,
    code_of,
    is_connection_loss,
    sentence_of,
)
from migrations_tools.engine.failpoints import failpoint
from migrations_tools.engine.ledger import (
    Entry,
    changes_of,
    count_entries,
    entry_for,
    rejection_entry,
    write_ledger,
    write_reviews,
)
from migrations_tools.engine.limits import limit_data_transaction
from migrations_tools.engine.meanwhile import RowsChanged
from migrations_tools.engine.planned import entries_of_absent, entries_of_changed
from migrations_tools.engine.selection import Selection
from migrations_tools.engine.side import side_connection
from migrations_tools.engine.write import BatchWriter, RowGone, Written
from migrations_tools.models import Batch, LedgerEntry
from migrations_tools.states import Outcome as Outcomes

#: Attempts of a batch that wait for locked rows; later ones set them aside (``held_code``).
PATIENT_ATTEMPTS = 2


@dataclass
class Carried:
    """What became of the keys of a batch."""

    entries: list[Entry] = field(default_factory=list)
    reviews: list[tuple[str, Review]] = field(default_factory=list)
    written: Written = field(default_factory=Written)

    def counts(self) -> dict[str, Any]:
        return {**count_entries(self.entries), "changes": self.written.counts}


def execute_batch(
    context: RunContext,
    batch: Batch,
    carry: Callable[[RunContext, Batch], Carried] | None = None,
) -> Carried:
    """Carry the keys of ``batch`` over – or take them back – and commit.

    Raises LeaseLost where another worker took it over, and database errors that are transient
    or systemic; nothing is written then.
    """
    started = time.monotonic()
    try:
        with transaction.atomic(durable=True):
            limit_data_transaction()
            carried = (carry or carry_batch)(context, batch)
            with connection.cursor() as cursor:
                write_ledger(cursor, batch, carried.entries)
                failpoint("ledger_written")
            write_reviews(batch, carried.reviews, DEFAULT_DB_ALIAS)
            settle_constraints()
            counts = carried.counts()
            if batch.keys is not None:
                counts = _less_previous(batch, counts)
            failpoint("before_done")
            finish_batch(batch, counts, len(carried.entries), time.monotonic() - started)
            failpoint("before_commit")
    except Exception as error:
        if not is_connection_loss(error) or not own_batch_again(batch):
            raise
    failpoint("committed")
    return carried


def settle_constraints() -> None:
    """Check deferred constraints now, so that a violation belongs to this batch.

    The server keeps the plan of each foreign key's check for the whole session. Made while the
    table was still small it would read it from end to end for every row, however large it grew:
    so sequential scans are off where these plans are made.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SET LOCAL enable_seqscan = off; SET CONSTRAINTS ALL IMMEDIATE; "
            "SET CONSTRAINTS ALL DEFERRED; SET LOCAL enable_seqscan = on"
        )


def carry_batch(context: RunContext, batch: Batch) -> Carried:
    """Read the batch's keys under lock and write what ``transform`` answers, without commit."""
    if batch.sweep == DECIDED:
        return _carry_decided(context, batch)
    step = context.steps[batch.step]
    key_range = KeyRange(batch.after_key, batch.last_key, batch.keys)
    selection = context.selection(batch.step, sweeping=FIRST_PASS < batch.sweep <= MOST_SWEEPS)
    carried = Carried()
    if step.held_code and batch.attempts > PATIENT_ATTEMPTS:
        items, held = step.source.read_unheld(selection, key_range)
        carried.entries += _held_entries(step, held)
    else:
        items = step.source.read_locked(selection, key_range)
    failpoint("locked")
    items = _set_aside(context, batch, items, carried.entries)
    items = set_aside_deadly(batch, items, carried.entries)
    if len(items):
        for part in parts_of(batch, items):
            _carry_part(context, batch, step, part, carried)
    return carried


def _held_entries(step: Step, held: Items) -> list[Entry]:
    rejected = Reject(
        step.held_code, gettext_noop("Somebody else keeps the row locked; try again later.")
    )
    return [
        rejection_entry(key, digest, rejected)
        for key, digest in zip(held.keys, held.digests, strict=True)
    ]


def _carry_decided(context: RunContext, batch: Batch) -> Carried:
    """Read the batch's keys under lock and write what ``decided`` answers, without commit."""
    step = context.steps[batch.step]
    decisions = hold_decisions(batch)
    # of no run: it is the review itself that keeps the keys from being selected
    items = step.source.read_locked(Selection(batch.step), KeyRange(keys=batch.keys))
    failpoint("locked")
    carried = Carried()
    entries = carried.entries
    items = set_aside_changed(context.run, batch, step, items, decisions, entries)
    items = set_aside_deadly(batch, items, entries)
    if len(items):
        for part in parts_of(batch, items):
            _carry_part(context, batch, step, part, carried, decisions)
    settle_decisions(batch, entries)
    return carried


def _set_aside(context: RunContext, batch: Batch, items: Items, entries: list[Entry]) -> Items:
    """Answer for keys that are not selected any more, or are not what the plan saw; the others.

    Keys that are driven again are taken as they are now.
    """
    source = context.steps[batch.step].source
    found = {*items.keys, *(entry.key for entry in entries)}  # held rows have their entry
    if batch.keys is not None:
        entries += entries_of_absent(source, [key for key in batch.keys if key not in found])
        return items
    plan = context.planned(batch.step)
    if plan is None:
        return items
    planned = plan.within(batch.after_key, batch.last_key)
    if batch.sweep == FIRST_PASS:
        entries += entries_of_absent(source, plan.absent(planned, found))
    changed = entries_of_changed(items, planned)
    entries += changed
    return items.without({entry.key for entry in changed}) if changed else items


def _carry_part(
    context: RunContext,
    batch: Batch,
    step: Step,
    items: Items,
    carried: Carried,
    decisions: Mapping[str, Decision] | None = None,
) -> None:
    """Carry ``items`` over under a savepoint; where a row spoils it, halve until it is found."""
    part = Carried()
    known = dict(context.ensured)
    try:
        with transaction.atomic():
            decided = _transform(step, items, part, decisions)
            failpoint("transformed")
            _hold_shared(context, batch, decided, part.written)
            failpoint("ensured")
            with connection.cursor() as cursor:
                writer = BatchWriter(context, cursor, batch, step)
                part.written.merge(writer.write(decided))
            failpoint("written")
            settle_constraints()
            if decided:
                step.confirm([change for _, changes in decided for change in changes])
    except Exception as error:
        if classify(error) is not ErrorClass.ROW:
            raise
        if context.writes_records_apart:
            context.ensured = known  # what this savepoint made is gone with it
        if isinstance(error, RowsChanged):
            carried.entries += _changed(error, items)
            rest = items.without(error.keys)
            if len(rest):
                _carry_part(context, batch, step, rest, carried, decisions)
            return
        if len(items) == 1:
            carried.entries.append(_failed(items.keys[0], items.digests[0], error, part.entries))
            return
        middle = len(items) // 2
        for half in (items.part(0, middle), items.part(middle, len(items))):
            _carry_part(context, batch, step, half, carried, decisions)
        return
    carried.entries += part.entries
    carried.reviews += part.reviews
    carried.written.merge(part.written)


def _changed(error: RowsChanged, items: Items) -> list[Entry]:
    detail = gettext_noop(
        "Changed while the key was carried over, and left as it is: %(rows)s."
    ) % {"rows": error.rows}
    return [
        Entry(key, Outcomes.CONFLICT, "changed_meanwhile", detail)
        for key in items.keys
        if key in error.keys
    ]


def _failed(
    key: str, digest: bytes | None, error: BaseException, decided: Sequence[Entry] = ()
) -> Entry:
    """The entry of a key that ``error`` kept from being written; ``decided`` was its outcome."""
    if isinstance(error, Reject):
        entry = rejection_entry(key, digest, error)
        found = decided[0] if decided else entry
        return entry._replace(
            category=found.category, confidence=found.confidence, warnings=found.warnings
        )
    if isinstance(error, RowGone):
        return Entry(
            key,
            Outcomes.GONE,
            "gone",
            gettext_noop("A row of %(error)s was deleted meanwhile.") % {"error": error},
        )
    return Entry(
        key, Outcomes.QUARANTINED, code_of(error), sentence_of(error), source_digest=digest
    )


def _transform(
    step: Step, items: Items, part: Carried, decisions: Mapping[str, Decision] | None
) -> list[tuple[str, Sequence[Change]]]:
    """Ask ``transform``, or ``decided``, for every key; what it rejects is quarantined at once."""
    if decisions is None:
        loaded = step.load(items.rows)
    else:
        loaded = step.load_decided(items.rows, [decisions[key] for key in items.keys])
    transform = step.transform
    entries = part.entries
    decided: list[tuple[str, Sequence[Change]]] = []
    for key, digest, row in zip(items.keys, items.digests, items.rows, strict=True):
        try:
            outcome: Outcome
            if decisions is None:
                outcome = transform(row, loaded)
            else:
                outcome = step.decided(row, loaded, decisions[key])
            entry = entry_for(key, digest, outcome)
            changes = changes_of(outcome)
        except Reject as rejected:
            entries.append(rejection_entry(key, digest, rejected))
            continue
        except Exception as error:
            if classify(error) is not ErrorClass.ROW:
                raise
            entries.append(_failed(key, digest, error))
            continue
        entries.append(entry)
        if changes:
            decided.append((key, changes))
        elif type(outcome) is Review:
            part.reviews.append((key, outcome))
    return decided


def _hold_shared(
    context: RunContext,
    batch: Batch,
    decided: Sequence[tuple[str, Sequence[Change]]],
    written: Written,
) -> None:
    """Make the shared objects that the changes name, and hold them until commit."""
    ensures: dict[Any, Ensure] = {}
    for _, changes in decided:
        for change in changes:
            if type(change) is Ensure:
                ensures.setdefault(change.identity, change)
    if not ensures:
        return
    for _ in range(5):
        with connection.cursor() as cursor:
            missing = ensure.hold(context, cursor, ensures.values())
            if not missing:
                return
            if context.writes_records_apart:
                ensure.make(context, cursor, batch, missing, written)
                continue
        with side_connection() as side, side.cursor() as cursor:
            refuse_stale_owner(cursor, batch)
            # counted when the run closes: it stays whatever becomes of this batch
            ensure.make(context, cursor, batch, missing, Written())
    raise ensure.SharedObjectGone(next(iter(ensures.values())).model.__name__)


def _less_previous(batch: Batch, counts: dict[str, Any]) -> dict[str, Any]:
    """A batch that drives keys again counts their former entries down: sums stay true."""
    former = (
        LedgerEntry.objects.filter(run_id=batch.run_id, step=batch.step, key__in=batch.keys or [])
        .exclude(batch_id=batch.pk)
        .order_by("key", "-attempt")
        .distinct("key")
        .values_list("key", "outcome", "code", "category", "warnings")
    )
    previous = count_entries(
        [
            Entry(key, outcome, code, None, category, None, warnings and json.dumps(warnings))
            for key, outcome, code, category, warnings in former
        ]
    )
    for name, numbers in previous.items():
        for what, number in numbers.items():
            counts[name][what] = counts[name].get(what, 0) - number
    return counts
