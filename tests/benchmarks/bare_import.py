"""Parsing and COPY of a legacy file, as a script would: no identity, no hashes, no rejected lines.

Of a database it reads the two large tables only, nearly all of the rows.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

from django.db import connection, transaction

_TABLES = {
    "import_sessions": "guarantees_importsession",
    "imported_records": "guarantees_importedrecord",
}


def copy_file(path: Path) -> int:
    """COPY the rows of a SQLite file, or of JSON lines of ``imported_records``; how many."""
    with transaction.atomic(), connection.cursor() as cursor:
        if path.suffix == ".jsonl":
            with path.open(encoding="utf-8") as lines:
                documents = map(json.loads, lines)
                first = next(documents)
                columns = list(first)
                rows = (list(document.values()) for document in documents)
                return _copy(cursor, "imported_records", columns, _chained(first, rows))
        with closing(sqlite3.connect(path)) as database:
            read = 0
            for table in _TABLES:
                found = database.execute(f"SELECT * FROM {table}")
                columns = [column[0] for column in found.description]
                read += _copy(cursor, table, columns, found)
            return read


def _chained(first: dict[str, Any], rest: Iterable[list[Any]]) -> Iterator[list[Any]]:
    yield list(first.values())
    yield from rest


def _copy(cursor: Any, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Rows without a number get one that is free."""
    place = list(columns).index("id")
    free = count(1_000_000_000)
    read = 0
    with cursor.copy(f"COPY {_TABLES[table]} ({', '.join(columns)}) FROM STDIN") as copy:
        write = copy.write_row
        for row in rows:
            if row[place] is None:
                row = [*row[:place], next(free), *row[place + 1 :]]
            write(row)
            read += 1
    return read
