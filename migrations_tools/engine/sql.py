"""Names, column lists and digests as SQL text. Every identifier goes through ``quoted``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection
from django.db.models import Field, GeneratedField, Model


def quoted(name: str) -> str:
    """``name`` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def table_of(model: type[Model]) -> str:
    return quoted(model._meta.db_table)


def pk_column(model: type[Model]) -> str:
    return quoted(str(model._meta.pk.column))


def written_fields(model: type[Model]) -> list[Field[Any, Any]]:
    """Fields with a column that may be written; generated columns are left out."""
    return [field for field in model._meta.concrete_fields if not isinstance(field, GeneratedField)]


def column_list(columns: Iterable[str], alias: str = "") -> str:
    """``"a", "b"`` or ``t."a", t."b"``."""
    prefix = f"{alias}." if alias else ""
    return ", ".join(prefix + quoted(column) for column in columns)


def column_type(field: Field[Any, Any]) -> str:
    """The type to carry values of ``field``, without length or scale.

    ``varchar(5)`` would cut values short in silence; assignment to the column refuses instead.
    """
    declared = field.rel_db_type(connection) if field.primary_key else field.db_type(connection)
    return re.sub(r"\(.*?\)", "", str(declared))


def array_type(field: Field[Any, Any]) -> str:
    """The array type to carry values of ``field``."""
    return column_type(field) + "[]"


def row_image(columns: Sequence[str], alias: str) -> str:
    """SQL of the digest of a row: SHA-256 over its columns in this order."""
    return f"sha256(convert_to(ROW({column_list(columns, alias)})::text, 'UTF8'))"


def json_of(columns: Sequence[str], alias: str) -> str:
    """SQL of a JSON object with these columns of the row."""
    pairs = ", ".join(f"{_literal(column)}, {alias}.{quoted(column)}" for column in columns)
    return f"jsonb_build_object({pairs})"


def journal_digest(alias: str) -> str:
    """SQL of a journal entry's digest. Values that may be erased keep it."""
    return (
        f"sha256(convert_to(ROW({alias}.step, {alias}.key, {alias}.model, {alias}.pk_text, "
        f"{alias}.operation, {alias}.before, {alias}.after, {alias}.image)::text, 'UTF8'))"
    )


def ledger_digest(alias: str) -> str:
    """SQL of a ledger entry's digest."""
    return (
        f"sha256(convert_to(ROW({alias}.step, {alias}.key, {alias}.attempt, {alias}.outcome, "
        f"{alias}.code, {alias}.detail, {alias}.category, {alias}.confidence, {alias}.warnings, "
        f"{alias}.source_digest)::text, 'UTF8'))"
    )


BATCH_DIGEST = """
    SELECT sha256(coalesce(string_agg(digest, ''::bytea ORDER BY digest), ''::bytea))
    FROM (
        SELECT digest FROM migrations_tools_rowchange WHERE batch_id = %(batch)s
        UNION ALL
        SELECT digest FROM migrations_tools_ledgerentry WHERE batch_id = %(batch)s
    ) entries
"""


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
