"""What a worker knows of the run it works on."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from django.db.models import Model

from migrations_tools.definitions.base import DataMigration, Step
from migrations_tools.definitions.options import parse_options
from migrations_tools.definitions.registry import get_definition
from migrations_tools.definitions.sources import TouchedSource
from migrations_tools.engine.clock import database_time
from migrations_tools.engine.planned import PlannedKeys
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
    _planned: dict[int, PlannedKeys | None] = field(default_factory=dict)

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
        return self.run.started_at or database_time()

    def selection(self, step: int, *, sweeping: bool = False) -> Selection:
        found = self._selections.get((step, sweeping))
        if found is None:
            found = self._selections[step, sweeping] = Selection.of(
                self.run, step, sweeping=sweeping
            )
        return found

    def planned(self, step: int) -> PlannedKeys | None:
        """The keys of a step that the run's plan foresaw; None where it has no plan.

        Keys of a step over the run's own output are other ones each time.
        """
        if step not in self._planned:
            self._planned[step] = self._planned_keys(step)
        return self._planned[step]

    def _planned_keys(self, step: int) -> PlannedKeys | None:
        plan = self.run.plan_id
        if plan is None or not self.steps[step].counted:
            return None
        others = Run.objects.standing().made_since(plan).exclude(pk=self.run.pk)
        return PlannedKeys(
            plan, step, self.steps[step].source, list(others.values_list("pk", flat=True))
        )

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
