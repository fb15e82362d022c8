"""Writing new guarantees: the one door through which they come in, with history and totals.

While the old system is written too, its rows come from here as well, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.utils.translation import gettext as _

from guarantees.cutovers import write_both
from guarantees.entry_errors import DictionaryChanged
from guarantees.intake import Entry
from guarantees.models import Guarantee, GuaranteeStatus, ImportBatch, MatchStatus
from guarantees.models.batch import DAILY_KINDS
from guarantees.services.actions.writing import local_day
from guarantees.services.legacy_writing import write_legacy_guarantees
from migrations_tools.engine.history import INSERTED, write_history
from migrations_tools.engine.sql import column_list, table_of
from migrations_tools.engine.transfer import transfer
from migrations_tools.signing import save

_ACTIVE: Final = GuaranteeStatus.ACTIVE.value
_READY: Final = MatchStatus.READY.value

#: Columns that are written, in the order of `_row`.
_COLUMNS: Final = (
    "id", "number", "raw_supplier_name", "raw_bank_name", "supplier_id", "bank_id",
    "contract_number", "related_to", "amount", "currency", "issue_date", "expiry_date", "type",
    "comment", "match_status", "batch_id", "import_kind", "import_date", "is_protected",
    "current_amount", "current_expiry", "status", "created_at",
)  # fmt: skip


def record_new(
    batch: ImportBatch,
    entries: Sequence[Entry],
    *,
    at: datetime,
    acting_user: User,
    reason: str,
) -> list[int]:
    """Write ``entries`` as guarantees of ``batch``, whose row the caller has locked or made.

    The keys, in the order of the entries. A number of statements that does not depend on theirs.
    Call it inside a transaction; the batch in memory counts them, `save_totals` writes that.
    """
    if not entries:
        return []
    with connection.cursor() as cursor:
        pks = _new_keys(cursor, len(entries))
    write_both(
        legacy=lambda: write_legacy_guarantees(batch, pks, entries, at=at),
        new=lambda: _write_guarantees(batch, pks, entries, at, acting_user, reason),
    )
    batch.total_records += len(entries)
    batch.ready_records += sum(entry.match_status == _READY for entry in entries)
    return pks


def _write_guarantees(
    batch: ImportBatch,
    pks: Sequence[int],
    entries: Sequence[Entry],
    at: datetime,
    acting_user: User,
    reason: str,
) -> None:
    statement = f"COPY {table_of(Guarantee)} ({column_list(_COLUMNS)}) FROM STDIN"
    with connection.cursor() as cursor:
        # errors of a COPY are the driver's own, not yet Django's
        with connection.wrap_database_errors, cursor.copy(statement) as copy:
            for pk, entry in zip(pks, entries, strict=True):
                copy.write_row(_row(pk, entry, batch, at))
        given = transfer(cursor, [("pk", "bigint")], ((pk,) for pk in pks))
        write_history(cursor, Guarantee, given, INSERTED, reason, acting_user.pk)


def save_totals(batch: ImportBatch, *, acting_user: User, reason: str) -> None:
    """Write what `record_new` has counted."""
    save(
        batch,
        acting_user=acting_user,
        reason=reason,
        update_fields=["total_records", "ready_records"],
    )


def lock_day_batch(
    kind: str, day: date, *, at: datetime, acting_user: User, reason: str
) -> ImportBatch:
    """The batch of a kind that has one for each local day; its row is locked.

    However many ask at once, there is one: a constraint sees to it, and who comes second takes
    what the first has made.
    """
    if kind not in DAILY_KINDS:
        raise ValueError(f"{kind} has no batch of a day")
    while True:
        batch = lock_batch(kind=kind, day=day)
        if batch is not None:
            return batch
        with connection.cursor() as cursor:
            cursor.execute(_MAKE_DAY, [kind, day, at, acting_user.email])
            made = [pk for (pk,) in cursor.fetchall()]
            given = transfer(cursor, [("pk", "bigint")], ((pk,) for pk in made))
            write_history(cursor, ImportBatch, given, INSERTED, reason, acting_user.pk)


_MAKE_DAY: Final = """
    INSERT INTO guarantees_importbatch (kind, day, created_at, uploaded_by, description, file_name,
        sha256, total_records, ready_records)
    VALUES (%s, %s, %s, %s, '', '', '', 0, 0)
    ON CONFLICT DO NOTHING RETURNING id
"""


def lock_batch(**lookup: Any) -> ImportBatch | None:
    """A batch as it is stored now, its row locked; counters change under this lock."""
    return ImportBatch.objects.select_for_update(no_key=True).filter(**lookup).first()


@contextmanager
def references_checked() -> Iterator[None]:
    """Foreign keys are checked at the end of the block. Raises DictionaryChanged."""
    try:
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    except IntegrityError as error:
        if getattr(error.__cause__, "sqlstate", "") != "23503":
            raise
        raise DictionaryChanged(
            _("A supplier or bank was deleted meanwhile; nothing was kept. Try again.")
        ) from error


def _new_keys(cursor: Any, count: int) -> list[int]:
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
        [Guarantee._meta.db_table, count],
    )
    return [pk for (pk,) in cursor.fetchall()]


def _row(pk: int, entry: Entry, batch: ImportBatch, at: datetime) -> tuple[Any, ...]:
    """The values of `_COLUMNS`; what a guarantee currently is begins as what came in."""
    return (
        pk, entry.number, entry.raw_supplier_name, entry.raw_bank_name, entry.supplier.pk,
        entry.bank.pk, entry.contract_number, entry.related_to, entry.amount, entry.currency,
        entry.issue_date, entry.expiry_date, entry.type, entry.comment, entry.match_status,
        batch.pk, batch.kind, local_day(at), False, entry.amount, entry.expiry_date, _ACTIVE, at,
    )  # fmt: skip
