"""Writing the journal. Images are read from the tables themselves, after the write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model

from migrations_tools.engine.sql import (
    array_type,
    column_list,
    journal_digest,
    json_of,
    pk_column,
    quoted,
    row_image,
    table_of,
    written_fields,
)
from migrations_tools.models import Batch, RowChange
from migrations_tools.states import Operation

_COLUMNS = "run_id, batch_id, step, key, model, pk_text, operation, before, after, image, digest"


def _insert_entries(select: str) -> str:
    """INSERT of the entries that ``select`` yields as key, pk_text, before, after, image."""
    return (
        f"INSERT INTO {table_of(RowChange)} ({_COLUMNS}) "
        f"SELECT %(run)s, %(batch)s, e.step, e.key, e.model, e.pk_text, e.operation, "
        f"e.before, e.after, e.image, {journal_digest('e')} "
        f"FROM (SELECT %(step)s::smallint AS step, c.key, %(model)s::text AS model, c.pk_text, "
        f"%(operation)s::text AS operation, c.before, c.after, c.image FROM ({select}) c) e"
    )


def _arguments(batch: Batch, model: type[Model], operation: str) -> dict[str, Any]:
    return {
        "run": batch.run_id,
        "batch": batch.pk,
        "step": batch.step,
        "model": model._meta.label_lower,
        "operation": operation,
    }


def record_inserts(
    cursor: Any,
    batch: Batch,
    model: type[Model],
    given: str,
    columns: Mapping[str, Sequence[str]],
) -> int:
    """One entry for each new row that ``given`` (pk, key) names; the number of rows.

    It holds the digest of the row as the database stored it.
    """
    image = row_image(columns[model._meta.label_lower], "t")
    pk = pk_column(model)
    cursor.execute(
        _insert_entries(
            f"SELECT w.key, t.{pk}::text AS pk_text, NULL::jsonb AS before, "
            f"NULL::jsonb AS after, {image} AS image "
            f"FROM {given} w JOIN {table_of(model)} t ON t.{pk} = w.pk"
        ),
        _arguments(batch, model, Operation.INSERT),
    )
    return int(cursor.rowcount)


def update_and_record(
    cursor: Any,
    batch: Batch,
    model: type[Model],
    columns: Sequence[str],
    given: str,
    image_columns: Sequence[str] | None,
) -> int:
    """Set ``columns`` of many rows and journal them, in one statement; the number of rows.

    ``given`` has the columns pk, key, v0, v1, …: the rows, and their new values in the order of
    ``columns``. Rows are locked before their before-image is taken. ``image_columns`` are given
    for models that the run inserts too: their rows keep an image to be compared with.
    """
    pk = pk_column(model)
    assignments = ", ".join(f"{quoted(column)} = g.v{n}" for n, column in enumerate(columns))
    image = row_image(image_columns, "t") if image_columns else "NULL::bytea"
    cursor.execute(
        f"WITH held AS MATERIALIZED (SELECT t.{pk} AS pk, {json_of(columns, 't')} AS before "
        f"FROM {table_of(model)} t JOIN {given} g ON g.pk = t.{pk} "
        f"FOR NO KEY UPDATE OF t), "
        f"changed AS (UPDATE {table_of(model)} t SET {assignments} "
        f"FROM {given} g JOIN held ON held.pk = g.pk WHERE t.{pk} = g.pk "
        f"RETURNING g.key, t.{pk}::text AS pk_text, held.before, "
        f"{json_of(columns, 't')} AS after, {image} AS image) "
        + _insert_entries("SELECT * FROM changed"),
        _arguments(batch, model, Operation.UPDATE),
    )
    return int(cursor.rowcount)


def record_deletes(cursor: Any, batch: Batch, model: type[Model], given: str) -> int:
    """One entry with the whole row for each row about to be deleted; the number of rows."""
    pk = pk_column(model)
    cursor.execute(
        _insert_entries(
            f"SELECT w.key, t.{pk}::text AS pk_text, to_jsonb(t) AS before, "
            f"NULL::jsonb AS after, NULL::bytea AS image "
            f"FROM {given} w JOIN {table_of(model)} t ON t.{pk} = w.pk"
        ),
        _arguments(batch, model, Operation.DELETE),
    )
    return int(cursor.rowcount)


def record_uses(cursor: Any, batch: Batch, used: set[tuple[type[Model], Any]]) -> None:
    """One entry for each shared object that the batch refers to and did not make."""
    by_model: dict[type[Model], list[Any]] = {}
    for model, pk in used:
        by_model.setdefault(model, []).append(pk)
    for model, pks in by_model.items():
        cursor.execute(
            _insert_entries(
                "SELECT NULL::text AS key, pk::text AS pk_text, NULL::jsonb AS before, "
                "NULL::jsonb AS after, NULL::bytea AS image "
                f"FROM unnest(%(pks)s::{array_type(model._meta.pk)}) AS u(pk)"
            ),
            {**_arguments(batch, model, Operation.USE), "pks": sorted(pks)},
        )


def restore_and_record(
    cursor: Any, batch: Batch, model: type[Model], columns: Sequence[str], given: str
) -> int:
    """Set columns back to what ``given`` (pk, key, wanted) holds, and journal it."""
    pk = pk_column(model)
    assignments = ", ".join(f"{quoted(column)} = r.{quoted(column)}" for column in columns)
    cursor.execute(
        f"WITH held AS MATERIALIZED (SELECT t.{pk} AS pk, g.key, g.wanted, "
        f"{json_of(columns, 't')} AS before FROM {table_of(model)} t "
        f"JOIN {given} g ON t.{pk} = g.pk FOR NO KEY UPDATE OF t), "
        f"changed AS (UPDATE {table_of(model)} t SET {assignments} FROM held h "
        f"CROSS JOIN LATERAL jsonb_populate_record(NULL::{table_of(model)}, h.wanted) r "
        f"WHERE t.{pk} = h.pk RETURNING h.key, t.{pk}::text AS pk_text, h.before, "
        f"{json_of(columns, 't')} AS after, NULL::bytea AS image) "
        + _insert_entries("SELECT * FROM changed"),
        _arguments(batch, model, Operation.UPDATE),
    )
    return int(cursor.rowcount)


def put_back_and_record(
    cursor: Any,
    batch: Batch,
    model: type[Model],
    given: str,
    images: Mapping[str, Sequence[str]],
) -> int:
    """Insert deleted rows again from ``given`` (pk, key, wanted), and journal it."""
    columns = [str(item.column) for item in written_fields(model)]
    cursor.execute(
        f"INSERT INTO {table_of(model)} ({column_list(columns)}) "
        f"SELECT {column_list(columns, 'r')} FROM {given} g "
        f"CROSS JOIN LATERAL jsonb_populate_record(NULL::{table_of(model)}, g.wanted) r"
    )
    return record_inserts(cursor, batch, model, given, images)
