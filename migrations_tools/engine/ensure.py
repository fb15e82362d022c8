"""Shared objects: found or made before the batch that refers to them, in a transaction apart."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model

from migrations_tools.definitions.changes import Ensure, build
from migrations_tools.engine import journal
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.history import INSERTED, write_history
from migrations_tools.engine.sql import (
    array_type,
    column_list,
    pk_column,
    quoted,
    table_of,
    written_fields,
)
from migrations_tools.engine.write import Written, assign_keys, converters
from migrations_tools.models import Batch


class SharedObjectGone(Exception):  # noqa: N818 - an event, not a fault
    """A shared object was deleted between being made and being used; the batch tries again."""


def hold(context: RunContext, cursor: Any, ensures: Iterable[Ensure]) -> list[Ensure]:
    """Hold the known shared objects ``FOR KEY SHARE`` in the data transaction.

    Returns those that are not known yet, or not there any more.
    """
    wanted = {ensure.identity: ensure for ensure in ensures}
    by_model: dict[type[Model], dict[Any, Ensure]] = {}
    missing = []
    for identity, ensure in wanted.items():
        pk = context.ensured.get(identity)
        if pk is None:
            missing.append(ensure)
        else:
            by_model.setdefault(ensure.model, {})[pk] = ensure
    for model, known in by_model.items():
        pk = pk_column(model)
        cursor.execute(
            f"SELECT {pk} FROM {table_of(model)} "
            f"WHERE {pk} = ANY(%s::{array_type(model._meta.pk)}) ORDER BY {pk} FOR KEY SHARE",
            [list(known)],
        )
        found = {value for (value,) in cursor.fetchall()}
        missing += [ensure for value, ensure in known.items() if value not in found]
    return missing


def make(
    context: RunContext, cursor: Any, batch: Batch, ensures: Iterable[Ensure], written: Written
) -> None:
    """Find or insert shared objects by natural key, in key order; whoever inserts journals it.

    Fills ``context.ensured``. The caller's transaction is short and apart from the data's.
    """
    for ensure in sorted(ensures, key=lambda item: (item.model._meta.label, repr(item.identity))):
        pk = _find(cursor, ensure)
        if pk is None:
            pk = _insert(context, cursor, batch, ensure, written)
        if pk is None:  # somebody else inserted it meanwhile
            pk = _find(cursor, ensure)
        if pk is None:
            raise SharedObjectGone(ensure.model.__name__)
        context.ensured[ensure.identity] = pk


def _find(cursor: Any, ensure: Ensure) -> Any:
    columns = [
        str(ensure.model._meta.get_field(name).column)  # type: ignore[union-attr]
        for name in ensure.natural_key
    ]
    conditions = " AND ".join(f"{quoted(column)} IS NOT DISTINCT FROM %s" for column in columns)
    cursor.execute(
        f"SELECT {pk_column(ensure.model)} FROM {table_of(ensure.model)} WHERE {conditions}",
        list(ensure.natural_key.values()),
    )
    row = cursor.fetchone()
    return None if row is None else row[0]


def _insert(
    context: RunContext, cursor: Any, batch: Batch, ensure: Ensure, written: Written
) -> Any:
    model = ensure.model
    obj = build(model, **ensure.defaults, **ensure.natural_key)
    assign_keys(cursor, model, [obj])
    fields = written_fields(model)
    values = [
        prepare(item.pre_save(obj, add=True))
        for item, prepare in zip(fields, converters(fields), strict=True)
    ]
    cursor.execute(
        f"INSERT INTO {table_of(model)} "
        f"({column_list(str(item.column) for item in fields)}) "
        f"VALUES ({', '.join(['%s'] * len(values))}) ON CONFLICT DO NOTHING",
        values,
    )
    if cursor.rowcount == 0:
        return None
    run = context.run
    write_history(cursor, model, [obj.pk], INSERTED, f"run {run.pk}", run.actor_id)
    journal.record_inserts(cursor, batch, model, [obj.pk], [None], run.columns)
    written.add(model, "insert", 1)
    return obj.pk
