"""Whether every foreign key of the written tables points to a row that is there.

The database sees to it as long as its constraints stand; one that was dropped, or gone round in
replication mode, leaves nothing but the rows to ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Model
from django.db.models.fields.related import ForeignKey
from django.utils.translation import gettext_noop

from migrations_tools.engine.sql import pk_column, quoted, table_of
from migrations_tools.verification.results import MOST_NAMED, Result, rows_of, timed


def reference_check(models: Iterable[type[Model]]) -> Result:
    """One scan of each table; rows are named by table, key and column."""
    result = Result(
        "dangling_reference", gettext_noop("Every reference points to a row that is there")
    )
    with timed(result):
        for model in models:
            _look_at(model, result)
    return result


def _look_at(model: type[Model], result: Result) -> None:
    references = [
        field
        for field in model._meta.concrete_fields
        if isinstance(field, ForeignKey) and field.db_constraint  # type: ignore[attr-defined]  # not in stubs
    ]
    if not references:
        return
    joins, dangling = [], []
    for place, field in enumerate(references):
        target = field.target_field
        joins.append(
            f"LEFT JOIN {table_of(target.model)} r{place} "
            f"ON r{place}.{quoted(str(target.column))} = t.{quoted(str(field.column))}"
        )
        dangling.append(_dangling(field, place))
    where = f"FROM {table_of(model)} t {' '.join(joins)}"
    names = "concat_ws(', ', " + ", ".join(
        f"CASE WHEN {wrong} THEN '{field.column}' END"
        for field, wrong in zip(references, dangling, strict=True)
    )
    (examined, failures) = rows_of(
        f"SELECT count(*), count(*) FILTER (WHERE {' OR '.join(dangling)}) {where}"
    )[0]
    result.examined += examined
    if not failures:
        return
    result.failures += failures
    for pk, columns in rows_of(
        f"SELECT t.{pk_column(model)}::text, {names}) {where} "
        f"WHERE {' OR '.join(dangling)} ORDER BY t.{pk_column(model)} LIMIT {MOST_NAMED}"
    ):
        result.name(
            f"{model._meta.label_lower} {pk}", f"Nothing is there that {columns} points to."
        )


def _dangling(field: ForeignKey[Any, Any], place: int) -> str:
    target = quoted(str(field.target_field.column))
    return f"(t.{quoted(str(field.column))} IS NOT NULL AND r{place}.{target} IS NULL)"
