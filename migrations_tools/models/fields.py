"""Column types of PostgreSQL that Django has no field for."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper


class CurrentTransaction(models.Func):
    """The id of the transaction that writes the row, filled by the database."""

    function = "pg_current_xact_id"
    arity = 0


class TransactionIdField(models.Field[int, int]):
    """``xid8``: a transaction id that never wraps around."""

    description = "transaction id"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "xid8"

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> int | None:
        return None if value is None else int(value)


CurrentTransaction.output_field = TransactionIdField()  # type: ignore[assignment]
