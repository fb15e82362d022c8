"""The faults of the old system's rows, one for every rule that the migration has for them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, Final

from guarantees.legacy_generators.schema import column_number

Row = list[Any]
Defect = Callable[[Row, Random], None]

_DANGLING = 9_999_999


def _one_of(column: str, *values: Any, table: str = "imported_records") -> Defect:
    """A defect that puts one of ``values`` into a column."""
    number = column_number(table, column)

    def spoil(row: Row, rng: Random) -> None:
        row[number] = values[int(rng.random() * len(values))]

    return spoil


def _pad_number(row: Row, rng: Random) -> None:
    number = column_number("imported_records", "guarantee_number")
    row[number] = f" {row[number]}\xa0"


RECORD_DEFECTS: Final[tuple[Defect, ...]] = (
    _one_of("id", None),
    _one_of("guarantee_number", None, "", "   "),  # N13
    _pad_number,
    _one_of("supplier_id", _DANGLING),  # N14
    _one_of("bank_id", _DANGLING),
    _one_of("match_status", None, "", "waiting"),  # N15
    _one_of("raw_supplier_name", None),  # N16
    _one_of("raw_bank_name", None),
    _one_of(
        "expiry_date", "2025-02-30", "now", "1446-05-10", "12345", "غير محدد", "31/12/25"
    ),  # N17
    _one_of("issue_date", "0000-00-00", "garbage", None, ""),
    _one_of("expiry_date", "31-Dec-2025", "31/12/2025", "٣١/١٢/٢٠٢٥", "46022", "31 ديسمبر 2025"),
    _one_of("amount", "N/A", "12-34", "1e3", "1,2,3", "100 + 200", "1234.567", None, ""),
    _one_of("amount", "0", "0.00", "-500.00"),
    _one_of("amount", "١٬٢٣٤٬٥٦٧٫٨٩", "SAR 1,234.56", "1.234.567,89", "1 234 567", "ريال 12,5"),
    _one_of("created_at", None, "", "0000-00-00 00:00:00"),
    _one_of("created_at", "2024-03-10T21:30:00Z", "2024-03-10", "2024-03-10 23:59:59.123456+03:00"),
    _one_of("session_id", None, _DANGLING),  # N5
    _one_of("record_type", "modification", "renewal_request", "reminder"),  # N3
    _one_of("record_type", None, ""),  # N1
    _one_of("record_type", "import"),  # N4 in a session of actions
    _one_of("comment", 'line one\nline two\t"quoted", ‘typed’ 🏦', "=1+1", "\u200f" * 3),
)

SESSION_DEFECTS: Final[tuple[Defect, ...]] = (
    _one_of("session_type", None, "", "upload", table="import_sessions"),
    _one_of("session_type", "Manual Entry", "text_import", "PASTE", table="import_sessions"),  # N6
    _one_of("record_count", None, 0, table="import_sessions"),
    _one_of("created_at", None, table="import_sessions"),
)


def spoil(row: Row, defects: tuple[Defect, ...], rng: Random) -> None:
    """Give the row one of the defects."""
    defects[int(rng.random() * len(defects))](row, rng)
