"""Generates the database of the old guarantee system (guarantees.md "Legacy shape")."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any

from guarantees.legacy_generators.department import Department
from guarantees.legacy_generators.schema import TABLES, create_statement, insert_statement
from migrations_tools.generators import register_generator

_AT_ONCE = 500  # sessions, so about 10,000 records


@register_generator("guarantees")
def generate_guarantees(path: Path, *, rows: int, seed: int, defects: float) -> dict[str, int]:
    """A SQLite file with the seven tables of the old system, ``rows`` of them records."""
    department = Department(rows=rows, seed=seed, defects=defects)
    counts = dict.fromkeys(TABLES, 0)
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode = OFF")  # an unfinished file is thrown away
        database.execute("PRAGMA synchronous = OFF")

        def insert(table: str, rows_of_table: Iterable[tuple[Any, ...] | list[Any]]) -> None:
            cursor = database.executemany(insert_statement(table), rows_of_table)
            counts[table] += max(cursor.rowcount, 0)

        for table in TABLES:
            database.execute(create_statement(table))
        for table, rows_of_table in department.dictionaries():
            insert(table, rows_of_table)
        sessions = department.sessions()
        while some := list(islice(sessions, _AT_ONCE)):
            insert("import_sessions", [session for session, _ in some])
            insert("imported_records", (record for _, records in some for record in records))
        database.commit()
    return counts
