"""Shared objects: found or made before the batch that refers to them, in a transaction apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
from migrations_tools.engine.transfer import transfer_keys
from migrations_tools.engine.write import Written, assign_keys, converters
from migrations_tools.exceptions import DefinitionFault
from migrations_tools.models import Batch


class SharedObjectGone(Exception):
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
    """Find or insert shared objects by natural key, in key order; whoever inserts journals them.

    Fills ``context.ensured``; a constant number of statements per model and natural key. The
    caller's transaction is short and apart from the data's.
    """
    groups: dict[tuple[type[Model], tuple[str, ...]], list[Ensure]] = {}
    for ensure in sorted(ensures, key=lambda item: (item.model._meta.label, repr(item.identity))):
        groups.setdefault((ensure.model, tuple(ensure.natural_key)), []).append(ensure)
    for (model, names), group in groups.items():
        _refuse_undeclared(context, batch, model, names)
        missing = _find(context, cursor, model, names, group)
        if missing:
            _insert(context, cursor, batch, model, missing, written)
            if _find(context, cursor, model, names, missing):
                raise SharedObjectGone(model.__name__)


def _refuse_undeclared(
    context: RunContext, batch: Batch, model: type[Model], names: tuple[str, ...]
) -> None:
    step = context.steps[batch.step]
    if set(names) not in [set(natural_key) for natural_key in step.shares.get(model, ())]:
        raise DefinitionFault(
            f"{type(step).__name__} ensures {model.__name__} by {', '.join(names)}, which its "
            "“shares” does not name."
        )


def _find(
    context: RunContext,
    cursor: Any,
    model: type[Model],
    names: Sequence[str],
    ensures: Sequence[Ensure],
) -> list[Ensure]:
    """Remember the keys of those that exist; the others."""
    by_name = {item.name: item for item in model._meta.concrete_fields}
    fields = [by_name[name] for name in names]
    columns = [quoted(str(item.column)) for item in fields]
    arrays = ", ".join(f"%s::{array_type(item)}" for item in fields)
    aliases = [f"n{place}" for place in range(len(names))]
    values = [[ensure.natural_key[name] for ensure in ensures] for name in names]
    matches = " AND ".join(
        # equality lets the unique index serve; a key with a null part needs the other
        f"t.{column} {'IS NOT DISTINCT FROM' if None in given else '='} w.{alias}"
        for column, alias, given in zip(columns, aliases, values, strict=True)
    )
    cursor.execute(
        f"SELECT w.place, t.{pk_column(model)} "
        f"FROM unnest({arrays}) WITH ORDINALITY AS w({', '.join(aliases)}, place) "
        f"JOIN {table_of(model)} t ON {matches}",
        values,
    )
    found = dict(cursor.fetchall())
    for place, ensure in enumerate(ensures, start=1):
        if place in found:
            context.ensured[ensure.identity] = found[place]
    return [ensure for place, ensure in enumerate(ensures, start=1) if place not in found]


def _insert(
    context: RunContext,
    cursor: Any,
    batch: Batch,
    model: type[Model],
    ensures: Sequence[Ensure],
    written: Written,
) -> None:
    """Insert them; one that somebody else made meanwhile is theirs."""
    objects = [build(model, **ensure.defaults, **ensure.natural_key) for ensure in ensures]
    assign_keys(cursor, model, objects)
    fields = written_fields(model)
    rows = [
        [
            prepare(item.pre_save(obj, add=True))
            for item, prepare in zip(fields, converters(fields), strict=True)
        ]
        for obj in objects
    ]
    one = f"({', '.join(['%s'] * len(fields))})"
    cursor.execute(
        f"INSERT INTO {table_of(model)} "
        f"({column_list(str(item.column) for item in fields)}) "
        f"VALUES {', '.join([one] * len(rows))} ON CONFLICT DO NOTHING "
        f"RETURNING {pk_column(model)}",
        [value for row in rows for value in row],
    )
    made = [pk for (pk,) in cursor.fetchall()]
    if not made:
        return
    run = context.run
    given = transfer_keys(cursor, model, made, [None] * len(made))
    write_history(cursor, model, given, INSERTED, f"run {run.pk}", run.actor_id)
    journal.record_inserts(cursor, batch, model, given, run.columns)
    written.add(model, "insert", len(made))
