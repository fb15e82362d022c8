"""The second look: which suspected rows are wrong, and which are explained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils.translation import gettext_noop

from migrations_tools.engine.history import history_model
from migrations_tools.engine.sql import column_list, row_image, table_of
from migrations_tools.verification.expectations import Expectation, Table
from migrations_tools.verification.results import MOST_NAMED, Result, rows_of

_SENTENCES = {
    "missing": gettext_noop("The row is not there."),
    "differs": gettext_noop("The row differs in %(columns)s."),
    "present": gettext_noop("The row is there again."),
}


def judge(
    expectation: Expectation, table: Table, suspects: Sequence[int], results: Mapping[str, Result]
) -> None:
    """Add to ``results`` (missing, differs, present) what is wrong, and what was edited since.

    ``suspects`` are journal entries whose row may not be as expected.
    """
    for verdict, edited, key, pk, columns, number in rows_of(
        _statement(expectation, table),
        {**expectation.parameters(table), "ids": list(suspects)},
    ):
        result = results[verdict]
        if pk is not None:
            where = f" (source key {key})" if key is not None else ""
            detail = _SENTENCES[verdict] % {"columns": columns or "a column"}
            result.name(f"{table.label} {pk}", detail + where)
        elif edited:
            result.edited_since += number
        else:
            result.failures += number


def _statement(expectation: Expectation, table: Table) -> str:
    """Verdicts counted, then the first wrong rows by name.

    Other entries of the run for the same row that lie ``beyond`` count: one that inserts or
    deletes the row decides about it alone; one that writes a column decides about the column.
    The newest image of an inserted row decides about all of it, unless a later update left none.
    """
    beyond = expectation.beyond
    same_row = "n.model = %(model)s AND n.pk_text = s.pk_text AND n.run_id = %(run)s"
    image_differs = "coalesce(own.image, s.image) IS DISTINCT FROM s.image_now AND NOT own.in_part"
    return f"""
WITH s AS MATERIALIZED (
    SELECT c.id, c.key, c.pk_text, c.operation, c.{expectation.values} AS expected, c.image,
           c.batch_id, t.{table.pk} AS pk, t.{table.pk} IS NOT NULL AS there,
           {row_image(table.columns, "t")} AS image_now, to_jsonb(t) AS now
    FROM migrations_tools_rowchange c {table.join}
    WHERE c.id = ANY(%(ids)s)
),
judged AS MATERIALIZED (
    SELECT DISTINCT ON (s.pk_text, verdict) s.*, verdict, wrong.columns
    FROM s
    CROSS JOIN LATERAL (
        SELECT coalesce(bool_or({beyond} AND n.operation IN ('insert', 'delete')), false)
                   AS overruled,
               coalesce(bool_or(n.id < s.id AND n.operation = 'insert'), false) AS inserted,
               coalesce(bool_or({beyond} AND n.operation = 'update' AND n.image IS NULL), false)
                   AS in_part,
               (array_agg(n.image ORDER BY n.id DESC)
                   FILTER (WHERE {beyond} AND n.image IS NOT NULL))[1] AS image
        FROM migrations_tools_rowchange n
        WHERE {same_row}
    ) own
    CROSS JOIN LATERAL (
        SELECT string_agg(e.key, ', ' ORDER BY e.key) AS columns
        FROM jsonb_each(s.expected) e
        WHERE s.operation = 'update' AND s.now -> e.key IS DISTINCT FROM e.value
          AND e.key <> ALL(%(derived)s::text[])
          AND NOT EXISTS (
              SELECT 1 FROM migrations_tools_rowchange n
              WHERE {same_row} AND {beyond} AND n.after ? e.key
          )
    ) wrong
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN own.overruled THEN NULL
            WHEN s.operation = '{expectation.absent}' THEN CASE WHEN s.there THEN 'present' END
            WHEN NOT s.there THEN 'missing'
            WHEN s.operation = 'insert' THEN CASE WHEN {image_differs} THEN 'differs' END
            WHEN own.inserted AND s.image IS NOT NULL THEN NULL
            WHEN wrong.columns IS NOT NULL THEN 'differs'
        END AS verdict
    ) v
    WHERE verdict IS NOT NULL
),
weighed AS MATERIALIZED (
    SELECT s.verdict, s.key, s.pk_text, s.columns, s.now,
           ({_explanation(table)}) IS TRUE AS edited
    FROM judged s
)
SELECT verdict, edited, NULL, NULL, NULL, count(*) FROM weighed GROUP BY 1, 2
UNION ALL
(SELECT verdict, edited, key, pk_text, {_columns(table)}, 1 FROM (
    SELECT *, row_number() OVER (PARTITION BY verdict ORDER BY pk_text) AS place
    FROM weighed WHERE NOT edited
) s WHERE place <= {MOST_NAMED} ORDER BY verdict, place)
"""


def _explanation(table: Table) -> str:
    """SQL: the newest history row is somebody else's, newer than ours, and as the row is now."""
    history = history_model(table.model)
    if history is None:
        return _EXPLAINED_BY_JOURNAL
    tracked = [
        str(item.column)
        for item in history.tracked_fields  # type: ignore[attr-defined]  # not in stubs
        if item.column not in table.derived
    ]
    same_row = f"{table.pk} = s.pk_text::{table.pk_type}"
    return f"""
        SELECT h.history_id > coalesce((
                   SELECT max(o.history_id) FROM {table_of(history)} o
                   WHERE o.{same_row} AND o.history_change_reason = %(reason)s
               ), 0)
           AND h.history_change_reason IS DISTINCT FROM %(reason)s
           AND h.history_date >= (
               SELECT b.started_at FROM migrations_tools_batch b WHERE b.id = s.batch_id
           )
           AND CASE WHEN s.there
               THEN h.history_type <> '-' AND ROW({column_list(tracked, "h")})::text = (
                   SELECT ROW({column_list(tracked, "t")})::text
                   FROM {table_of(table.model)} t WHERE t.{table.pk} = s.pk
               )
               ELSE h.history_type = '-'
           END
        FROM {table_of(history)} h WHERE h.{same_row}
        ORDER BY h.history_id DESC LIMIT 1
    """


def _columns(table: Table) -> str:
    """SQL: names of the columns that differ; of inserted rows, from what the run's history says."""
    history = history_model(table.model)
    if history is None:
        return "s.columns"
    return f"""coalesce(s.columns, (
        SELECT string_agg(e.key, ', ' ORDER BY e.key)
        FROM (
            SELECT to_jsonb(o) AS row FROM {table_of(history)} o
            WHERE o.{table.pk} = s.pk_text::{table.pk_type}
              AND o.history_change_reason = %(reason)s
            ORDER BY o.history_id DESC LIMIT 1
        ) ours CROSS JOIN LATERAL jsonb_each(s.now) e
        WHERE ours.row -> e.key <> e.value AND e.key <> ALL(%(derived)s::text[])
    ))"""


# No history is kept: a newer journal entry of another run explains what it wrote. Of an inserted
# row only the digest is known, so any newer write does.
_EXPLAINED_BY_JOURNAL = """
    SELECT CASE
        WHEN NOT s.there THEN bool_or(n.operation = 'delete')
        WHEN s.operation = 'update' THEN NOT EXISTS (
            SELECT 1 FROM unnest(string_to_array(s.columns, ', ')) wrong (name)
            WHERE NOT coalesce((
                SELECT jsonb_agg(n.after -> wrong.name ORDER BY n.id DESC) -> 0
                    = coalesce(s.now -> wrong.name, 'null')
                FROM migrations_tools_rowchange n
                WHERE n.model = %(model)s AND n.pk_text = s.pk_text AND n.id > s.id
                  AND n.run_id <> ALL(%(own)s) AND n.after ? wrong.name
            ), false)
        )
        ELSE count(*) > 0
    END
    FROM migrations_tools_rowchange n
    WHERE n.model = %(model)s AND n.pk_text = s.pk_text AND n.id > s.id
      AND n.run_id <> ALL(%(own)s) AND n.operation <> 'use'
"""
