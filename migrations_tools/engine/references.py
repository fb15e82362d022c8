"""Who refers to whom, read from the database's own constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import CASCADE, ForeignKey, Model

from migrations_tools.engine.sql import array_type, pk_column, quoted, table_of
from migrations_tools.engine.transfer import transfer_keys
from migrations_tools.engine.write import delete_and_record
from migrations_tools.models import Batch, Run


@dataclass(frozen=True)
class Reference:
    """A foreign key column of ``table`` that points to a row."""

    table: str
    column: str
    pk: str
    label: str  # of the Django model, or the table's name where there is none

    @property
    def cascades(self) -> bool:
        """Whether Django would delete the referring row along."""
        for model in apps.get_models():
            if model._meta.db_table == self.table:
                fields = [
                    item for item in model._meta.concrete_fields if item.column == self.column
                ]
                return any(
                    isinstance(item, ForeignKey) and item.remote_field.on_delete is CASCADE
                    for item in fields
                )
        return False


def references_to(cursor: Any, model: type[Model]) -> list[Reference]:
    """Foreign keys of one column that point to the model's table."""
    cursor.execute(
        "SELECT c.relname, a.attname, p.attname FROM pg_constraint k "
        "JOIN pg_class c ON c.oid = k.conrelid "
        "JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1] "
        "JOIN pg_index i ON i.indrelid = k.conrelid AND i.indisprimary "
        "JOIN pg_attribute p ON p.attrelid = k.conrelid AND p.attnum = i.indkey[0] "
        "WHERE k.contype = 'f' AND k.confrelid = %s::regclass "
        "AND array_length(k.conkey, 1) = 1 AND array_length(i.indkey::int2[], 1) = 1 "
        "ORDER BY 1, 2",
        [table_of(model)],
    )
    labels = {found._meta.db_table: found._meta.label_lower for found in apps.get_models()}
    return [
        Reference(table, column, pk, labels.get(table, table))
        for table, column, pk in cursor.fetchall()
    ]


def delete_unreferenced(
    cursor: Any, run: Run, batch: Batch, model: type[Model], pks: list[Any]
) -> int:
    """Delete those shared objects that a run made and that nothing refers to; how many.

    They are locked first; references are looked for in a new statement, so that whoever
    referred to one in between is seen.
    """
    pk, array = pk_column(model), array_type(model._meta.pk)
    cursor.execute(
        f"SELECT t.{pk} FROM {table_of(model)} t WHERE t.{pk} = ANY(%s::{array}) "
        "AND EXISTS (SELECT 1 FROM migrations_tools_rowchange c WHERE c.model = %s "
        f"AND c.pk_text = t.{pk}::text AND c.operation = 'insert' AND c.key IS NULL) "
        f"ORDER BY t.{pk} FOR UPDATE OF t",
        [pks, model._meta.label_lower],
    )
    held = [value for (value,) in cursor.fetchall()]
    if not held:
        return 0
    unreferenced = " ".join(
        f"AND NOT EXISTS (SELECT 1 FROM {quoted(found.table)} r "
        f"WHERE r.{quoted(found.column)} = t.{pk})"
        for found in references_to(cursor, model)
    )
    cursor.execute(
        f"SELECT t.{pk} FROM {table_of(model)} t WHERE t.{pk} = ANY(%s::{array}) {unreferenced}",
        [held],
    )
    free = [value for (value,) in cursor.fetchall()]
    if free:
        delete_and_record(
            cursor, run, batch, model, transfer_keys(cursor, model, free, [None] * len(free))
        )
    return len(free)
