"""The tables of the old system, with its names of columns."""

from __future__ import annotations

from typing import Final

TABLES: Final[dict[str, tuple[str, ...]]] = {
    "suppliers": (
        "id INTEGER PRIMARY KEY",
        "official_name TEXT",
        "display_name TEXT",
        "normalized_name TEXT",
        "is_confirmed INTEGER",
        "created_at TEXT",
    ),
    "supplier_alternative_names": (
        "id INTEGER PRIMARY KEY",
        "supplier_id INTEGER",
        "raw_name TEXT",
        "normalized_raw_name TEXT",
        "source TEXT",
        "occurrence_count INTEGER",
        "last_seen_at TEXT",
    ),
    "supplier_overrides": (
        "id INTEGER PRIMARY KEY",
        "supplier_id INTEGER",
        "override_name TEXT",
        "notes TEXT",
        "created_at TEXT",
    ),
    "banks": (
        "id INTEGER PRIMARY KEY",
        "official_name_ar TEXT",
        "official_name_en TEXT",
        "normalized_name TEXT",
        "short_code TEXT",
        "is_confirmed INTEGER",
        "created_at TEXT",
    ),
    "bank_aliases_learning": (
        "id INTEGER PRIMARY KEY",
        "input_name TEXT",
        "normalized_input TEXT",
        "bank_id INTEGER",
        "status TEXT",
        "usage_count INTEGER",
        "last_used_at TEXT",
    ),
    "import_sessions": (
        "id INTEGER PRIMARY KEY",
        "session_type TEXT",
        "record_count INTEGER",
        "created_at TEXT",
    ),
    # no primary key: the old system lost one in a rebuild of the table, and ids may be NULL
    "imported_records": (
        "id INTEGER",
        "session_id INTEGER",
        "raw_supplier_name TEXT",
        "raw_bank_name TEXT",
        "amount TEXT",
        "guarantee_number TEXT",
        "issue_date TEXT",
        "expiry_date TEXT",
        "normalized_supplier TEXT",
        "normalized_bank TEXT",
        "match_status TEXT",
        "supplier_id INTEGER",
        "bank_id INTEGER",
        "created_at TEXT",
        "decision_result TEXT",
        "contract_number TEXT",
        "type TEXT",
        "comment TEXT",
        "bank_display TEXT",
        "supplier_display_name TEXT",
        "related_to TEXT",
        "record_type TEXT",
    ),
}


def create_statement(table: str) -> str:
    return f"CREATE TABLE {table} ({', '.join(TABLES[table])})"


def insert_statement(table: str) -> str:
    return f"INSERT INTO {table} VALUES ({', '.join('?' * len(TABLES[table]))})"


def column_number(table: str, name: str) -> int:
    return [column.split()[0] for column in TABLES[table]].index(name)
