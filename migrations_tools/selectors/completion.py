"""Whether a data migration is done: keys that no standing run has looked at yet."""

from __future__ import annotations

from typing import Final

from django.db import connection

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.sources import KeyRange
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.sql import table_of
from migrations_tools.models import Run
from migrations_tools.states import RunKind, RunState

# Keys ``k`` that no run has seen with their digest, nor the application written to both sides so.
# Of runs whose entry was not restored, the newest word counts.
_UNSEEN: Final = """
    NOT EXISTS (
        SELECT FROM migrations_tools_ledgerentry l
        WHERE l.run_id = ANY(%s) AND l.step = %s AND l.key = k.k::text COLLATE "C"
            AND l.source_digest IS NOT DISTINCT FROM k.d
            AND NOT EXISTS (
                SELECT FROM migrations_tools_ledgerentry n
                WHERE n.run_id = ANY(%s) AND n.step = l.step AND n.key = l.key AND n.id > l.id
                    AND substring(n.source_digest FROM 1 FOR octet_length(l.source_digest))
                        IS DISTINCT FROM l.source_digest
            )
            AND NOT EXISTS (
                SELECT FROM migrations_tools_ledgerentry b
                JOIN migrations_tools_run r ON r.id = b.run_id
                WHERE r.parent_id = l.run_id AND r.kind = 'rollback'
                    AND b.step = l.step AND b.key = l.key AND b.outcome = 'restored'
            )
    )
    AND NOT EXISTS (
        SELECT FROM migrations_tools_dualwritten w
        WHERE w.definition = %s AND w.step = %s AND w.key = k.k::text COLLATE "C"
            AND w.source_digest IS NOT DISTINCT FROM k.d
            AND NOT EXISTS (
                SELECT FROM migrations_tools_ledgerentry b
                JOIN migrations_tools_run r ON r.id = b.run_id
                WHERE r.definition = w.definition AND r.kind = 'rollback'
                    AND b.step = w.step AND b.key = w.key AND b.outcome = 'restored'
                    AND r.created_at > w.written_at
            )
    )
"""
# The same for sources that are their own judges: their keys have no digest.
_UNSEEN_WITHOUT_DIGEST: Final = (
    _UNSEEN.replace("AND l.source_digest IS NOT DISTINCT FROM k.d", "")
    .replace("AND w.source_digest IS NOT DISTINCT FROM k.d", "")
    .replace("AND n.id > l.id", "AND false")
)


def newest_completed(definition: type[DataMigration]) -> Run | None:
    """The newest apply run that came to its end and stands, wholly or in part.

    Runs that only carried a person's decisions out are left out.
    """
    finished = Run.objects.standing().filter(
        definition=definition.name,
        reviewed=None,
        state__in=[RunState.COMPLETED, RunState.PARTIALLY_ROLLED_BACK],
    )
    return finished.order_by("-created_at", "-id").first()


def waiting_keys(definition: type[DataMigration], *, key: str | None = None) -> int:
    """Selected keys – or whether ``key`` of the first step is one, 0 or 1 – that wait for a run.

    No standing, finished run has them in its ledger with the same content, nor did the application
    write them so to both sides of a cutover.

    What such a run quarantined or left to a person is work for people: it waits no longer. What
    a rollback took back since waits again.
    """
    unsaved = Run(definition=definition.name, version=definition.version, kind=RunKind.PLAN)
    context = RunContext.of(unsaved)
    standing = Run.objects.standing().filter(definition=definition.name)
    finished = list(standing.exclude(finished_at=None).values_list("pk", flat=True))
    waiting = 0
    for index, step in enumerate(context.steps):
        if not step.counted or (key is not None and index > 0):
            continue
        keys = step.source.keys(context.selection(index))
        if key is not None:
            keys = step.source.within(keys, KeyRange(keys=[key]), "k")
        sql, parameters = keys.query.sql_with_params()
        unseen = _UNSEEN if step.source.remembers else _UNSEEN_WITHOUT_DIGEST
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT count(*) FROM ({sql}) k WHERE {unseen}",
                [*parameters, finished, index, finished, definition.name, index],
            )
            waiting += int(cursor.fetchone()[0])
    return waiting


def sources_are_empty(definition: type[DataMigration]) -> bool:
    """Whether no counted step has any row to read. Plain SQL: asks nothing of the columns."""
    tables = {table_of(step.source.model) for step in definition.steps if step.counted}
    with connection.cursor() as cursor:
        for table in sorted(tables):
            cursor.execute(f"SELECT EXISTS (SELECT FROM {table})")
            if cursor.fetchone()[0]:
                return False
    return True
