"""Scenarios of ``manage.py demo``: what each app shows of its data migrations.

Apps register theirs in a module ``demo_scenarios``, which is found like admin modules.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.utils.module_loading import autodiscover_modules


@dataclass(frozen=True)
class SampleFile:
    """A legacy file to generate and import: of which kind, and with how many rows."""

    kind: str
    name: str
    rows: int
    defects: float = 0.03  # share of rows with a fault that the migration has a rule for
    seed: int = 2024


@dataclass(frozen=True)
class Scenario:
    """One migration from its legacy files to the second run.

    ``edit`` changes a few carried-over rows as the given person would, and answers how many: the
    rollback then finds them changed, and leaves them as they are.
    """

    migration: str
    files: Sequence[SampleFile]
    edit: Callable[[User], int]


_scenarios: dict[str, Scenario] = {}


def register_scenario(scenario: Scenario) -> Scenario:
    _scenarios[scenario.migration] = scenario
    return scenario


def all_scenarios() -> list[Scenario]:
    """The scenarios of all installed apps, by migration."""
    autodiscover_modules("demo_scenarios")
    return [_scenarios[name] for name in sorted(_scenarios)]
