"""Helpers that import files and tell the counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from migrations_tools.imports.service import import_legacy
from migrations_tools.models import LegacyImport
from migrations_tools.services.actors import system_user
from migrations_tools.states import Surface

Tables = dict[str, tuple[str, Sequence[Sequence[Any]]]]


def import_file(kind: str, path: Path, table: str | None = None) -> LegacyImport:
    [legacy_import] = import_legacy(
        kind, [path], table=table, acting_user=system_user(), surface=Surface.COMMAND
    )
    done = legacy_import.imported + legacy_import.updated + legacy_import.unchanged
    assert legacy_import.read == done + legacy_import.rejected
    assert legacy_import.rejected == legacy_import.rejected_lines.count()
    return legacy_import


def counts(legacy_import: LegacyImport) -> tuple[int, int, int, int]:
    """Imported, updated, unchanged, rejected."""
    return (
        legacy_import.imported,
        legacy_import.updated,
        legacy_import.unchanged,
        legacy_import.rejected,
    )


def lines(path: Path, *rows: Any) -> Path:
    """JSON lines; text is written as it is."""
    path.write_text(
        "".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows)
    )
    return path


def database(path: Path, tables: Tables) -> Path:
    """A SQLite file: table → (columns, rows). An existing file is replaced."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as connection:
        for table, (columns, rows) in tables.items():
            connection.execute(f"CREATE TABLE {table} ({columns})")
            marks = ", ".join("?" * len(columns.split(",")))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.commit()
    return path
