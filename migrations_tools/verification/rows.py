"""Whether the rows a run wrote stand as its journal says, unless newer history explains why not.

Two passes, each set-based. The first compares every row fast and may suspect too many; the
second (`judge`) looks at suspects only, and knows what else happened to the row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_noop

from migrations_tools.engine.sql import json_of, row_image
from migrations_tools.models import Batch, Run
from migrations_tools.states import BatchState, Operation, RunKind
from migrations_tools.verification.expectations import Expectation, Table, comparable_tables
from migrations_tools.verification.journal import Inspection
from migrations_tools.verification.judge import judge
from migrations_tools.verification.progress import Progress
from migrations_tools.verification.results import Result, rows_of, timed


def row_checks(
    run: Run, batches: Sequence[Batch], inspection: Inspection, progress: Progress
) -> list[Result]:
    """The checks of the rows that ``run`` wrote; entries of damaged batches prove nothing."""
    results = {
        "missing": Result(
            "row_missing", gettext_noop("Every row the run left behind is there"), run
        ),
        "differs": Result(
            "row_differs", gettext_noop("Every row the run wrote is as it was written"), run
        ),
        "present": Result(
            "row_not_deleted", gettext_noop("Every row the run deleted is gone"), run
        ),
    }
    drift = Result("schema_drift", gettext_noop("The columns the run wrote are as they were"), run)
    rollbacks = Run.objects.filter(parent=run, kind=RunKind.ROLLBACK).values_list("pk", flat=True)
    with timed(*results.values()):
        tables = comparable_tables(run, inspection.journal + inspection.shared, drift)
        sound = [batch for batch in batches if batch.pk not in inspection.damaged]
        expectation = Expectation(run, run, list(rollbacks))
        _compare(expectation, _waiting(progress, "rows", sound, results), tables, results)
    return [*results.values(), drift]


def undo_checks(run: Run, progress: Progress) -> list[Result]:
    """Of a rollback: the parent run's rows stand as they did before it, for every restored key."""
    removed = Result("row_not_removed", gettext_noop("Every row that was taken back is gone"), run)
    restored = Result(
        "row_not_restored", gettext_noop("Restored rows hold their former values"), run
    )
    parent = run.parent
    if parent is None:
        return []
    batches = Batch.objects.filter(run=parent, state=BatchState.DONE).order_by("step", "number")
    with timed(removed, restored):
        journal = [(label, Operation.UPDATE) for label in parent.columns]
        tables = comparable_tables(parent, journal, Result("schema_drift", ""))
        results = {"missing": restored, "differs": restored, "present": removed}
        expectation = Expectation(parent, run, [run.pk], undone=True)
        _compare(expectation, _waiting(progress, "undone", batches, results), tables, results)
    return [removed, restored]


def _waiting(
    progress: Progress, stage: str, batches: Iterable[Batch], results: Mapping[str, Result]
) -> Iterator[list[Batch]]:
    """The portions that no verification before an interruption compared; it is gone on from."""
    for name, kept in (progress.found(stage) or {}).items():
        results[name].take_up(kept)

    def findings() -> dict[str, Any]:
        return {name: result.as_kept() for name, result in results.items()}

    return progress.portions(stage, batches, findings)


def _compare(
    expectation: Expectation,
    waiting: Iterable[Sequence[Batch]],
    tables: Sequence[Table],
    results: Mapping[str, Result],
) -> None:
    """Compare the journal of the batches with the tables, portion by portion."""
    for portion in waiting:
        pks = [batch.pk for batch in portion]
        for table in tables:
            standing, gone, suspects = _suspects(expectation, table, pks)
            results["missing"].examined += standing
            if results["differs"] is not results["missing"]:
                results["differs"].examined += standing
            results["present"].examined += gone
            if suspects:
                judge(expectation, table, suspects, results)


def _suspects(
    expectation: Expectation, table: Table, batches: Sequence[int]
) -> tuple[int, int, list[int]]:
    """How many entries ask for a row, how many for none, and which may not have it so."""
    parameters = {**expectation.parameters(table), "batches": list(batches)}
    shapes = _shapes(parameters) if table.updated else ()
    values = f"c.{expectation.values}"
    same = " OR ".join(_same(shape, values, table.derived) for shape in shapes) or "false"
    # a row that was deleted is put back whole; the rollback's own journal has its image
    image = f"c.image IS NOT DISTINCT FROM {row_image(table.columns, 't')}"
    suspect = f"""
        CASE
            WHEN c.operation = '{expectation.absent}' THEN t.{table.pk} IS NOT NULL
            WHEN t.{table.pk} IS NULL THEN true
            WHEN c.operation = 'update' THEN {values} IS NOT NULL AND NOT ({same})
            ELSE NOT ({"true" if expectation.undone else image})
        END
    """
    ((standing, gone, suspects),) = rows_of(
        f"""
        SELECT count(*) FILTER (WHERE c.operation <> '{expectation.absent}'),
               count(*) FILTER (WHERE c.operation = '{expectation.absent}'),
               array_agg(c.id) FILTER (WHERE {suspect})
        FROM migrations_tools_rowchange c {table.join}
        WHERE c.batch_id = ANY(%(batches)s) AND c.model = %(model)s AND c.operation <> 'use'
          AND {expectation.scope}
        """,
        parameters,
    )
    return standing, gone, suspects or []


def _shapes(parameters: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Sets of columns that the batches' updates wrote."""
    for (columns,) in rows_of(
        "SELECT DISTINCT ARRAY(SELECT jsonb_object_keys(c.after)) "
        "FROM migrations_tools_rowchange c "
        "WHERE c.batch_id = ANY(%(batches)s) AND c.model = %(model)s AND c.operation = 'update'",
        parameters,
    ):
        yield tuple(columns)


def _same(shape: Sequence[str], values: str, derived: Sequence[str]) -> str:
    """SQL: the row holds the journal's values in these columns, derived ones left out."""
    kept = [column for column in shape if column not in derived]
    if len(kept) < len(shape):
        values += " - %(derived)s::text[]"
    return f"{json_of(kept, 't')} = {values}"
