"""Importing a workbook: looked at row by row, then carried out in one transaction
(guarantees.md "Excel import").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from guarantees.entry_errors import AlreadyImported
from guarantees.intake import Entry, Judge, Problem
from guarantees.models import BatchKind, ImportBatch
from guarantees.selectors.dictionaries import read_dictionaries
from guarantees.selectors.duplicates import Key, entry_keys, known_guarantees
from guarantees.services.actions.writing import local_day
from guarantees.services.import_reports import JudgedRow, WorkbookReport
from guarantees.services.recording import record_new, references_checked, save_totals
from guarantees.services.rejected_rows import RejectedRows
from guarantees.workbooks import OpenWorkbook, open_workbook
from migrations_tools.engine.transitions import record_action
from migrations_tools.models import QueuedImport
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import Clock, history_reason, save
from migrations_tools.text import storable_text

_AT_ONCE: Final = 2_000  # rows that are looked up and written together
#: Is told how many rows have been read.
Progress = Callable[[int], None]


def preview_workbook(
    path: Path,
    *,
    sheet: str | None = None,
    acting_user: User,
    surface: str,
    progress: Progress | None = None,
    most: int | None = None,
) -> WorkbookReport:
    """What importing ``path`` would do; nothing is written. Looks at all rows, or at ``most``.

    Raises PermissionRefused, or ImportRefused for what is no workbook of guarantees.
    """
    _require(acting_user, surface)
    with open_workbook(path, sheet=sheet) as workbook:
        report = _report(workbook, path, is_preview=True)
        for row in _judged(workbook, progress):
            if report.read == most:
                report.complete = False
                break
            report.add(row)
            report.show(row)
    return report


def import_workbook(
    path: Path,
    *,
    sheet: str | None = None,
    confirm: bool = False,
    upload: QueuedImport | None = None,
    acting_user: User,
    surface: str,
    now: Clock = timezone.now,
    progress: Progress | None = None,
) -> WorkbookReport:
    """Import the good rows of ``path`` as one batch, in one transaction; rejected ones are listed.

    Rejected rows are kept with the batch, and with the ``upload`` that the file came by. Without a
    good row there is no batch. The same file again needs ``confirm``. Raises
    PermissionRefused, AlreadyImported, DictionaryChanged, or ImportRefused for what is no workbook
    of guarantees; nothing is written then.
    """
    _require(acting_user, surface)
    with open_workbook(path, sheet=sheet) as workbook, transaction.atomic(), references_checked():
        _wait_for_turn(workbook.sha256)
        report = _report(workbook, path)
        if report.imported_before is not None and not confirm:
            raise already_imported(report.file_name, report.imported_before)
        reason = history_reason(f"import of {report.file_name}", surface)
        writer = _BatchWriter(report, at=now(), acting_user=acting_user, reason=reason)
        kept = RejectedRows(upload)
        for rows in _chunks(_judged(workbook, progress)):
            for row in rows:
                report.add(row)
            writer.write([row.judged.entry for row in rows if row.judged.entry is not None])
            kept.keep([row for row in rows if row.judged.entry is None], report.batch)
        workbook.require_unchanged()
        writer.close()
        kept.close(report.batch)
        _record(report, acting_user, surface)
    return report


def already_imported(file_name: str, batch: int) -> AlreadyImported:
    """The refusal of a file that became ``batch`` before."""
    return AlreadyImported(
        _(
            "%(file_name)s was imported before, as batch %(batch)s. Confirm the "
            "import if it is to come in a second time."
        )
        % {"file_name": file_name, "batch": batch},
        batch=batch,
    )


class _BatchWriter:
    """Writes accepted entries into the report's batch, which the first of them makes."""

    def __init__(
        self, report: WorkbookReport, *, at: datetime, acting_user: User, reason: str
    ) -> None:
        self._report, self._at = report, at
        self._by: dict[str, Any] = {"acting_user": acting_user, "reason": reason}
        self._uploaded_by = acting_user.email

    def write(self, entries: list[Entry]) -> None:
        if not entries:
            return
        if self._report.batch is None:
            self._report.batch = self._make()
        record_new(self._report.batch, entries, at=self._at, **self._by)

    def _make(self) -> ImportBatch:
        batch = ImportBatch(
            kind=BatchKind.EXCEL,
            file_name=self._report.file_name,
            description=f"Sheet “{storable_text(self._report.sheet)}”",
            sha256=self._report.sha256,
            day=local_day(self._at),
            created_at=self._at,
            uploaded_by=self._uploaded_by,
        )
        save(batch, **self._by)
        return batch

    def close(self) -> None:
        if self._report.batch is not None:
            save_totals(self._report.batch, **self._by)


def _judged(workbook: OpenWorkbook, progress: Progress | None) -> Iterator[JudgedRow]:
    """The rows, judged, those flagged that are there already – in the file or in the database."""
    judge = Judge(
        read_dictionaries(),
        day_first=bool(getattr(settings, "CARRYOVER_DAY_FIRST", True)),
        serial_offset=workbook.serial_offset,
    )
    first_rows: dict[int, int] = {}  # by hash: a hundred thousand keys would weigh too much
    count = 0
    for rows in _chunks(workbook.rows()):
        judged = [JudgedRow(row.number, judge.judge(row.cells), row.cells) for row in rows]
        known = known_guarantees(row.judged.entry for row in judged if row.judged.entry)
        for row in judged:
            if row.judged.entry is not None:
                _flag(row, row.judged.entry, known, first_rows)
            yield row
        count += len(rows)
        if progress is not None:
            progress(count)


def _flag(row: JudgedRow, entry: Entry, known: dict[Key, int], first_rows: dict[int, int]) -> None:
    keys = entry_keys(entry)
    stored = next((known[key] for key in keys if key in known), None)
    if stored is not None:
        row.judged.warnings.append(duplicate_of(stored))
    above = next((first_rows[hash(key)] for key in keys if hash(key) in first_rows), None)
    if above is not None:
        message = _(
            "Guarantee number: row %(above)s has the same number, bank, amount and expiry."
        ) % {"above": above}
        row.judged.warnings.append(Problem("number", "duplicate_in_file", message))
    for key in keys:
        first_rows.setdefault(hash(key), row.number)


def duplicate_of(pk: int) -> Problem:
    """The flag of an entry whose number, bank, amount and expiry a stored guarantee has."""
    message = _(
        "Guarantee number: guarantee %(pk)s has the same number, bank, amount and expiry."
    ) % {"pk": pk}
    return Problem("number", "duplicate", message)


def _report(workbook: OpenWorkbook, path: Path, *, is_preview: bool = False) -> WorkbookReport:
    before = ImportBatch.objects.filter(sha256=workbook.sha256).order_by("pk")
    return WorkbookReport(
        file_name=storable_text(path.name),
        sha256=workbook.sha256,
        sheet=workbook.sheet_name,
        other_sheets=workbook.other_sheets,
        headings=workbook.headings,
        imported_before=before.values_list("pk", flat=True).last(),
        is_preview=is_preview,
    )


def _require(user: User, surface: str) -> None:
    require_permission(user, "guarantees.add_guarantee", deed="import guarantees", surface=surface)


def _wait_for_turn(sha256: str) -> None:
    """One import of a file at a time: the second one finds what the first has made."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"workbook {sha256}"]
        )


def _record(report: WorkbookReport, acting_user: User, surface: str) -> None:
    record_action(
        None,
        action="import_workbook",
        acting_user=acting_user,
        surface=surface,
        details={
            "file": report.file_name,
            "sha256": report.sha256,
            "batch": report.batch and report.batch.pk,
            "read": report.read,
            "imported": report.accepted,
            "rejected": report.rejected_count,
            "duplicates": report.flagged_count,
        },
    )


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    found = iter(rows)
    while chunk := list(islice(found, _AT_ONCE)):
        yield chunk
