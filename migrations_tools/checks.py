"""System checks: mistakes in definitions are found before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, transaction
from django.db.migrations import Migration
from django.db.migrations.loader import MigrationLoader
from django.db.models import Model, UniqueConstraint

from migrations_tools.definitions.base import DataMigration, Step
from migrations_tools.definitions.registry import all_definitions, get_definition
from migrations_tools.engine.signals import LIMITS
from migrations_tools.engine.throttle import windows
from migrations_tools.exceptions import UnknownDefinition
from migrations_tools.operations import RunDataMigration
from migrations_tools.requirements import guarded
from migrations_tools.selectors.completion import waiting_keys
from migrations_tools.services.policies import POLICIES


@register("migrations_tools")
def check_definitions(**kwargs: Any) -> list[CheckMessage]:
    """Every definition can be run: steps, sources, natural keys, dependencies."""
    names = {definition.name for definition in all_definitions()}
    return [
        message
        for definition in all_definitions()
        for message in [*_check_definition(definition, names)]
    ]


def _check_definition(definition: type[DataMigration], names: set[str]) -> Iterator[CheckMessage]:
    for dependency in definition.depends_on:
        if dependency not in names:
            yield Error(
                f"{definition.name} depends on “{dependency}”, which is no data migration.",
                hint="Correct depends_on; “manage.py datamigrate list” shows the names.",
                obj=definition,
                id="migrations_tools.E001",
            )
    for step in getattr(definition, "steps", ()):
        yield from _check_step(step)
    if not getattr(definition, "steps", ()):
        yield Error(
            f"{definition.name} has no step.",
            hint="Give it “steps”, or “source”, “writes” and “transform” of its own.",
            obj=definition,
            id="migrations_tools.E002",
        )


def _check_step(step: type[Step]) -> Iterator[CheckMessage]:
    if not hasattr(step, "source"):
        yield Error(
            f"{step.__name__} has no source.",
            hint="Give it “source = RowSource(Model)” or “GroupSource(Model, by=…)”.",
            obj=step,
            id="migrations_tools.E003",
        )
    for model, natural_keys in step.shares.items():
        for names in natural_keys:
            if not _is_unique(model, names):
                yield Error(
                    f"{step.__name__} ensures {model.__name__} by {', '.join(names)}, "
                    "which no unique constraint covers.",
                    hint="Add a UniqueConstraint over exactly these fields: without one, two "
                    "workers could make the object twice.",
                    obj=step,
                    id="migrations_tools.E004",
                )
        if model not in step.writes:
            yield Error(
                f"{step.__name__} shares {model.__name__} but its “writes” does not name it.",
                hint=f"Add {model.__name__} to “writes”.",
                obj=step,
                id="migrations_tools.E005",
            )


def _is_unique(model: type[Model], names: Sequence[str]) -> bool:
    wanted = set(names)
    if len(wanted) == 1 and model._meta.get_field(names[0]).unique:  # type: ignore[union-attr]
        return True
    if any(set(fields) == wanted for fields in model._meta.unique_together):
        return True
    return any(
        isinstance(constraint, UniqueConstraint) and set(constraint.fields) == wanted
        for constraint in model._meta.constraints
    )


@register("migrations_tools")
def check_operations(**kwargs: Any) -> list[CheckMessage]:
    """``RunDataMigration`` stands where it can work: last of its app, apart, after the engine."""
    loader = MigrationLoader(None, ignore_no_migrations=True)
    return [
        message
        for migration in loader.disk_migrations.values()
        for operation in migration.operations
        if isinstance(operation, RunDataMigration)
        for message in _check_operation(loader, migration, operation)
    ]


def _check_operation(
    loader: MigrationLoader, migration: Migration, operation: RunDataMigration
) -> Iterator[CheckMessage]:
    where = f"{migration.app_label}.{migration.name}"
    try:
        get_definition(operation.name)
    except UnknownDefinition as error:
        yield Error(
            f"{where} runs “{operation.name}”, which is no data migration.",
            hint=error.message,
            obj=where,
            id="migrations_tools.E020",
        )
    if migration.atomic:
        yield Error(
            f"{where} runs {operation.name} in one transaction.",
            hint="Set “atomic = False” on the migration: batches commit one by one.",
            obj=where,
            id="migrations_tools.E021",
        )
    later = [
        name
        for app, name in loader.graph.leaf_nodes(migration.app_label)
        if (app, name) != (migration.app_label, migration.name)
    ]
    if later:
        yield Error(
            f"{later[0]} changes the schema after {where} ran {operation.name}.",
            hint="Move the operation to a new last migration and leave the old one empty: it "
            "works with the models as they are now.",
            obj=where,
            id="migrations_tools.E022",
        )
    (newest,) = loader.graph.leaf_nodes("migrations_tools")
    if newest not in migration.dependencies:
        yield Error(
            f"{where} does not depend on {newest[0]}.{newest[1]}, the newest of the engine.",
            hint=f"Add {newest!r} to its dependencies.",
            obj=where,
            id="migrations_tools.E023",
        )


@register("migrations_tools")
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """The settings that guard runs mean something: a misspelt one would guard nothing."""
    return [
        Error(f"{name}: {fault}", hint="See “Settings” in docs/operations.md.", id=_SETTINGS)
        for name, faults in {
            "CARRYOVER_POLICIES": _policy_faults(getattr(settings, "CARRYOVER_POLICIES", {})),
            "CARRYOVER_LIMITS": _limit_faults(getattr(settings, "CARRYOVER_LIMITS", {})),
            "CARRYOVER_RUN_WINDOWS": _window_faults(),
        }.items()
        for fault in faults
    ]


_SETTINGS = "migrations_tools.E026"


def _policy_faults(policies: Any) -> Iterator[str]:
    names = {"*", *(definition.name for definition in all_definitions())}
    if not isinstance(policies, dict):
        yield "it is a JSON object of lists by data migration."
        return
    for name, asked in policies.items():
        if name not in names:
            yield f"“{name}” is no data migration."
        if not isinstance(asked, list | tuple):
            yield f"what “{name}” asks for is a list, such as [“approval”]."
            continue
        yield from (
            f"“{policy}” is no policy; there are {', '.join(POLICIES)}."
            for policy in asked
            if policy not in POLICIES
        )


def _limit_faults(limits: Any) -> Iterator[str]:
    if not isinstance(limits, dict):
        yield "it is a JSON object of numbers by signal."
        return
    for name, value in limits.items():
        if name not in LIMITS:
            yield f"“{name}” is no signal; there are {', '.join(LIMITS)}."
        elif not isinstance(value, int | float) or isinstance(value, bool):
            yield f"the limit of {name} is a number, not “{value}”."


def _window_faults() -> Iterator[str]:
    try:
        windows()
    except ValueError as error:
        yield f"windows are times of day such as 22:00-05:00: {error}."


@register("migrations_tools")
def check_guards(**kwargs: Any) -> list[CheckMessage]:
    """``requires_data_migration`` names data migrations that exist."""
    names = {definition.name for definition in all_definitions()}
    return [
        Error(
            f"{', '.join(functions)} needs “{name}”, which is no data migration.",
            hint="Correct the name; “manage.py datamigrate list” shows the names.",
            id="migrations_tools.E024",
        )
        for name, functions in sorted(guarded.items())
        if name not in names
    ]


@register(Tags.database)
def check_guarded_data(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Guarded code whose data is not carried over yet. Silent where tables are missing."""
    names = {definition.name for definition in all_definitions()} & guarded.keys()
    if "default" not in (databases or []):
        return []
    messages: list[CheckMessage] = []
    for name in sorted(names):
        try:
            with transaction.atomic():
                waiting = waiting_keys(get_definition(name))
        except DatabaseError:
            continue
        if waiting:
            messages.append(
                checks.Warning(
                    f"{', '.join(guarded[name])} refuses to work: {waiting:,} keys of {name} are "
                    "not carried over.",
                    hint=f"Run “manage.py datamigrate run {name}”.",
                    id="migrations_tools.W025",
                )
            )
    return messages
