"""The registry of definitions, filled from the ``data_migrations`` module of each app."""

from __future__ import annotations

from typing import TypeVar

from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _

from migrations_tools.definitions.base import DataMigration
from migrations_tools.exceptions import UnknownDefinition

D = TypeVar("D", bound=type[DataMigration])

_definitions: dict[str, type[DataMigration]] = {}


def register(definition: D) -> D:
    """Class decorator: make the definition known under its name."""
    known = _definitions.get(definition.name)
    if known is not None and known.__qualname__ != definition.__qualname__:
        raise ValueError(f"Two definitions are named {definition.name}.")
    _definitions[definition.name] = definition
    return definition


def get_definition(name: str) -> type[DataMigration]:
    """The definition called ``name``; raises UnknownDefinition naming the known ones."""
    try:
        return _definitions[name]
    except KeyError:
        known = ", ".join(sorted(_definitions)) or "none"
        raise UnknownDefinition(
            _("There is no data migration called “%(name)s”. Known: %(known)s.")
            % {"name": name, "known": known}
        ) from None


def all_definitions() -> list[type[DataMigration]]:
    """All definitions by name."""
    return [_definitions[name] for name in sorted(_definitions)]


def autodiscover() -> None:
    """Import ``data_migrations`` of every installed app, as the admin does with ``admin``."""
    autodiscover_modules("data_migrations")
