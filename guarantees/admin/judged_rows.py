"""Rows of workbooks, pasted texts and forms on pages: what was written, and what it becomes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from guarantees.intake import Entry, Problem
from guarantees.matching import Match
from guarantees.models import Bank, MatchStatus, Supplier
from guarantees.services.import_reports import JudgedRow
from guarantees.services.rejected_rows import written
from guarantees.workbooks.headings import Column

#: Columns in words of the page's language.
LABELS: dict[str, str | Promise] = {
    Column.NUMBER.value: gettext_lazy("Guarantee number"),
    Column.SUPPLIER.value: gettext_lazy("Supplier"),
    Column.BANK.value: gettext_lazy("Bank"),
    Column.AMOUNT.value: gettext_lazy("Amount"),
    Column.CURRENCY.value: gettext_lazy("Currency"),
    Column.CONTRACT.value: gettext_lazy("Contract"),
    Column.ORDER.value: gettext_lazy("Purchase order"),
    Column.CONTRACT_OR_ORDER.value: gettext_lazy("Contract or purchase order"),
    Column.ISSUE_DATE.value: gettext_lazy("Issue date"),
    Column.EXPIRY_DATE.value: gettext_lazy("Expiry date"),
    Column.TYPE.value: gettext_lazy("Type"),
    Column.COMMENT.value: gettext_lazy("Comment"),
}
_DUPLICATE = {"duplicate", "duplicate_in_file"}


@dataclass(frozen=True)
class Cell:
    """A value: as it was written, and as it is understood. ``note`` says who else may be meant."""

    label: str | Promise
    before: str
    after: str
    note: str = ""

    @property
    def changed(self) -> bool:
        return self.before != self.after


@dataclass(frozen=True)
class ShownRow:
    number: int
    label: str
    tone: str
    cells: Sequence[Cell]
    problems: Sequence[Problem]
    warnings: Sequence[Problem]


def shown_rows(rows: Iterable[JudgedRow]) -> list[ShownRow]:
    """Rows for a page; the names of all matches in two queries."""
    rows = list(rows)
    entries = [row.judged.entry for row in rows if row.judged.entry is not None]
    suppliers = Supplier.objects.in_bulk({entry.supplier.pk for entry in entries} - {None})
    banks = Bank.objects.in_bulk({entry.bank.pk for entry in entries} - {None})
    names = (
        {pk: str(supplier) for pk, supplier in suppliers.items()},
        {pk: str(bank) for pk, bank in banks.items()},
    )
    return [_shown(row, *names) for row in rows]


def _shown(row: JudgedRow, suppliers: dict[Any, str], banks: dict[Any, str]) -> ShownRow:
    entry = row.judged.entry
    before = {column.value: written(cell) for column, cell in row.cells.items()}
    if entry is None:
        cells = [Cell(LABELS[name], text, "") for name, text in before.items()]
        label, tone = _("rejected"), "bad"
    else:
        cells = _understood(entry, before, suppliers, banks)
        label, tone = _status(row, entry)
    return ShownRow(row.number, label, tone, cells, row.judged.problems, row.judged.warnings)


def _status(row: JudgedRow, entry: Entry) -> tuple[str, str]:
    if any(warning.code in _DUPLICATE for warning in row.judged.warnings):
        return _("duplicate?"), "warn"
    if entry.match_status == MatchStatus.READY:
        return _("new"), "good"
    return _("new, names to be matched"), "info"


def _understood(
    entry: Entry, before: dict[str, str], suppliers: dict[Any, str], banks: dict[Any, str]
) -> list[Cell]:
    order = Column.ORDER if entry.related_to == Column.ORDER.value else Column.CONTRACT
    contract = next(
        (before[name] for name in (order.value, Column.CONTRACT_OR_ORDER.value) if name in before),
        "",
    )
    values = [
        (Column.NUMBER, entry.number),
        (order, entry.contract_number),
        (Column.AMOUNT, f"{entry.amount:,.2f} {entry.currency}"),
        (Column.ISSUE_DATE, entry.issue_date),
        (Column.EXPIRY_DATE, entry.expiry_date),
        (Column.TYPE, entry.type),
        (Column.COMMENT, entry.comment),
    ]
    cells = [
        Cell(
            LABELS[column.value],
            contract if column is order else before.get(column.value, ""),
            "" if value is None else str(value),
        )
        for column, value in values
        if value not in (None, "")
    ]
    parties = (
        (Column.SUPPLIER, entry.raw_supplier_name, entry.supplier, suppliers),
        (Column.BANK, entry.raw_bank_name, entry.bank, banks),
    )
    cells[1:1] = [
        Cell(LABELS[column.value], raw, names.get(match.pk, _("not known")), _note(match))
        for column, raw, match, names in parties
    ]
    return cells


def _note(match: Match) -> str:
    """Whom else the name may mean, the likeliest first."""
    others = [found for found in match.candidates if found.pk != match.pk]
    if match.is_certain or not others:
        return ""
    told = ", ".join(f"{found.name} ({found.score:.0%})" for found in others)
    return _("perhaps %(names)s") % {"names": told}


def headings_shown(headings: dict[str, list[str]]) -> list[tuple[str | Promise, str]]:
    """Recognised columns with their headings as they were written."""
    return [(LABELS[name], ", ".join(texts)) for name, texts in headings.items()]
