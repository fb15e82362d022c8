"""What a worker knows of the run it works on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Model
from django.utils import timezone

from migrations_tools.definitions.base import DataMigration, Step
from migrations_tools.definitions.options import parse_options
from migrations_tools.definitions.registry import get_definition
from migrations_tools.definitions.sources import TouchedSource
from migrations_tools.engine.selection import Selection
from migrations_tools.models import Run
from migrations_tools.states import RunKind

#: Shared objects whose keys a worker remembers; forgotten ones are looked up again.
MOST_REMEMBERED = 2_000


@dataclass
class RunContext:
    """One run in one worker process. ``ensured`` remembers shared objects: identity → key."""

    run: Run
    definition: type[DataMigration]
    options: Any
    ensured: dict[Any, Any] = field(default_factory=dict)
    _selections: dict[tuple[int, bool], Selection] = field(default_factory=dict)

    @classmethod
    def of(cls, run: Run) -> RunContext:
        definition = get_definition(run.definition)
        return cls(run, definition, parse_options(definition.options, run.options))

    @cached_property
    def steps(self) -> list[Step]:
        return [step(self.options) for step in self.definition.steps]

    @property
    def writes_records_apart(self) -> bool:
        """Plans and dry runs keep their own record while their data is rolled back."""
        return self.run.kind in {RunKind.PLAN, RunKind.DRY_RUN}

    @property
    def now(self) -> datetime:
        """The run's one clock: the moment it started."""
        return self.run.started_at or timezone.now()

    def selection(self, step: int, *, sweeping: bool = False) -> Selection:
        found = self._selections.get((step, sweeping))
        if found is None:
            found = self._selections[step, sweeping] = Selection.of(
                self.run, step, sweeping=sweeping
            )
        return found

    @cached_property
    def _carried_from(self) -> set[type[Model]]:
        """Models that are read as sources and so are not inserted by this definition."""
        sources = [step.source for step in self.steps]
        return {found.model for found in sources if not isinstance(found, TouchedSource)}

    def image_columns(self, model: type[Model]) -> list[str] | None:
        """Columns of the image that an updated row keeps; None for rows of a source."""
        if model in self._carried_from:
            return None
        columns: list[str] = self.run.columns[model._meta.label_lower]
        return columns

    def forget_shared(self) -> None:
        """Between batches: keep memory flat however many shared objects a run has."""
        if len(self.ensured) > MOST_REMEMBERED:
            self.ensured = {}

    def derived(self, model: type[Model]) -> set[str]:
        return self.definition.derived_columns(model)
