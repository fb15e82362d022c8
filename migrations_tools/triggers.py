"""Database triggers as operations of schema migrations, and the check that they still stand.

A rule that no session may go round is a trigger: plain SQL, ``ENABLE ALWAYS`` (replication mode
does not skip it), with an error of the class that Django raises as ``IntegrityError``. Its
migration is the only place that describes it; the check reads the applied migrations.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import RunSQL
from django.db.migrations.loader import MigrationLoader

# pg_trigger.tgtype, see the server's pg_trigger.h
_TYPE_BITS = {"BEFORE": 2, "INSERT": 4, "DELETE": 8, "UPDATE": 16, "TRUNCATE": 32}


@dataclass(frozen=True, kw_only=True)
class Trigger:
    """A trigger and the function of the same name that it calls.

    ``events`` reads like ``BEFORE UPDATE OR DELETE``; ``when`` is an SQL condition that spares
    rows the call. A statement trigger may look at all its rows as they were, under the name
    ``old_table``. ``body`` is a PL/pgSQL block that refuses with
    ``ERRCODE = 'integrity_constraint_violation'``. It names tables without a schema: the
    function's search path is fixed, so that no temporary table can stand in for a real one.
    """

    name: str
    table: str
    events: str
    body: str
    level: Literal["ROW", "STATEMENT"] = "ROW"
    when: str = ""
    old_table: str = ""

    @property
    def create_sql(self) -> str:
        when = f"WHEN ({self.when}) " if self.when else ""
        referencing = f"REFERENCING OLD TABLE AS {self.old_table} " if self.old_table else ""
        return f"""
CREATE FUNCTION {self.name}() RETURNS trigger LANGUAGE plpgsql AS $body${self.body}$body$;
DO $do$ BEGIN
    EXECUTE format('ALTER FUNCTION {self.name}() SET search_path = %I, pg_temp', current_schema());
END $do$;
CREATE TRIGGER {self.name} {self.events} ON {self.table}
    {referencing}FOR EACH {self.level} {when}EXECUTE FUNCTION {self.name}();
ALTER TABLE {self.table} ENABLE ALWAYS TRIGGER {self.name};
"""

    @property
    def drop_sql(self) -> str:
        return f"DROP TRIGGER {self.name} ON {self.table};\nDROP FUNCTION {self.name}();\n"

    @property
    def type_bits(self) -> int:
        """What ``pg_trigger.tgtype`` says of level, timing and events."""
        words = self.events.split()
        return int(self.level == "ROW") + sum(_TYPE_BITS.get(word, 0) for word in words)


class CreateTrigger(RunSQL):
    """A migration operation; reversed, it drops the trigger and its function."""

    def __init__(self, trigger: Trigger) -> None:
        super().__init__(trigger.create_sql, trigger.drop_sql)
        self.trigger = trigger

    def describe(self) -> str:
        return f"Create trigger {self.trigger.name} on {self.trigger.table}"


def create_operations(triggers: Iterable[Trigger]) -> list[CreateTrigger]:
    """One operation for each trigger, for ``Migration.operations``."""
    return [CreateTrigger(trigger) for trigger in triggers]


class ExpectedTrigger(NamedTuple):
    trigger: Trigger
    app: str
    migration: str


def expected_triggers(connection: BaseDatabaseWrapper) -> dict[str, ExpectedTrigger]:
    """Every trigger of the migrations applied to the database, by name."""
    loader = MigrationLoader(connection)
    return {
        operation.trigger.name: ExpectedTrigger(operation.trigger, *key)
        for key in sorted(loader.applied_migrations)
        if key in loader.disk_migrations
        for operation in loader.disk_migrations[key].operations
        if isinstance(operation, CreateTrigger)
    }


_FOUND = """
SELECT t.tgname, c.relname, t.tgenabled::text, t.tgtype, t.tgqual IS NOT NULL,
       coalesce(t.tgoldtable, ''), p.prosrc,
       format('search_path=%%I, pg_temp', n.nspname) = ANY(coalesce(p.proconfig, '{}'))
FROM pg_trigger t
JOIN pg_class c ON c.oid = t.tgrelid
JOIN pg_namespace n ON n.oid = c.relnamespace
JOIN pg_proc p ON p.oid = t.tgfoid
WHERE t.tgname = ANY(%s) AND pg_table_is_visible(c.oid)
"""


class FoundTrigger(NamedTuple):
    """A row of `_FOUND`."""

    name: str
    table: str
    enabled: str  # A: always; O: not in replication mode; D: disabled
    type_bits: int
    has_condition: bool
    old_table: str
    source: str
    search_path_fixed: bool

    def differences(self, expected: Trigger) -> Iterator[str]:
        if self.enabled != "A":
            yield "is not enabled always"
        fires = (self.type_bits, self.has_condition, self.old_table)
        if fires != (expected.type_bits, bool(expected.when), expected.old_table):
            yield "fires at other events"
        if self.source != expected.body or not self.search_path_fixed:
            yield "calls another function"


@register(Tags.database)
def check_triggers(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Compare the triggers of applied migrations with those of the database.

    Silent on tables whose migration is not applied. Runs with ``migrate`` and with
    ``check --database default``.
    """
    errors: list[CheckMessage] = []
    for alias in databases or []:
        connection = connections[alias]
        expected = expected_triggers(connection)
        with connection.cursor() as cursor:
            cursor.execute(_FOUND, [list(expected)])
            rows = map(FoundTrigger._make, cursor.fetchall())
            found = {(row.name, row.table): row for row in rows}
        for trigger, app, migration in expected.values():
            here = found.get((trigger.name, trigger.table))
            differences = ["is missing"] if here is None else list(here.differences(trigger))
            errors += [_error(trigger, app, migration, difference) for difference in differences]
    return errors


def _error(trigger: Trigger, app: str, migration: str, difference: str) -> Error:
    return Error(
        f"The trigger {trigger.name} on {trigger.table} {difference}.",
        hint=f"Drop what is left of it and create it again as `manage.py sqlmigrate {app} "
        f"{migration}` shows, then find out who changed it: rows it guards may have changed too.",
        id="migrations_tools.E010",
    )
