"""How the test database is brought back to its first state between tests that commit.

Django does it with TRUNCATE, which the product's append-only triggers refuse, and which takes away
the rows that migrations made. So those triggers step aside for the length of that transaction, and
the rows come back from copies taken when the database was new.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.db import connection, transaction
from django.db.backends.postgresql.operations import DatabaseOperations
from psycopg import sql

BASELINE_SCHEMA = "baseline"

_TRUNCATE_TRIGGERS = """
    SELECT tgrelid::regclass::text, tgname, tgenabled
    FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid
    WHERE NOT tgisinternal
      AND tgtype & 32 <> 0  -- TRIGGER_TYPE_TRUNCATE of pg_trigger.h
      AND tgenabled <> 'D'
      AND relnamespace = current_schema()::regnamespace
"""

# pg_trigger.tgenabled → how ALTER TABLE says it
_ENABLE = {"O": "ENABLE", "A": "ENABLE ALWAYS", "R": "ENABLE REPLICA"}

_TABLES = """
    SELECT relname, array_agg(attname::text ORDER BY attnum),
           max(attname::text) FILTER (WHERE attidentity <> '')
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
      AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
      AND relname <> 'django_migrations'
    GROUP BY relname
"""


@contextmanager
def truncate_triggers_disabled(cursor: Any) -> Iterator[None]:
    """Let TRUNCATE through for the rest of the block; every trigger is then as it was."""
    cursor.execute(_TRUNCATE_TRIGGERS)
    triggers = cursor.fetchall()
    for table, name, _ in triggers:
        cursor.execute(f'ALTER TABLE {table} DISABLE TRIGGER "{name}"')
    yield
    for table, name, enabled in triggers:
        cursor.execute(f'ALTER TABLE {table} {_ENABLE[enabled]} TRIGGER "{name}"')


def take_baseline() -> None:
    """Copy the rows that a newly migrated database has."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {BASELINE_SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {BASELINE_SCHEMA}")
        cursor.execute(_TABLES)
        for table, columns, _ in cursor.fetchall():
            cursor.execute(_statement("SELECT EXISTS (SELECT FROM {table})", table, columns))
            if cursor.fetchone()[0]:
                cursor.execute(
                    _statement(
                        "CREATE TABLE {copy} AS SELECT {columns} FROM {table}", table, columns
                    )
                )


def restore_baseline(cursor: Any) -> None:
    """Put the rows of the newly migrated database back into the emptied tables."""
    cursor.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace(%s)", [BASELINE_SCHEMA]
    )
    kept = {table for (table,) in cursor.fetchall()}
    cursor.execute(_TABLES)
    for table, columns, identity in cursor.fetchall():
        if table not in kept:
            continue
        put_back = """
            INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE
            SELECT {columns} FROM {copy} WHERE NOT EXISTS (SELECT FROM {table})
        """
        cursor.execute(_statement(put_back, table, columns))
        if identity:  # its sequence may have been reset with the table
            following = "SELECT setval(pg_get_serial_sequence(%s, %s), max({columns})) FROM {table}"
            cursor.execute(_statement(following, table, [identity]), [f'"{table}"', identity])


def execute_sql_flush(operations: DatabaseOperations, sql_list: Sequence[str]) -> None:
    """Django's flush, in place of `DatabaseOperations.execute_sql_flush`."""
    with transaction.atomic(), operations.connection.cursor() as cursor:
        with truncate_triggers_disabled(cursor):
            for statement in sql_list:
                cursor.execute(statement)
        restore_baseline(cursor)


def _statement(template: str, table: str, columns: list[str]) -> sql.Composed:
    return sql.SQL(template).format(
        table=sql.Identifier(table),
        copy=sql.Identifier(BASELINE_SCHEMA, table),
        columns=sql.SQL(", ").join(map(sql.Identifier, columns)),
    )
