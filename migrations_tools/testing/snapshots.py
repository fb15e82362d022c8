"""What a migration's tables say, comparable between runs that gave rows other keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db import connection
from django.db.models import NOT_PROVIDED, DateTimeField, Field, ForeignKey, Model

from migrations_tools.definitions.base import DataMigration
from migrations_tools.engine.sql import column_list, table_of

#: Model label → its rows as text, each with the number of its occurrences.
Snapshot = dict[str, Counter[str]]


def take_snapshot(definition: type[DataMigration]) -> Snapshot:
    """The rows of every model that the migration writes.

    Left out are surrogate keys, links to rows of these models, and clocks: they differ from run to
    run. The checks of the migration look after the links.
    """
    models = definition.written_models()
    found: Snapshot = {}
    for model in models:
        columns = [str(item.column) for item in _comparable(model, set(models))]
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT ROW({column_list(columns)})::text FROM {table_of(model)}")
            found[model._meta.label_lower] = Counter(row[0] for row in cursor.fetchall())
    return found


def _comparable(model: type[Model], written: set[type[Model]]) -> Iterator[Field[object, object]]:
    for item in model._meta.concrete_fields:
        clock = isinstance(item, DateTimeField) and (item.auto_now or item.auto_now_add)
        by_database = item.db_default is not NOT_PROVIDED
        link = isinstance(item, ForeignKey) and item.related_model in written
        key = item.primary_key and item.get_internal_type().endswith("AutoField")
        if not (clock or by_database or link or key):
            yield item


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """Rows that are in one of the two only, in words."""
    found = []
    for label in sorted(before.keys() | after.keys()):
        then, now = before.get(label, Counter()), after.get(label, Counter())
        found += [f"{label}: {row} is missing" for row in sorted((then - now).elements())]
        found += [f"{label}: {row} is too many" for row in sorted((now - then).elements())]
    return found
