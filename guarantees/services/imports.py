"""Importing a workbook: looked at row by row, then carried out in one transaction
(guarantees.md "Excel import").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from guarantees.entry_errors import AlreadyImported
from guarantees.intake import Entry, Judge, Judged, Problem
from guarantees.matching import Match
from guarantees.models import BatchKind, ImportBatch
from guarantees.selectors.dictionaries import read_dictionaries
from guarantees.selectors.duplicates import Key, entry_keys, known_guarantees
from guarantees.services.actions.writing import local_day
from guarantees.services.recording import record_new, references_checked, save_totals
from guarantees.workbooks import OpenWorkbook, open_workbook
from migrations_tools.engine.transitions import record_action
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import Clock, history_reason, save
from migrations_tools.text import storable_text

_AT_ONCE: Final = 2_000  # rows that are looked up and written together
#: Rejected and flagged rows, and rows of a preview, that an answer lists; all are counted.
LISTED: Final = 10_000
PREVIEWED: Final = 1_000

#: Is told how many rows have been read.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row of the sheet with what it would become, or why it is rejected."""

    number: int
    judged: Judged

    def as_json(self) -> dict[str, Any]:
        entry = self.judged.entry
        told: dict[str, Any] = {
            "row": self.number,
            "status": "rejected" if entry is None else entry.match_status,
            "problems": [problem.as_json() for problem in self.judged.problems],
            "warnings": [warning.as_json() for warning in self.judged.warnings],
        }
        return told if entry is None else told | {"values": values_of(entry)}


@dataclass(slots=True)
class WorkbookReport:
    """What a workbook becomes, or became. ``batch`` is None while nothing is written.

    ``rejected`` and ``flagged`` list the first rows of each, ``rows`` those of a preview.
    ``imported_before`` is the batch that the same file became.
    """

    file_name: str
    sha256: str
    sheet: str
    other_sheets: list[str]
    headings: dict[str, list[str]]
    imported_before: int | None
    batch: ImportBatch | None = None
    read: int = 0
    accepted: int = 0
    ready: int = 0
    rejected_count: int = 0
    flagged_count: int = 0
    rejected: list[JudgedRow] = field(default_factory=list)
    flagged: list[JudgedRow] = field(default_factory=list)
    rows: list[JudgedRow] = field(default_factory=list)

    def add(self, row: JudgedRow) -> None:
        self.read += 1
        entry = row.judged.entry
        if entry is None:
            self.rejected_count += 1
            _list(self.rejected, row)
            return
        self.accepted += 1
        self.ready += entry.match_status == "ready"
        if row.judged.warnings:
            self.flagged_count += 1
            _list(self.flagged, row)


def preview_workbook(
    path: Path,
    *,
    sheet: str | None = None,
    acting_user: User,
    surface: str,
    progress: Progress | None = None,
) -> WorkbookReport:
    """What importing ``path`` would do; nothing is written.

    Raises PermissionRefused, or ImportRefused for what is no workbook of guarantees.
    """
    _require(acting_user, surface)
    with open_workbook(path, sheet=sheet) as workbook:
        report = _report(workbook, path)
        for row in _judged(workbook, progress):
            report.add(row)
            _list(report.rows, row, PREVIEWED)
    return report


def import_workbook(
    path: Path,
    *,
    sheet: str | None = None,
    confirm: bool = False,
    acting_user: User,
    surface: str,
    now: Clock = timezone.now,
    progress: Progress | None = None,
) -> WorkbookReport:
    """Import the good rows of ``path`` as one batch, in one transaction; rejected ones are listed.

    Without a good row there is no batch. The same file again needs ``confirm``. Raises
    PermissionRefused, AlreadyImported, DictionaryChanged, or ImportRefused for what is no workbook
    of guarantees; nothing is written then.
    """
    _require(acting_user, surface)
    with open_workbook(path, sheet=sheet) as workbook, transaction.atomic(), references_checked():
        _wait_for_turn(workbook.sha256)
        report = _report(workbook, path)
        if report.imported_before is not None and not confirm:
            raise AlreadyImported(
                f"{report.file_name} was imported before, as batch {report.imported_before}. "
                "Confirm the import if it is to come in a second time.",
                batch=report.imported_before,
            )
        reason = history_reason(f"import of {report.file_name}", surface)
        writer = _BatchWriter(report, at=now(), acting_user=acting_user, reason=reason)
        for rows in _chunks(_judged(workbook, progress)):
            for row in rows:
                report.add(row)
            writer.write([row.judged.entry for row in rows if row.judged.entry is not None])
        workbook.require_unchanged()
        writer.close()
        _record(report, acting_user, surface)
    return report


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
        judged = [JudgedRow(row.number, judge.judge(row.cells)) for row in rows]
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
        message = f"Guarantee number: row {above} has the same number, bank, amount and expiry."
        row.judged.warnings.append(Problem("number", "duplicate_in_file", message))
    for key in keys:
        first_rows.setdefault(hash(key), row.number)


def duplicate_of(pk: int) -> Problem:
    """The flag of an entry whose number, bank, amount and expiry a stored guarantee has."""
    message = f"Guarantee number: guarantee {pk} has the same number, bank, amount and expiry."
    return Problem("number", "duplicate", message)


def _report(workbook: OpenWorkbook, path: Path) -> WorkbookReport:
    before = ImportBatch.objects.filter(sha256=workbook.sha256).order_by("pk")
    return WorkbookReport(
        file_name=storable_text(path.name),
        sha256=workbook.sha256,
        sheet=workbook.sheet_name,
        other_sheets=workbook.other_sheets,
        headings=workbook.headings,
        imported_before=before.values_list("pk", flat=True).last(),
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


def values_of(entry: Entry) -> dict[str, Any]:
    """An entry as JSON: its values, whom its names mean, and who is suggested."""
    return {
        "number": entry.number,
        "supplier": _match_as_json(entry.raw_supplier_name, entry.supplier),
        "bank": _match_as_json(entry.raw_bank_name, entry.bank),
        "contract_number": entry.contract_number,
        "related_to": entry.related_to,
        "amount": str(entry.amount),
        "currency": entry.currency,
        "issue_date": entry.issue_date and str(entry.issue_date),
        "expiry_date": entry.expiry_date and str(entry.expiry_date),
        "type": entry.type,
        "comment": entry.comment,
    }


def _match_as_json(written: str, match: Match) -> dict[str, Any]:
    return {
        "written": written,
        "id": match.pk,
        "found_by": match.tier and match.tier.value,
        "certain": match.is_certain,
        "suggestions": [
            {"id": found.pk, "name": found.name, "score": round(found.score, 2)}
            for found in match.candidates
            if found.pk != match.pk
        ],
    }


def _list(rows: list[JudgedRow], row: JudgedRow, most: int = LISTED) -> None:
    if len(rows) < most:
        rows.append(row)


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    found = iter(rows)
    while chunk := list(islice(found, _AT_ONCE)):
        yield chunk
