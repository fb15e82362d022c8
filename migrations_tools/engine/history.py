"""History rows of django-simple-history in bulk: one INSERT … SELECT, in the data's transaction.

The library's own bulk functions copy each object through Python and are several times slower.
"""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from migrations_tools.engine.sql import column_list, pk_column, quoted, table_of

INSERTED, CHANGED, DELETED = "+", "~", "-"


def history_model(model: type[Model]) -> type[Model] | None:
    """The model that keeps the history of ``model``, or None where none is kept."""
    name = getattr(model._meta, "simple_history_manager_attribute", None)
    return None if name is None else getattr(model, name).model


def write_history(
    cursor: Any, model: type[Model], given: str, kind: str, reason: str, user_id: int
) -> None:
    """One history row for each row that ``given``, a table with a column ``pk``, names.

    Rows are taken as they stand now: for deletions call it before they go. Times are distinct,
    so that several rows of one object keep their order.
    """
    history = history_model(model)
    if history is None:
        return
    tracked = column_list(field.column for field in history.tracked_fields)  # type: ignore[attr-defined]
    cursor.execute(
        f"INSERT INTO {table_of(history)} ({tracked}, {quoted('history_date')}, "
        f"{quoted('history_change_reason')}, {quoted('history_type')}, "
        f"{quoted('history_user_id')}) "
        f"SELECT {tracked}, clock_timestamp(), %s, %s, %s "
        f"FROM {table_of(model)} WHERE {pk_column(model)} IN (SELECT pk FROM {given})",
        [reason, kind, user_id],
    )
