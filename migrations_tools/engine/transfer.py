"""Values on their way into a statement: COPY into a temporary table of the session.

Several times faster than array parameters, which the driver writes in Python. The tables stay
for the session, so that no batch adds to the catalogue, and are emptied at commit.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Model

from migrations_tools.engine.sql import column_type, quoted


def transfer(cursor: Any, columns: Sequence[tuple[str, str]], rows: Iterable[Sequence[Any]]) -> str:
    """COPY ``rows`` and return the name of the table. ``columns`` are names with SQL types.

    The next transfer of the same columns in this session overwrites the table.
    """
    name = empty_table(cursor, columns)
    with cursor.copy(f"COPY {name} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    return name


def transfer_keys(
    cursor: Any, model: type[Model], pks: Sequence[Any], keys: Sequence[str | None]
) -> str:
    """A table (pk, key): rows of ``model`` with the source key that they belong to."""
    return transfer(cursor, key_columns(model), zip(pks, keys, strict=True))


def key_columns(model: type[Model]) -> list[tuple[str, str]]:
    """The columns of a table (pk, key) for ``model``."""
    return [("pk", column_type(model._meta.pk)), ("key", 'text COLLATE "C"')]


def empty_table(cursor: Any, columns: Sequence[tuple[str, str]]) -> str:
    """The session's table with these columns, empty."""
    listed = ", ".join(f"{quoted(name)} {kind}" for name, kind in columns)
    name = quoted("carryover_" + hashlib.sha256(listed.encode()).hexdigest()[:16])
    cursor.execute(f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({listed}) ON COMMIT DELETE ROWS")
    cursor.execute(f"TRUNCATE {name}")
    return name
