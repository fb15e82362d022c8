"""System checks: mistakes in definitions are found before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.db.models import Model, UniqueConstraint

from migrations_tools.definitions.base import DataMigration, Step
from migrations_tools.definitions.registry import all_definitions


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
