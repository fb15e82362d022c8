"""Real faults that tests need at one moment: the database itself brings them about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

#: An apply run comes to its end: what is changed now, its verification has to find.
RUN_COMPLETED = (
    "AFTER UPDATE ON migrations_tools_run FOR EACH ROW "
    "WHEN (NEW.kind = 'apply' AND NEW.state = 'completed' AND OLD.state <> 'completed')"
)


@contextmanager
def spoiled(event: str, statement: str) -> Iterator[None]:
    """Have a trigger carry out ``statement`` (PL/pgSQL) at ``event``, in whatever session."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS "
            f"$spoil$ BEGIN {statement}; RETURN NEW; END $spoil$"
        )
        cursor.execute(f"CREATE TRIGGER spoil {event} EXECUTE FUNCTION spoil()")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP FUNCTION spoil() CASCADE")
