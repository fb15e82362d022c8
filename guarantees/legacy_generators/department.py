"""A guarantee department of some years, session after session."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from guarantees.legacy_generators.defects import RECORD_DEFECTS, SESSION_DEFECTS, Row, spoil
from guarantees.legacy_generators.vocabulary import (
    BANKS,
    COMMENTS,
    FIRST_WORDS,
    FORMS,
    GUARANTEE_TYPES,
    TRADES,
)

_FIRST_DAY: Final = datetime(2022, 1, 2, 5)  # noqa: DTZ001 - text of the old system is UTC
_SPAN: Final = timedelta(days=1400)
_ROWS_PER_SESSION: Final = 20
_REMEMBERED: Final = 5000  # guarantees that actions and repeats may refer to

_EXTENSION, _RELEASE = "extension_action", "release_action"

#: session type, its share of the sessions, most records in one, record types of its records
_SESSIONS: Final = (
    ("excel", 0.45, 79, ("import",)),
    ("manual", 0.25, 2, ("import",)),
    ("smart_paste", 0.15, 3, ("import",)),
    ("daily_actions", 0.07, 25, (_EXTENSION, _EXTENSION, _RELEASE)),
    (_EXTENSION, 0.05, 10, (_EXTENSION,)),
    (_RELEASE, 0.03, 5, (_RELEASE,)),
)
_TYPES: Final = [session[0] for session in _SESSIONS]
_SHARES: Final = [session[1] for session in _SESSIONS]


class _Supplier(NamedTuple):
    id: int
    english: str
    arabic: str


class _Guarantee(NamedTuple):
    """What an action repeats of the guarantee it is about."""

    number: str
    supplier: _Supplier
    bank_id: int
    raw_supplier_name: str
    raw_bank_name: str
    amount: str
    issued: date
    expiry: date
    contract_number: str
    related_to: str


class Department:
    """``rows`` records in about ``rows / 20`` sessions; the same seed gives the same rows."""

    def __init__(self, *, rows: int, seed: int, defects: float) -> None:
        self._rows = rows
        self._defects = defects
        self._rng = Random(seed)  # noqa: S311 - repeatable, not secret
        self._suppliers = [
            self._supplier(number) for number in range(1, max(10, min(2000, rows // 50)) + 1)
        ]
        self._remembered: list[_Guarantee] = []

    def dictionaries(self) -> Iterator[tuple[str, Iterable[tuple[Any, ...]]]]:
        """Tables of suppliers and banks, and their rows."""
        made = str(_FIRST_DAY)
        yield (
            "suppliers",
            ((s.id, s.english, s.arabic, s.english.lower(), 1, made) for s in self._suppliers),
        )
        yield (
            "supplier_alternative_names",
            (
                (2 * s.id - first, s.id, name, name.lower(), "learning", 1 + s.id % 7, made)
                for s in self._suppliers
                for first, name in ((1, s.arabic), (0, s.english.upper()))
            ),
        )
        yield (
            "supplier_overrides",
            (
                (number, s.id, f"{s.english} KSA", "agreed by telephone", made)
                for number, s in enumerate(self._suppliers[::20], 1)
            ),
        )
        yield (
            "banks",
            (
                (number, bank.arabic, bank.english, bank.english.lower(), bank.code, 1, made)
                for number, bank in enumerate(BANKS, 1)
            ),
        )
        yield (
            "bank_aliases_learning",
            (
                (number, bank.alias, bank.alias.lower(), number, "confirmed", 3, made)
                for number, bank in enumerate(BANKS, 1)
            ),
        )

    def sessions(self) -> Iterator[tuple[Row, list[Row]]]:
        """Sessions in the order of time, each with its records."""
        rng, step = self._rng, _SPAN * _ROWS_PER_SESSION / max(self._rows, _ROWS_PER_SESSION)
        left, record_id, number, now = self._rows, 0, 0, _FIRST_DAY
        while left:
            number += 1
            now += step * (0.5 + rng.random())
            session_type, _, most, record_types = _SESSIONS[
                _TYPES.index(rng.choices(_TYPES, _SHARES)[0]) if self._remembered else 0
            ]
            size = min(left, 1 + int(rng.random() * most))
            left -= size
            records = []
            created = now
            for _ in range(size):
                record_id += 1
                created += timedelta(seconds=int(rng.random() * 30))
                record_type = record_types[int(rng.random() * len(record_types))]
                records.append(self._record(record_id, number, str(created)[:19], record_type))
            session: Row = [number, session_type, size, str(now)[:19]]
            if rng.random() < self._defects:
                spoil(session, SESSION_DEFECTS, rng)
            yield session, records

    def _record(self, record_id: int, session_id: int, created_at: str, record_type: str) -> Row:
        rng = self._rng
        if record_type == "import":
            guarantee, expiry = self._new_guarantee(record_id), None
        else:
            guarantee, expiry = self._remembered[int(rng.random() * len(self._remembered))], None
            if record_type == _EXTENSION:
                expiry = guarantee.expiry + timedelta(days=365)
        certain = rng.random() < 0.8
        bank = BANKS[guarantee.bank_id - 1]
        row: Row = [
            record_id,
            session_id,
            guarantee.raw_supplier_name,
            guarantee.raw_bank_name,
            guarantee.amount,
            guarantee.number,
            guarantee.issued.isoformat(),
            self._date(expiry or guarantee.expiry),
            guarantee.raw_supplier_name.lower(),
            guarantee.raw_bank_name.lower(),
            ("approved" if rng.random() < 0.1 else "ready") if certain else "needs_review",
            guarantee.supplier.id if certain else None,
            guarantee.bank_id if certain else None,
            created_at,
            None if record_type == "import" else "issued",
            guarantee.contract_number,
            GUARANTEE_TYPES[int(rng.random() * len(GUARANTEE_TYPES))],
            COMMENTS[int(rng.random() * len(COMMENTS))],
            bank.arabic,
            guarantee.supplier.arabic,
            guarantee.related_to,
            record_type,
        ]
        if rng.random() < self._defects:
            spoil(row, RECORD_DEFECTS, rng)
        return row

    def _new_guarantee(self, record_id: int) -> _Guarantee:
        """A guarantee as a bank letter has it; now and then one that came in before."""
        rng, remembered = self._rng, self._remembered
        if remembered and rng.random() < 0.03:
            return remembered[int(rng.random() * len(remembered))]
        supplier = self._suppliers[int(rng.random() * len(self._suppliers))]
        bank_id = 1 + int(rng.random() * len(BANKS))
        bank = BANKS[bank_id - 1]
        issued = _FIRST_DAY.date() + timedelta(days=int(rng.random() * _SPAN.days))
        guarantee = _Guarantee(
            number=f"{bank.code}{issued:%y}{record_id:08d}",
            supplier=supplier,
            bank_id=bank_id,
            raw_supplier_name=supplier.arabic if rng.random() < 0.3 else supplier.english.upper(),
            raw_bank_name=bank[1 + int(rng.random() * 3)],
            amount=self._amount(),
            issued=issued,
            expiry=issued + timedelta(days=365 * (1 + int(rng.random() * 3))),
            contract_number=f"C/{issued.year}/{1 + record_id % 900:04d}",
            related_to="purchase_order" if rng.random() < 0.25 else "contract",
        )
        if len(remembered) < _REMEMBERED:
            remembered.append(guarantee)
        else:
            remembered[record_id % _REMEMBERED] = guarantee
        return guarantee

    def _amount(self) -> str:
        amount = 10 ** (3.5 + 3.7 * self._rng.random())
        style = self._rng.random()
        if style < 0.85:
            return f"{amount:.2f}"
        return f"{amount:,.2f}" if style < 0.95 else f"{amount:.2f}0"

    def _date(self, day: date) -> str:
        return day.isoformat() if self._rng.random() < 0.95 else f"{day:%d-%m-%Y}"

    def _supplier(self, number: int) -> _Supplier:
        first = FIRST_WORDS[int(self._rng.random() * len(FIRST_WORDS))]
        trade = TRADES[int(self._rng.random() * len(TRADES))]
        form = FORMS[int(self._rng.random() * len(FORMS))]
        branch = f" {number}" if number > 20 else ""
        return _Supplier(
            number,
            f"{first[0]} {trade[0]} {form[0]}{branch}",
            f"{form[1]} {first[1]} {trade[1]}{branch}",
        )
