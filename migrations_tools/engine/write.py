"""Writing the changes of a batch: COPY for new rows, set-based updates and deletes.

Every write leaves its history rows and its journal entries in the same transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, Field, JSONField, Model
from django.db.models.expressions import DatabaseDefault
from django.db.models.fields import NOT_PROVIDED
from django.db.models.fields.related import ForeignKey

from migrations_tools.definitions.base import Step
from migrations_tools.definitions.changes import Change, Delete, Ensure, Insert, Update
from migrations_tools.engine import journal
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.history import CHANGED, DELETED, INSERTED, write_history
from migrations_tools.engine.meanwhile import RowsChanged, changed_meanwhile
from migrations_tools.engine.sql import (
    column_list,
    column_type,
    pk_column,
    table_of,
    written_fields,
)
from migrations_tools.engine.transfer import key_columns, transfer, transfer_keys
from migrations_tools.exceptions import DefinitionFault
from migrations_tools.models import Batch, Run

#: Internal types whose Python values the driver writes as they are.
_PLAIN_TYPES = frozenset(
    {
        "AutoField",
        "BigAutoField",
        "BigIntegerField",
        "BinaryField",
        "BooleanField",
        "CharField",
        "DateField",
        "DateTimeField",
        "DecimalField",
        "FloatField",
        "ForeignKey",
        "IntegerField",
        "OneToOneField",
        "PositiveBigIntegerField",
        "PositiveIntegerField",
        "PositiveSmallIntegerField",
        "SmallIntegerField",
        "TextField",
        "TimeField",
        "URLField",
        "UUIDField",
        "EmailField",
        "SlugField",
    }
)


class RowGone(Exception):
    """A row that was to be changed is not there any more."""


@dataclass
class Written:
    """How many rows of each model were inserted, updated and deleted."""

    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def add(self, model: type[Model], operation: str, number: int) -> None:
        zero = {"insert": 0, "update": 0, "delete": 0}
        self.counts.setdefault(model._meta.label_lower, zero)[operation] += number

    def merge(self, other: Written) -> None:
        for label, operations in other.counts.items():
            own = self.counts.setdefault(label, {"insert": 0, "update": 0, "delete": 0})
            for operation, number in operations.items():
                own[operation] += number


@dataclass
class _Updates:
    """Updates of the same columns of one model, no row twice.

    ``compared`` are places of ``fields`` whose former values, as they were read, are in ``seen``.
    """

    model: type[Model]
    fields: Sequence[Field[Any, Any]]
    compared: Sequence[int]
    pks: list[Any] = field(default_factory=list)
    keys: list[str | None] = field(default_factory=list)
    values: list[list[Any]] = field(default_factory=list)
    seen: list[list[Any]] = field(default_factory=list)

    def keys_of(self, pks: Collection[Any]) -> list[str | None]:
        """Source keys that want to change one of these rows."""
        wanted = {str(pk) for pk in pks}
        return [key for pk, key in zip(self.pks, self.keys, strict=True) if str(pk) in wanted]


class BatchWriter:
    """Writes the changes of many keys of one batch."""

    def __init__(self, context: RunContext, cursor: Any, batch: Batch, step: Step) -> None:
        self.context = context
        self.cursor = cursor
        self.batch = batch
        self.step = step
        self.written = Written()

    def write(self, decided: Iterable[tuple[str | None, Sequence[Change]]]) -> Written:
        """Make all changes; ``decided`` pairs each source key with its changes."""
        inserts: dict[type[Model], tuple[list[Model], list[str | None]]] = {}
        updates: dict[Any, _Updates] = {}
        deletes: dict[type[Model], tuple[list[Any], list[str | None]]] = {}
        rounds: dict[tuple[type[Model], Any], tuple[tuple[str, ...], ...]] = {}
        used: set[tuple[type[Model], Any]] = set()
        for key, changes in decided:
            for change in changes:
                if type(change) is Insert:
                    model = type(change.obj)
                    objects, keys = inserts.setdefault(model, ([], []))
                    objects.append(change.obj)
                    keys.append(key)
                elif type(change) is Update:
                    self._collect_update(change, key, updates, rounds)
                elif type(change) is Delete:
                    pks, keys = deletes.setdefault(change.model, ([], []))
                    pks.append(change.pk)
                    keys.append(key)
                elif type(change) is Ensure:
                    used.add((change.model, self.context.ensured[change.identity]))
        self._check_declared({*inserts, *deletes, *(group.model for group in updates.values())})
        for model, (objects, _) in inserts.items():
            assign_keys(self.cursor, model, objects)  # updates may refer to new objects
        # what goes away or changes makes room, in unique columns, for what is new
        for model in reversed(in_dependency_order(deletes)):
            self._delete(model, *deletes[model])
        for _, group in sorted(updates.items(), key=lambda item: item[0][0]):
            self._update(group, updates.values())
        for model in in_dependency_order(inserts):
            self._insert(model, *inserts[model])
        journal.record_uses(self.cursor, self.batch, used)
        return self.written

    def _check_declared(self, models: set[type[Model]]) -> None:
        undeclared = models - set(self.step.writes)
        if undeclared:
            names = ", ".join(sorted(model.__name__ for model in undeclared))
            raise DefinitionFault(
                f"{type(self.step).__name__} writes {names}, which its “writes” does not name."
            )

    def _collect_update(
        self,
        change: Update,
        key: str | None,
        updates: dict[Any, _Updates],
        rounds: dict[tuple[type[Model], Any], tuple[tuple[str, ...], ...]],
    ) -> None:
        """Rows changed more than once in a batch are changed in that order, round by round.

        What an earlier round wrote is no longer as it was read, and is not compared.
        """
        row = (change.model._meta.concrete_model or change.model, change.pk)
        names = tuple(change.values)
        earlier = rounds.get(row, ())
        rounds[row] = (*earlier, names)
        compared = tuple(
            place
            for place, name in enumerate(names)
            if name in change.seen and not any(name in written for written in earlier)
        )
        place = (len(earlier), change.model, names, compared)
        group = updates.get(place)
        if group is None:
            fields = [change.model._meta.get_field(name) for name in names]
            group = updates[place] = _Updates(change.model, fields, compared)  # type: ignore[arg-type]
        group.pks.append(change.pk)
        group.keys.append(key)
        group.values.append(list(change.values.values()))
        if compared:
            group.seen.append([change.seen[names[place]] for place in compared])

    def resolve(self, value: Any) -> Any:
        """The column value of a reference: a new object, an ``Ensure``, or the value itself."""
        if type(value) is Ensure:
            return self.context.ensured[value.identity]
        if isinstance(value, Model):
            return value.__dict__[value._meta.pk.attname]
        return value

    def _insert(self, model: type[Model], objects: list[Model], keys: list[str | None]) -> None:
        copy_rows(self.cursor, model, objects, self.resolve, self.context.now)
        given = transfer_keys(self.cursor, model, [obj.pk for obj in objects], keys)
        run = self.context.run
        write_history(self.cursor, model, given, INSERTED, f"run {run.pk}", run.actor_id)
        journal.record_inserts(self.cursor, self.batch, model, given, run.columns)
        self.written.add(model, "insert", len(objects))

    def _update(self, group: _Updates, groups: Iterable[_Updates]) -> None:
        columns = [str(item.column) for item in group.fields]
        types = [(f"v{place}", column_type(item)) for place, item in enumerate(group.fields)]
        prepare, resolve = converters(group.fields), self.resolve
        rows: Iterable[Sequence[Any]] = (
            (pk, key, *(ready(resolve(value)) for ready, value in zip(prepare, row, strict=True)))
            for pk, key, row in zip(group.pks, group.keys, group.values, strict=True)
        )
        if group.compared:
            types += [(f"s{place}", column_type(group.fields[place])) for place in group.compared]
            rows = (
                (
                    *row,
                    *(
                        prepare[place](value)
                        for place, value in zip(group.compared, seen, strict=True)
                    ),
                )
                for row, seen in zip(rows, group.seen, strict=True)
            )
        given = transfer(self.cursor, [*key_columns(group.model), *types], rows)
        if group.compared:
            self._refuse_changed(group, groups, given)
        changed = journal.update_and_record(
            self.cursor,
            self.batch,
            group.model,
            columns,
            given,
            self.context.image_columns(group.model),
        )
        if changed != len(group.pks):
            raise RowGone(group.model._meta.label_lower)
        run = self.context.run
        write_history(self.cursor, group.model, given, CHANGED, f"run {run.pk}", run.actor_id)
        self.written.add(group.model, "update", changed)

    def _refuse_changed(self, group: _Updates, groups: Iterable[_Updates], given: str) -> None:
        """Raises RowsChanged with every key that wants to change a row which is another now."""
        compared = [(group.fields[place], f"v{place}", f"s{place}") for place in group.compared]
        changed = changed_meanwhile(self.cursor, group.model, compared, given)
        if changed:
            alike = [
                other
                for other in groups
                if other.model._meta.concrete_model is group.model._meta.concrete_model
            ]
            keys = [key for other in alike for key in other.keys_of(changed)]
            raise RowsChanged(group.model, changed, keys)

    def _delete(self, model: type[Model], pks: list[Any], keys: list[str | None]) -> None:
        given = transfer_keys(self.cursor, model, pks, keys)
        run = self.context.run
        if delete_and_record(self.cursor, run, self.batch, model, given) != len(pks):
            raise RowGone(model._meta.label_lower)
        self.written.add(model, "delete", len(pks))


def delete_and_record(cursor: Any, run: Run, batch: Batch, model: type[Model], given: str) -> int:
    """Delete the rows that ``given`` (pk, key) names; the journal comes first, triggers ask it."""
    recorded = journal.record_deletes(cursor, batch, model, given)
    write_history(cursor, model, given, DELETED, f"run {run.pk}", run.actor_id)
    cursor.execute(
        f"DELETE FROM {table_of(model)} WHERE {pk_column(model)} IN (SELECT pk FROM {given})"
    )
    return min(recorded, int(cursor.rowcount))


def assign_keys(cursor: Any, model: type[Model], objects: Sequence[Model]) -> None:
    """Give new objects their primary keys, in one query, so that others can refer to them."""
    missing = [obj for obj in objects if obj.pk is None]
    if not missing:
        return
    column = model._meta.pk.column
    cursor.execute(
        "SELECT nextval(found.sequence) FROM (SELECT "
        "pg_get_serial_sequence(%s, %s)::regclass AS sequence OFFSET 0) found, "
        "generate_series(1, %s)",
        [table_of(model), column, len(missing)],
    )
    attname = model._meta.pk.attname
    for obj, (value,) in zip(missing, cursor.fetchall(), strict=True):
        obj.__dict__[attname] = value


def copy_rows(
    cursor: Any,
    model: type[Model],
    objects: Sequence[Model],
    resolve: Callable[[Any], Any],
    now: Any,
) -> None:
    """COPY the objects into their table. Columns left to the database keep its default."""
    for left_out, alike in _by_defaults(model, objects).items():
        fields = [item for item in written_fields(model) if item.attname not in left_out]
        _copy_alike(cursor, model, fields, alike, resolve, now)


def _by_defaults(
    model: type[Model], objects: Sequence[Model]
) -> dict[frozenset[str], Sequence[Model]]:
    """Objects by the attributes that they leave to the database."""
    names = [item.attname for item in written_fields(model) if item.db_default is not NOT_PROVIDED]
    if not names:
        return {frozenset(): objects}
    groups: dict[frozenset[str], list[Model]] = {}
    for obj in objects:
        left_out = {name for name in names if isinstance(obj.__dict__.get(name), DatabaseDefault)}
        groups.setdefault(frozenset(left_out), []).append(obj)
    return dict(groups)


def _copy_alike(
    cursor: Any,
    model: type[Model],
    fields: Sequence[Field[Any, Any]],
    objects: Sequence[Model],
    resolve: Callable[[Any], Any],
    now: Any,
) -> None:
    references = [
        (place, item) for place, item in enumerate(fields) if isinstance(item, ForeignKey)
    ]
    clocks = [
        place
        for place, item in enumerate(fields)
        if isinstance(item, DateTimeField) and (item.auto_now or item.auto_now_add)
    ]
    prepared = [
        (place, prepare)
        for place, prepare in enumerate(converters(fields))
        if prepare is not _as_is
    ]
    values_of = itemgetter(*(item.attname for item in fields))
    columns = column_list(str(item.column) for item in fields)
    with cursor.copy(f"COPY {table_of(model)} ({columns}) FROM STDIN") as copy:
        write_row = copy.write_row
        for obj in objects:
            row = list(values_of(obj.__dict__))
            for place, item in references:
                value = row[place]
                if value is None:
                    if item.is_cached(obj):
                        row[place] = resolve(item.get_cached_value(obj))
                elif type(value) is not int:
                    row[place] = resolve(value)
            for place in clocks:
                row[place] = row[place] or now
            for place, prepare in prepared:
                row[place] = prepare(row[place])
            write_row(row)


def _as_is(value: Any) -> Any:
    return value


def converters(fields: Sequence[Field[Any, Any]]) -> list[Callable[[Any], Any]]:
    """For each field, what makes a driver value of a Python value."""
    return [_converter(item) for item in fields]


def _converter(item: Field[Any, Any]) -> Callable[[Any], Any]:
    if isinstance(item, JSONField) or item.get_internal_type() not in _PLAIN_TYPES:
        return lambda value: item.get_db_prep_save(value, connection)
    return _as_is


def in_dependency_order(models: Iterable[type[Model]]) -> list[type[Model]]:
    """Models so that each comes after those its foreign keys point to."""
    waiting = list(dict.fromkeys(models))
    ordered: list[type[Model]] = []
    while waiting:
        ready = [
            model
            for model in waiting
            if not any(
                isinstance(item, ForeignKey)
                and item.related_model in waiting
                and item.related_model is not model
                for item in model._meta.concrete_fields
            )
        ]
        ordered += ready or waiting
        waiting = [model for model in waiting if model not in ordered]
    return ordered
