"""What a workbook becomes, row by row, in words that every surface shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from guarantees.intake import Entry, Judged
from guarantees.matching import Match
from guarantees.models import ImportBatch, MatchStatus
from guarantees.workbooks.headings import Column

#: Rejected and flagged rows, and rows of a preview, that an answer lists; all are counted.
LISTED: Final = 10_000
PREVIEWED: Final = 1_000


@dataclass(frozen=True, slots=True)
class JudgedRow:
    """A row of the sheet with what it would become, or why it is rejected."""

    number: int
    judged: Judged
    cells: Mapping[Column, object] = field(default_factory=dict)

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
    ``imported_before`` is the batch that the same file became; ``complete`` says that all rows
    were looked at.
    """

    file_name: str
    sha256: str
    sheet: str
    other_sheets: list[str]
    headings: dict[str, list[str]]
    imported_before: int | None
    is_preview: bool = False
    complete: bool = True
    batch: ImportBatch | None = None
    read: int = 0
    accepted: int = 0
    ready: int = 0
    rejected_count: int = 0
    flagged_count: int = 0
    rejected: list[JudgedRow] = field(default_factory=list)
    flagged: list[JudgedRow] = field(default_factory=list)
    rows: list[JudgedRow] = field(default_factory=list)

    def show(self, row: JudgedRow) -> None:
        """List a row of a preview."""
        _list(self.rows, row, PREVIEWED)

    def add(self, row: JudgedRow) -> None:
        """Count a row, and list it where something is wrong with it."""
        self.read += 1
        entry = row.judged.entry
        if entry is None:
            self.rejected_count += 1
            _list(self.rejected, row)
            return
        self.accepted += 1
        self.ready += entry.match_status == MatchStatus.READY
        if row.judged.warnings:
            self.flagged_count += 1
            _list(self.flagged, row)

    def as_json(self) -> dict[str, Any]:
        """The report as one object; only a preview has ``rows``, and ``complete``."""
        told: dict[str, Any] = {
            "file": self.file_name,
            "sha256": self.sha256,
            "sheet": self.sheet,
            "other_sheets": self.other_sheets,
            "headings": self.headings,
            "imported_before": self.imported_before,
            "batch": self.batch and self.batch.pk,
            "read": self.read,
            "imported": self.accepted,
            "ready": self.ready,
            "needs_review": self.accepted - self.ready,
            "rejected_count": self.rejected_count,
            "flagged_count": self.flagged_count,
            "rejected": [row.as_json() for row in self.rejected],
            "flagged": [row.as_json() for row in self.flagged],
        }
        rows = {"rows": [row.as_json() for row in self.rows], "complete": self.complete}
        return told | rows if self.is_preview else told


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
