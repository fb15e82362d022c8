"""Writing the journal. Images are read from the tables themselves, after the write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model

from migrations_tools.engine.sql import (
    array_type,
    journal_digest,
    json_of,
    pk_column,
    quoted,
    row_image,
    table_of,
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
    pks: Sequence[Any],
    keys: Sequence[str | None],
    columns: Mapping[str, Sequence[str]],
) -> None:
    """One entry for each new row, with the digest of the row as the database stored it."""
    image = row_image(columns[model._meta.label_lower], "t")
    pk = pk_column(model)
    cursor.execute(
        _insert_entries(
            f"SELECT w.key, t.{pk}::text AS pk_text, NULL::jsonb AS before, "
            f"NULL::jsonb AS after, {image} AS image "
            f"FROM unnest(%(pks)s::{array_type(model._meta.pk)}, %(keys)s::text[]) "
            f"AS w(pk, key) JOIN {table_of(model)} t ON t.{pk} = w.pk"
        ),
        {
            **_arguments(batch, model, Operation.INSERT),
            "pks": list(pks),
            "keys": list(keys),
        },
    )


def update_and_record(
    cursor: Any,
    batch: Batch,
    model: type[Model],
    columns: Sequence[str],
    types: Sequence[str],
    cells: Sequence[Sequence[Any]],
    image_columns: Sequence[str] | None,
) -> int:
    """Set ``columns`` of many rows and journal them, in one statement; the number of rows.

    ``cells`` are columns of equal length: primary keys, source keys, then the new values.
    Rows are locked before their before-image is taken. ``image_columns`` are given for models
    that the run inserts too: their rows keep an image to be compared with.
    """
    pk = pk_column(model)
    names = [f"v{place}" for place in range(len(columns))]
    unnested = ", ".join(f"%({name})s::{kind}" for name, kind in zip(names, types, strict=True))
    assignments = ", ".join(
        f"{quoted(column)} = g.{name}" for column, name in zip(columns, names, strict=True)
    )
    image = row_image(image_columns, "t") if image_columns else "NULL::bytea"
    statement = (
        f"WITH given AS (SELECT * FROM unnest(%(pks)s::{array_type(model._meta.pk)}, "
        f"%(keys)s::text[], {unnested}) AS u(pk, key, {', '.join(names)})), "
        f"held AS MATERIALIZED (SELECT t.{pk} AS pk, {json_of(columns, 't')} AS before "
        f"FROM {table_of(model)} t JOIN given ON given.pk = t.{pk} "
        f"FOR NO KEY UPDATE OF t), "
        f"changed AS (UPDATE {table_of(model)} t SET {assignments} "
        f"FROM given g JOIN held ON held.pk = g.pk WHERE t.{pk} = g.pk "
        f"RETURNING g.key, t.{pk}::text AS pk_text, held.before, "
        f"{json_of(columns, 't')} AS after, {image} AS image) "
        + _insert_entries("SELECT * FROM changed")
    )
    cursor.execute(
        statement,
        {
            **_arguments(batch, model, Operation.UPDATE),
            "pks": cells[0],
            "keys": cells[1],
            **dict(zip(names, cells[2:], strict=True)),
        },
    )
    return int(cursor.rowcount)


def record_deletes(
    cursor: Any,
    batch: Batch,
    model: type[Model],
    pks: Sequence[Any],
    keys: Sequence[str | None],
) -> int:
    """One entry with the whole row for each row about to be deleted; the number of rows."""
    pk = pk_column(model)
    cursor.execute(
        _insert_entries(
            f"SELECT w.key, t.{pk}::text AS pk_text, to_jsonb(t) AS before, "
            f"NULL::jsonb AS after, NULL::bytea AS image "
            f"FROM unnest(%(pks)s::{array_type(model._meta.pk)}, %(keys)s::text[]) "
            f"AS w(pk, key) JOIN {table_of(model)} t ON t.{pk} = w.pk"
        ),
        {**_arguments(batch, model, Operation.DELETE), "pks": list(pks), "keys": list(keys)},
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
    cursor: Any,
    batch: Batch,
    model: type[Model],
    columns: Sequence[str],
    layer: int,
    keys: Sequence[str],
) -> list[Any]:
    """Set columns back to what ``carryover_undo`` holds, and journal it; the rows' keys."""
    pk = pk_column(model)
    kind = array_type(model._meta.pk)
    assignments = ", ".join(f"{quoted(column)} = r.{quoted(column)}" for column in columns)
    cursor.execute(
        f"WITH held AS MATERIALIZED (SELECT t.{pk} AS pk, u.key, u.before AS wanted, "
        f"{json_of(columns, 't')} AS before FROM {table_of(model)} t "
        f"JOIN carryover_undo u ON t.{pk} = u.pk_text::{kind[:-2]} "
        "WHERE u.model = %(model)s AND u.operation = 'update' AND u.layer = %(layer)s "
        "AND u.key = ANY(%(keys)s::text[]) AND u.columns = %(columns)s::text[] "
        "FOR NO KEY UPDATE OF t), "
        f"changed AS (UPDATE {table_of(model)} t SET {assignments} FROM held h "
        f"CROSS JOIN LATERAL jsonb_populate_record(NULL::{table_of(model)}, h.wanted) r "
        f"WHERE t.{pk} = h.pk RETURNING h.key, t.{pk}::text AS pk_text, h.before, "
        f"{json_of(columns, 't')} AS after, NULL::bytea AS image), "
        f"recorded AS ({_insert_entries('SELECT * FROM changed')} RETURNING 1) "
        f"SELECT array_agg(pk_text::{kind[:-2]}) FROM changed",
        {
            **_arguments(batch, model, Operation.UPDATE),
            "layer": layer,
            "keys": list(keys),
            "columns": list(columns),
        },
    )
    return list(cursor.fetchone()[0] or [])


def put_back_and_record(
    cursor: Any,
    batch: Batch,
    model: type[Model],
    layer: int,
    keys: Sequence[str],
    images: Mapping[str, Sequence[str]],
) -> list[Any]:
    """Insert deleted rows again from their before-images, and journal it; the rows' keys."""
    pk = pk_column(model)
    kind = array_type(model._meta.pk)
    cursor.execute(
        f"INSERT INTO {table_of(model)} SELECT r.* FROM carryover_undo u "
        f"CROSS JOIN LATERAL jsonb_populate_record(NULL::{table_of(model)}, u.before) r "
        "WHERE u.model = %(model)s AND u.operation = 'delete' AND u.layer = %(layer)s "
        f"AND u.key = ANY(%(keys)s::text[]) RETURNING {pk}",
        {"model": model._meta.label_lower, "layer": layer, "keys": list(keys)},
    )
    pks = [value for (value,) in cursor.fetchall()]
    cursor.execute(
        f"SELECT u.key, u.pk_text::{kind[:-2]} FROM carryover_undo u "
        "WHERE u.model = %(model)s AND u.operation = 'delete' AND u.layer = %(layer)s "
        "AND u.key = ANY(%(keys)s::text[])",
        {"model": model._meta.label_lower, "layer": layer, "keys": list(keys)},
    )
    owners = {pk_value: key for key, pk_value in cursor.fetchall()}
    record_inserts(cursor, batch, model, pks, [owners[value] for value in pks], images)
    return pks
