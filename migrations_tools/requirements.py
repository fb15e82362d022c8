"""Guarding code that needs the result of a data migration."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.utils.translation import gettext as _

from migrations_tools.definitions.registry import get_definition
from migrations_tools.exceptions import DataMigrationUnfinished
from migrations_tools.selectors.completion import waiting_keys

P = ParamSpec("P")
R = TypeVar("R")

#: Seconds for which the answer “done” is believed without asking the database again.
BELIEVED_SECONDS = 5.0

#: Data migration → functions that need it, as ``module.function``; read by the system checks.
guarded: dict[str, list[str]] = {}

_done_until: dict[str, float] = {}


def requires_data_migration(name: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Decorator: calls raise DataMigrationUnfinished while keys of ``name`` wait.

    A system check tells of unknown names, and with ``check --database default`` of migrations
    that are not done.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        guarded.setdefault(name, []).append(f"{function.__module__}.{function.__qualname__}")

        @functools.wraps(function)
        def guard(*args: P.args, **kwargs: P.kwargs) -> R:
            refuse_unfinished(name)
            return function(*args, **kwargs)

        return guard

    return decorate


def refuse_unfinished(name: str) -> None:
    """Raise DataMigrationUnfinished unless every key of ``name`` was looked at."""
    if _done_until.get(name, 0.0) > time.monotonic():
        return
    waiting = waiting_keys(get_definition(name))
    if waiting:
        raise DataMigrationUnfinished(
            _(
                "%(waiting)s keys of %(name)s are not carried over yet: run “datamigrate "
                "run %(name)s” first."
            )
            % {"waiting": f"{waiting:,}", "name": name},
            migration=name,
            keys=waiting,
        )
    _done_until[name] = time.monotonic() + BELIEVED_SECONDS
