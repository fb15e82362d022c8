"""Rows that the application changed between ``load`` and the write: they are not overwritten.

Source rows are locked before they are read. Objects that ``load`` fetches are not, so their
columns are compared with what ``load`` saw, under lock, before they are set (SPEC §2.3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Field, Model

from migrations_tools.engine.sql import column_type, pk_column, quoted, table_of


class RowsChanged(Exception):
    """Rows that ``load`` fetched are not as it saw them. ``keys`` wanted to write them."""

    def __init__(self, model: type[Model], pks: Iterable[Any], keys: Iterable[str | None]) -> None:
        self.rows = ", ".join(f"{model._meta.label_lower} {pk}" for pk in pks)
        self.keys = set(keys)
        super().__init__(self.rows)


def changed_meanwhile(
    cursor: Any,
    model: type[Model],
    compared: Sequence[tuple[Field[Any, Any], str, str]],
    given: str,
) -> list[Any]:
    """Primary keys of rows that are neither as they were seen nor as they are to be.

    ``given`` has the columns pk and those that ``compared`` names for each field: the value to
    be and the value seen. The rows are locked from then on.
    """
    pk = pk_column(model)
    differs = " OR ".join(
        f"({now} IS DISTINCT FROM {_comparable(item, f'g.{seen}')} "
        f"AND {now} IS DISTINCT FROM {_comparable(item, f'g.{wanted}')})"
        for item, wanted, seen in compared
        for now in [_comparable(item, f"t.{quoted(str(item.column))}")]
    )
    cursor.execute(
        f"WITH held AS MATERIALIZED (SELECT t.{pk} AS pk, {differs} AS differs "
        f"FROM {table_of(model)} t JOIN {given} g ON g.pk = t.{pk} "
        f"ORDER BY t.{pk} FOR NO KEY UPDATE OF t) SELECT pk FROM held WHERE differs"
    )
    return [found for (found,) in cursor.fetchall()]


def _comparable(item: Field[Any, Any], value: str) -> str:
    """SQL of a value; Python tells JSON's null and none at all not apart."""
    return f"coalesce({value}, 'null')" if column_type(item) == "jsonb" else value
