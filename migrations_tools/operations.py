"""Operations for schema migrations: data migrations and rights for people who ``migrate``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.apps.registry import Apps
from django.contrib.auth import get_permission_codename
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


class GrantPermissions(Operation):
    """Give the group ``group``, made where it is missing, permissions of the migration's own app.

    ``permissions`` are code names such as ``view_run``. Django makes the rows of permissions only
    after ``migrate``; those that are missing yet are made here, as Django would. Backwards, the
    grants are taken back, and the group with its last one, unless somebody is in it.

    Belongs into a migration without schema changes, which depends on the newest ones of
    ``contenttypes`` and ``auth``.
    """

    reversible = True
    reduces_to_sql = False

    def __init__(self, group: str, permissions: Iterable[str]) -> None:
        self.group = group
        self.permissions = list(permissions)

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """No model changes."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        alias = schema_editor.connection.alias
        apps = to_state.apps
        group_model = apps.get_model("auth", "Group")
        if router.allow_migrate_model(alias, group_model):
            granted = self._rows(apps, app_label, alias)
            group, _ = group_model.objects.using(alias).get_or_create(name=self.group)
            group.permissions.add(*granted)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        alias = schema_editor.connection.alias
        group_model = to_state.apps.get_model("auth", "Group")
        if not router.allow_migrate_model(alias, group_model):
            return
        group = group_model.objects.using(alias).filter(name=self.group).first()
        if group is None:
            return
        granted = group.permissions.filter(
            content_type__app_label=app_label, codename__in=self.permissions
        )
        group.permissions.remove(*granted)
        if not (group.permissions.exists() or group.user_set.exists()):
            group.delete()

    def _rows(self, apps: Apps, app_label: str, alias: str) -> list[Any]:
        """The permissions' rows; one that no model of the app declares is a mistake."""
        known = {codename: (model, name) for model, codename, name in _declared(apps, app_label)}
        types = apps.get_model("contenttypes", "ContentType").objects.using(alias)
        rows = apps.get_model("auth", "Permission").objects.using(alias)
        found = []
        for codename in self.permissions:
            if codename not in known:
                raise CarryoverError(
                    f"No model of {app_label} has the permission “{codename}”.",
                    code="unknown_permission",
                )
            model, name = known[codename]
            content_type, _ = types.get_or_create(app_label=app_label, model=model)
            row, _ = rows.get_or_create(
                content_type=content_type, codename=codename, defaults={"name": name}
            )
            found.append(row)
        return found

    def describe(self) -> str:
        return f"Grant {len(self.permissions)} permissions to {self.group}"

    @property
    def migration_name_fragment(self) -> str:
        return f"grant_{self.group.lower()}"

    def deconstruct(self) -> tuple[str, Sequence[Any], dict[str, Any]]:
        return self.__class__.__qualname__, [self.group, self.permissions], {}


def _declared(apps: Apps, app_label: str) -> Iterator[tuple[str, str, str]]:
    """(model, code name, name) of every permission that the app's models declare."""
    for model in apps.get_app_config(app_label).get_models():
        options = model._meta
        label = str(options.model_name)
        for action in options.default_permissions:
            name = f"Can {action} {options.verbose_name_raw}"
            yield label, get_permission_codename(action, options), name
        for codename, name in options.permissions:
            yield label, str(codename), str(name)
