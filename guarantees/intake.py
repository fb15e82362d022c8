"""What a row, a form or a text says of a new guarantee: read, matched, and wholly judged
(guarantees.md "Running the department").

Pure: all reasons against an entry come at once; nothing here asks the database.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar

from django.utils.translation import gettext as _

from guarantees.matching import Dictionaries, Match, match_status
from guarantees.models.number import PADDING
from guarantees.reading import ValueNotUnderstood, read_amount, read_date
from guarantees.reading.currencies import currency_in, read_currency
from guarantees.workbooks.cells import Unreadable, is_blank
from guarantees.workbooks.headings import Column
from migrations_tools.text import storable

T = TypeVar("T")

CONTRACT, ORDER = "contract", "purchase_order"
DEFAULT_CURRENCY: Final = "SAR"

#: Characters that a text may have.
_LONGEST: Final = {Column.COMMENT: 10_000, Column.NUMBER: 200}
_LONGEST_OTHER: Final = 1_000
#: Years that a cell with a date may have: those of plausible serials.
_CELL_YEARS: Final = range(1990, 2100)
#: What is taken from the ends of a text: white space, and marks that nobody sees.
_EDGES: Final = (
    PADDING + "\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff"
)
#: From here on a number cell of Excel has lost digits.
_EXACT: Final = 1e15
_ORDER_MARK: Final = re.compile(r"\s*(?:l?p\.?\s*o\b|purchase|أمر|امر)", re.IGNORECASE)

#: How columns are called in sentences.
TITLES: Final = {
    Column.NUMBER: "Guarantee number",
    Column.SUPPLIER: "Supplier",
    Column.BANK: "Bank",
    Column.AMOUNT: "Amount",
    Column.CURRENCY: "Currency",
    Column.CONTRACT: "Contract",
    Column.ORDER: "Purchase order",
    Column.CONTRACT_OR_ORDER: "Contract or purchase order",
    Column.ISSUE_DATE: "Issue date",
    Column.EXPIRY_DATE: "Expiry date",
    Column.TYPE: "Type",
    Column.COMMENT: "Comment",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """Why an entry is rejected, or what is to be looked at. ``message`` is a sentence."""

    field: str
    code: str
    message: str

    def as_json(self) -> dict[str, str]:
        return {"field": self.field, "code": self.code, "message": self.message}


@dataclass(frozen=True, slots=True)
class Entry:
    """A guarantee to be; names as they were written, and whom they mean."""

    number: str
    raw_supplier_name: str
    raw_bank_name: str
    contract_number: str
    related_to: str
    amount: Decimal
    currency: str
    issue_date: date | None
    expiry_date: date | None
    type: str
    comment: str
    supplier: Match
    bank: Match

    @property
    def match_status(self) -> str:
        return match_status(self.supplier, self.bank)


@dataclass(slots=True)
class Judged:
    """An entry, or all the problems that it has; warnings reject nothing."""

    entry: Entry | None
    problems: list[Problem]
    warnings: list[Problem] = field(default_factory=list)


class Judge:
    """Judges cells against the dictionaries as they are now.

    ``day_first`` is how ``1/2/2025`` is meant; ``serial_offset`` is added to days that are mere
    numbers, as workbooks of old Macs need.
    """

    def __init__(
        self, dictionaries: Dictionaries, *, day_first: bool, serial_offset: int = 0
    ) -> None:
        self._dictionaries = dictionaries
        self._day_first = day_first
        self._serial_offset = serial_offset

    def judge(self, cells: Mapping[Column, object]) -> Judged:
        reader = _CellReader(cells)
        number = reader.text(Column.NUMBER, required=True)
        supplier = reader.text(Column.SUPPLIER, required=True)
        bank = reader.text(Column.BANK, required=True)
        amount = reader.read(Column.AMOUNT, read_amount, required=True)
        contract, related_to = _reference(reader)
        currency = reader.read(Column.CURRENCY, read_currency)
        if currency is None and amount is not None:
            currency = reader.read(Column.AMOUNT, currency_in)
        issue = reader.read(Column.ISSUE_DATE, self._day)
        expiry = reader.read(Column.EXPIRY_DATE, self._day)
        kind, comment = reader.text(Column.TYPE), reader.text(Column.COMMENT)
        if reader.problems or amount is None:
            return Judged(None, reader.problems)
        entry = Entry(
            number=number,
            raw_supplier_name=supplier,
            raw_bank_name=bank,
            contract_number=contract,
            related_to=related_to,
            amount=amount,
            currency=currency or DEFAULT_CURRENCY,
            issue_date=issue,
            expiry_date=expiry,
            type=kind,
            comment=comment,
            supplier=self._dictionaries.suppliers.match(supplier),
            bank=self._dictionaries.banks.match(bank),
        )
        return Judged(entry, [], [*reader.warnings, *_warnings(entry)])

    def _day(self, cell: object) -> date | None:
        if isinstance(cell, int | float) and not isinstance(cell, bool):
            cell = cell + self._serial_offset
        day = read_date(cell, day_first=self._day_first)
        # a mere year in a cell for dates is a day of 1905
        if isinstance(cell, date) and day is not None and day.year not in _CELL_YEARS:
            raise ValueNotUnderstood("implausible_year", day, _("lies too far away to be meant."))
        return day


class _CellReader:
    """Reads cells one by one and collects what is wrong with them."""

    def __init__(self, cells: Mapping[Column, object]) -> None:
        self._cells = cells
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []

    def refuse(self, column: Column, code: str, problem: str) -> None:
        self.problems.append(Problem(column.value, code, f"{_(TITLES[column])}: {problem}"))

    def read(
        self, column: Column, reader: Callable[[Any], T | None], *, required: bool = False
    ) -> T | None:
        """The value of a cell; None where it is blank or refused."""
        cell = self._cells.get(column)
        if isinstance(cell, Unreadable):
            self.refuse(column, cell.code, _("the cell %(message)s") % {"message": _(cell.message)})
            return None
        try:
            value = None if cell is None or is_blank(cell) else reader(cell)
        except ValueNotUnderstood as error:
            self.refuse(column, error.code, error.detail)
            return None
        if value is None and required:
            self.refuse(column, "missing", _("is missing."))
        return value

    def text(self, column: Column, *, required: bool = False) -> str:
        """The text of a cell, without white space around it; '' where it is blank or refused."""
        return self.read(column, lambda cell: _text(column, cell), required=required) or ""

    def has(self, column: Column) -> bool:
        return not is_blank(self._cells.get(column))


def _text(column: Column, cell: object) -> str | None:
    if isinstance(cell, bool | date | datetime | time | timedelta):
        raise ValueNotUnderstood(
            "not_text", cell, _("is no text; Excel has made something else of it.")
        )
    if isinstance(cell, float):
        if abs(cell) >= _EXACT:
            raise ValueNotUnderstood(
                "digits_lost",
                cell,
                _("has more digits than Excel keeps in a number; write it as text."),
            )
        cell = int(cell) if cell.is_integer() else cell
    text = str(cell).strip(_EDGES)
    if not storable(text):
        raise ValueNotUnderstood(
            "bad_characters", ascii(text), _("has characters that are no text.")
        )
    longest = _LONGEST.get(column, _LONGEST_OTHER)
    if len(text) > longest:
        raise ValueNotUnderstood(
            "too_long",
            text,
            _("has more than %(longest)s characters.") % {"longest": f"{longest:,}"},
        )
    return text or None


def _reference(reader: _CellReader) -> tuple[str, str]:
    """The number of the contract or the purchase order, and which of them it is."""
    contract, order = reader.text(Column.CONTRACT), reader.text(Column.ORDER)
    either = reader.text(Column.CONTRACT_OR_ORDER)
    if contract and order:
        message = _(
            "Purchase order: “%(order)s” is left out; the contract stands for the guarantee."
        ) % {"order": order}
        reader.warnings.append(Problem(Column.ORDER.value, "order_left_out", message))
    if contract:
        return contract, CONTRACT
    if order:
        return order, ORDER
    if either:
        return either, ORDER if _ORDER_MARK.match(either) else CONTRACT
    columns = (Column.CONTRACT, Column.ORDER, Column.CONTRACT_OR_ORDER)
    if not any(reader.has(column) for column in columns):
        reader.refuse(Column.CONTRACT_OR_ORDER, "missing", _("is missing."))
    return "", ""


def _warnings(entry: Entry) -> list[Problem]:
    issue, expiry = entry.issue_date, entry.expiry_date
    if issue is None or expiry is None or issue <= expiry:
        return []
    message = _("Expiry date: %(expiry)s is before the issue date, %(issue)s.") % {
        "expiry": expiry,
        "issue": issue,
    }
    return [Problem(Column.EXPIRY_DATE.value, "expires_before_issue", message)]
