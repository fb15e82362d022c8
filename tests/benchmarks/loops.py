"""What people write without an engine: Django's own objects in a loop.

Both read values by the same functions as the migration and write the same guarantees, actions,
batches, links and history – but no ledger, no journal, no digests: they cannot be undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Q
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from guarantees.data_migrations.split_imported_records import (
    ActionStep,
    CurrentStateStep,
    GuaranteeStep,
    action_values,
    guarantee_values,
)
from guarantees.data_migrations.split_links import Known
from guarantees.models import (
    ActionStatus,
    Guarantee,
    GuaranteeAction,
    ImportBatch,
    ImportedRecord,
    MatchStatus,
)
from migrations_tools.definitions import Apply, Ensure, Update
from migrations_tools.services.actors import system_user

CHUNK_ROWS = 1_000
REASON = "benchmark"


def save_loop() -> None:
    """``save()`` of every object, in transactions of 1,000 rows."""
    batches = _Batches(system_user())
    for rows in _chunks(ImportedRecord.objects.becoming_guarantees()):
        known = GuaranteeStep(None).load(rows)
        with transaction.atomic():
            for row in rows:
                guarantee = _guarantee(row, known, batches)
                _save(guarantee, batches.actor)
                row.migrated_guarantee, row.import_batch = guarantee, guarantee.batch
                row.save(update_fields=["migrated_guarantee", "import_batch"])
    for rows in _chunks(ImportedRecord.objects.not_becoming_guarantees()):
        known = ActionStep(None).load(rows)
        with transaction.atomic():
            for row in rows:
                if row.action_type:
                    action = _action(row, known)
                    _save(action, batches.actor)
                    row.migrated_action = action
                    row.save(update_fields=["migrated_action"])
    with transaction.atomic():
        for batch in _with_totals():
            _save(batch, batches.actor)
        for guarantee in _with_current_state():
            _save(guarantee, batches.actor)


def bulk_loop() -> None:
    """``bulk_create_with_history`` and ``bulk_update``, 1,000 rows at a time."""
    batches = _Batches(system_user())
    history: Any = {"default_user": batches.actor, "default_change_reason": REASON}
    for rows in _chunks(ImportedRecord.objects.becoming_guarantees()):
        known = GuaranteeStep(None).load(rows)
        with transaction.atomic():
            made = [_guarantee(row, known, batches) for row in rows]
            made = bulk_create_with_history(made, Guarantee, **history)
            for row, guarantee in zip(rows, made, strict=True):
                row.migrated_guarantee, row.import_batch = guarantee, guarantee.batch
            ImportedRecord.objects.bulk_update(rows, ["migrated_guarantee", "import_batch"])
    for rows in _chunks(ImportedRecord.objects.not_becoming_guarantees()):
        known = ActionStep(None).load(rows)
        with transaction.atomic():
            carried = [row for row in rows if row.action_type]
            actions = [_action(row, known) for row in carried]
            actions = bulk_create_with_history(actions, GuaranteeAction, **history)
            for row, action in zip(carried, actions, strict=True):
                row.migrated_action = action
            ImportedRecord.objects.bulk_update(carried, ["migrated_action"])
    with transaction.atomic():
        fields = ["total_records", "ready_records"]
        bulk_update_with_history(
            list(_with_totals()), ImportBatch, fields, batch_size=CHUNK_ROWS, **history
        )
        fields = ["current_amount", "current_expiry", "status"]
        bulk_update_with_history(
            list(_with_current_state()), Guarantee, fields, batch_size=CHUNK_ROWS, **history
        )


class _Batches:
    """The batches made so far, by natural key."""

    def __init__(self, actor: User) -> None:
        self.actor = actor
        self._made: dict[Any, ImportBatch] = {}

    def of(self, ensure: Ensure) -> ImportBatch:
        found = self._made.get(ensure.identity)
        if found is None:
            found = ImportBatch(**ensure.defaults, **ensure.natural_key)
            _save(found, self.actor)
            self._made[ensure.identity] = found
        return found


def _chunks(rows: Any) -> Iterator[Sequence[Any]]:
    found = rows.with_session().order_by("pk").iterator(chunk_size=CHUNK_ROWS)
    while chunk := list(islice(found, CHUNK_ROWS)):
        yield chunk


def _guarantee(row: Any, known: Known, batches: _Batches) -> Guarantee:
    values = guarantee_values(row, known, [])
    batch = batches.of(values.pop("batch_id"))
    return Guarantee(batch=batch, **values)


def _action(row: Any, known: Known) -> GuaranteeAction:
    values = action_values(row, known, [])
    return GuaranteeAction(
        guarantee_id=known.guarantees.get(row.pk),
        status=ActionStatus.ISSUED,
        is_locked=True,
        issued_at=values["created_at"],
        **values,
    )


def _save(obj: Any, actor: User) -> None:
    obj._history_user, obj._change_reason = actor, REASON
    obj.save()


def _with_totals() -> Iterator[ImportBatch]:
    ready = Q(guarantees__match_status=MatchStatus.READY)
    counted = ImportBatch.objects.annotate(
        total=Count("guarantees"), ready=Count("guarantees", filter=ready)
    )
    for batch in counted:
        batch.total_records, batch.ready_records = batch.total, batch.ready
        yield batch


def _with_current_state() -> Iterator[Guarantee]:
    acted_on = list(Guarantee.objects.filter(actions__isnull=False).distinct())
    step = CurrentStateStep(None)
    actions = step.load(acted_on)
    for guarantee in acted_on:
        outcome = step.transform(guarantee, actions)
        if isinstance(outcome, Apply):
            for change in outcome.changes:
                if isinstance(change, Update):
                    vars(guarantee).update(change.values)
                    yield guarantee
