"""Statistics of the engine's own tables, which grow faster than autovacuum looks."""

from __future__ import annotations

from django.db import connection, transaction
from django.db.models import Model

from migrations_tools.engine.sql import table_of

#: Of `default_statistics_target`: a small sample tells enough of how many rows a run has.
_TARGET = 10


def refresh_statistics(*models: type[Model]) -> None:
    """Let the planner know what was written just now.

    A selection or a sweep looks every key up in the ledger; without fresh statistics, by nested
    loops over rows that the planner believes to be few. A table that somebody vacuums is left out.
    """
    tables = ", ".join(table_of(model) for model in models)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT set_config('default_statistics_target', %s, true)", [str(_TARGET)])
        cursor.execute(f"ANALYZE (SKIP_LOCKED) {tables}")
        cursor.execute("SET LOCAL default_statistics_target TO DEFAULT")
