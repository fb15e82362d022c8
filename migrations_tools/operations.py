"""Operations for schema migrations: data migrations for people who deploy with ``migrate``."""

from __future__ import annotations

from typing import Any

from django.db import DEFAULT_DB_ALIAS, router
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from migrations_tools.exceptions import CarryoverError

#: Keys that ``migrate`` carries over by itself; more wait for a run that a person starts.
LARGEST_INLINE = 10_000


class RunDataMigration(Operation):
    """Carry staged rows over with the data migration ``name`` (SPEC §2.1).

    Nothing happens where the source is empty. Up to ``largest`` keys are carried over and
    verified at once; more are refused until their run is completed and verified. Backwards, every
    run is rolled back; conflicts that remain refuse it.

    Belongs into a migration of its own with ``atomic = False``, the app's last one, which depends
    on the newest migration of ``migrations_tools``. When the schema changes later, the operation
    moves to a new last migration and leaves the old one empty.
    """

    reversible = True
    reduces_to_sql = False
    atomic = False

    def __init__(self, name: str, *, largest: int = LARGEST_INLINE) -> None:
        self.name = name
        self.largest = largest

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """No model changes."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if self._concerns(app_label, schema_editor):
            from migrations_tools.services.deployment import carry_over_in_migrate

            carry_over_in_migrate(self.name, largest=self.largest)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        if self._concerns(app_label, schema_editor):
            from migrations_tools.services.deployment import take_back_in_migrate

            take_back_in_migrate(self.name, reason=f"{app_label} migrated backwards")

    def _concerns(self, app_label: str, schema_editor: BaseDatabaseSchemaEditor) -> bool:
        connection = schema_editor.connection
        if connection.alias != DEFAULT_DB_ALIAS:
            return False
        if not router.allow_migrate(connection.alias, app_label):
            return False
        if connection.in_atomic_block:
            raise CarryoverError(
                f"RunDataMigration(“{self.name}”) opens transactions of its own: set “atomic = "
                "False” on its migration.",
                code="migration_is_atomic",
            )
        return True

    def describe(self) -> str:
        return f"Carry staged rows over with {self.name}"

    @property
    def migration_name_fragment(self) -> str:
        return f"run_{self.name}"

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        keywords = {} if self.largest == LARGEST_INLINE else {"largest": self.largest}
        return self.__class__.__qualname__, [self.name], keywords
