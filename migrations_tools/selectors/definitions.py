"""How far every data migration is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q
from django_celery_beat.models import PeriodicTask

from migrations_tools.cutover.keys import CutoverKey, all_cutovers
from migrations_tools.cutover.stages import Stage
from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.registry import all_definitions
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.plan import selected_keys
from migrations_tools.models import Cutover, Run
from migrations_tools.selectors.completion import waiting_keys
from migrations_tools.states import WRITING_KINDS, RunKind


@dataclass(frozen=True)
class DefinitionState:
    """``pending`` keys wait for a run (`waiting_keys`, on all surfaces); ``last`` is its newest
    apply or rollback run, ``verified`` the run that was verified last. ``stage`` is that of its
    cutover, "" for none.
    """

    definition: type[DataMigration]
    pending: int
    last: Run | None
    verified: Run | None
    cutover: CutoverKey | None
    stage: str
    scheduled: bool


def definition_states(
    definitions: Sequence[type[DataMigration]] | None = None,
) -> list[DefinitionState]:
    """Of all definitions, or of these; the number of queries does not grow with their runs."""
    found = all_definitions() if definitions is None else list(definitions)
    names = [definition.name for definition in found]
    keys = {key.definition: key for key in all_cutovers()}
    stages = dict(Cutover.objects.values_list("key", "stage"))
    last = _newest(Run.objects.filter(kind__in=WRITING_KINDS), names, "created_at")
    verified = _newest(Run.objects.exclude(verified_at=None), names, "verified_at")
    scheduled = _scheduled(names)
    states = []
    for definition in found:
        key = keys.get(definition.name)
        states.append(
            DefinitionState(
                definition=definition,
                pending=waiting_keys(definition),
                last=last.get(definition.name),
                verified=verified.get(definition.name),
                cutover=key,
                stage="" if key is None else str(stages.get(key.name, Stage.OFF)),
                scheduled=definition.name in scheduled,
            )
        )
    return states


def selected_by(definition: type[DataMigration], options: Mapping[str, Any]) -> int:
    """Keys of counted steps that a run with these options would look at: those that wait, and
    those that runs before left to a person or set aside.
    """
    run = Run(
        definition=definition.name,
        version=definition.version,
        kind=RunKind.PLAN,
        options=dict(options),
    )
    return sum(selected_keys(RunContext.of(run)).values())


def _newest(runs: Any, names: Sequence[str], by: str) -> dict[str, Run]:
    """The newest run of each definition, in two queries."""
    newest = runs.filter(definition__in=names).order_by().values("definition").annotate(at=Max(by))
    wanted = Q(pk=None)
    for row in newest:
        wanted |= Q(definition=row["definition"], **{by: row["at"]})
    return {run.definition: run for run in runs.filter(wanted).select_related("actor")}


def _scheduled(names: Sequence[str]) -> set[str]:
    """Definitions that a schedule of Celery's beat names."""
    tasks = PeriodicTask.objects.filter(enabled=True).values_list("args", "kwargs")
    told = [f"{arguments} {keywords}" for arguments, keywords in tasks]
    return {name for name in names if any(f'"{name}"' in text for text in told)}
