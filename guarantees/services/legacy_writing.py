"""The second write: what people do here, as the old system would have kept it (SPEC §2.8).

Rows are linked to what they tell of when they are written, so the data migration finds them done
and verification compares them like any other. They have no ``content_hash``: no file brought them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Model

from guarantees.data_migrations.split_batches import legacy_ref
from guarantees.intake import Entry
from guarantees.matching import Match
from guarantees.models import (
    ActionType,
    BatchKind,
    Guarantee,
    GuaranteeAction,
    ImportBatch,
    ImportedRecord,
    ImportSession,
)
from guarantees.names import normalize_name
from migrations_tools.engine.sql import column_list, quoted, table_of

#: Kind of batch → type of the old system's session.
_SESSION_TYPES: Final = {
    BatchKind.EXCEL: "excel",
    BatchKind.MANUAL: "manual",
    BatchKind.PASTE: "smart_paste",
}
#: Type of action → type of the old system's row. The last three it only took note of.
_RECORD_TYPES: Final = {
    ActionType.EXTENSION: "extension_action",
    ActionType.RELEASE: "release_action",
    ActionType.REDUCTION: "reduction_action",
    ActionType.RENEWAL: "renewal_request",
    ActionType.MODIFICATION: "modification",
}
_IMPORT: Final = "import"

_COLUMNS: Final = (
    "session_id", "raw_supplier_name", "raw_bank_name", "amount", "guarantee_number", "issue_date",
    "expiry_date", "normalized_supplier", "normalized_bank", "match_status", "supplier_id",
    "bank_id", "created_at", "contract_number", "type", "comment", "bank_display",
    "supplier_display_name", "related_to", "record_type", "migrated_guarantee_id",
    "import_batch_id",
)  # fmt: skip


def write_legacy_guarantees(
    batch: ImportBatch, pks: Sequence[int], entries: Sequence[Entry], *, at: datetime
) -> None:
    """Old rows of new guarantees, whose keys are known already; by COPY."""
    session = _session_of(batch, at)
    columns = column_list(_COLUMNS)
    statement = f"COPY {table_of(ImportedRecord)} ({columns}) FROM STDIN"
    with (
        connection.cursor() as cursor,
        connection.wrap_database_errors,
        cursor.copy(statement) as copy,
    ):
        for pk, entry in zip(pks, entries, strict=True):
            copy.write_row(_row(pk, entry, batch, session.pk, at))
    session.record_count = (session.record_count or 0) + len(entries)
    session.save(update_fields=["record_count"])


def _session_of(batch: ImportBatch, at: datetime) -> ImportSession:
    """A file has one session, however many writes it takes; every entry and paste has its own.

    The batch of a file is named after its session: rows that the old system adds to it will join.
    """
    is_file = batch.kind == BatchKind.EXCEL
    if is_file and batch.legacy_ref is not None:
        pk = int(batch.legacy_ref.removeprefix("session:"))
        return ImportSession.objects.select_for_update(no_key=True).get(pk=pk)
    session = ImportSession.objects.create(
        session_type=_SESSION_TYPES[BatchKind(batch.kind)],
        record_count=0,
        created_at=_instant(at),
        file_name=batch.file_name or None,
    )
    if is_file:
        batch.legacy_ref = legacy_ref(session.pk)
        ImportBatch.objects.filter(pk=batch.pk).update(legacy_ref=batch.legacy_ref)
    return session


def _row(pk: int, entry: Entry, batch: ImportBatch, session: int, at: datetime) -> tuple[Any, ...]:
    return (
        session, entry.raw_supplier_name, entry.raw_bank_name, str(entry.amount), entry.number,
        _text(entry.issue_date), _text(entry.expiry_date), normalize_name(entry.raw_supplier_name),
        normalize_name(entry.raw_bank_name), entry.match_status, entry.supplier.pk, entry.bank.pk,
        _instant(at), entry.contract_number, entry.type, entry.comment, _name(entry.bank),
        _name(entry.supplier), entry.related_to, _IMPORT, pk, batch.pk,
    )  # fmt: skip


def write_legacy_action(action: GuaranteeAction) -> None:
    """The old row of an action that was issued: a session of its own, as it always was (N10)."""
    record_type = _RECORD_TYPES[ActionType(action.action_type)]
    at = action.issued_at or action.created_at
    session = ImportSession.objects.create(
        session_type=record_type, record_count=1, created_at=_instant(at)
    )
    is_release = action.action_type == ActionType.RELEASE
    ImportedRecord.objects.create(
        session=session,
        record_type=record_type,
        guarantee_number=action.number,
        raw_supplier_name=action.supplier_name,
        raw_bank_name=action.bank_name,
        supplier_id=action.supplier_id,
        bank_id=action.bank_id,
        supplier_display_name=action.supplier_display_name,
        bank_display=action.bank_display_name,
        amount=_text(action.previous_amount),
        expiry_date=_text(action.previous_expiry if is_release else action.new_expiry),
        comment=action.notes,
        created_at=_instant(at),
        migrated_action=action,
    )


def _text(value: Decimal | date | Model | None) -> str | None:
    return None if value is None else str(value)


def _pk(row: Model | None) -> int | None:
    return None if row is None else row.pk


#: Field of a guarantee → columns of its old row, and what each holds.
_CORRECTED: Final[dict[str, dict[str, Callable[[Any], Any]]]] = {
    "number": {"guarantee_number": str},
    "raw_supplier_name": {"raw_supplier_name": str, "normalized_supplier": normalize_name},
    "raw_bank_name": {"raw_bank_name": str, "normalized_bank": normalize_name},
    "supplier": {"supplier_id": _pk, "supplier_display_name": _text},
    "bank": {"bank_id": _pk, "bank_display": _text},
    "contract_number": {"contract_number": str},
    "related_to": {"related_to": str},
    "amount": {"amount": _text},
    "issue_date": {"issue_date": _text},
    "expiry_date": {"expiry_date": _text},
    "type": {"type": str},
    "comment": {"comment": str},
}


def write_legacy_correction(guarantee: Guarantee, fields: Iterable[str]) -> None:
    """What was corrected of a guarantee, on its old row; other columns stay as they are written.

    ``guarantee`` has its new values. The old system knew neither currencies nor current values.
    """
    values = {
        column: read(getattr(guarantee, name))
        for name in fields
        for column, read in _CORRECTED.get(name, {}).items()
    }
    if values:
        ImportedRecord.objects.filter(migrated_guarantee=guarantee).update(**values)


def write_legacy_decision(column: str, given: str) -> None:
    """What was decided of guarantees, on their old rows.

    ``column`` names the party; ``given`` is a table with a column ``pk`` of guarantees, which are
    as they will be.
    """
    party = quoted(column)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table_of(ImportedRecord)} r "
            f"SET {party} = g.{party}, match_status = g.match_status "
            f"FROM {given} given JOIN {table_of(Guarantee)} g ON g.id = given.pk "
            "WHERE r.migrated_guarantee_id = g.id"
        )


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}"


def _name(match: Match) -> str | None:
    """How the old system showed a name that it knew."""
    return next((found.name for found in match.candidates if found.pk == match.pk), None)
