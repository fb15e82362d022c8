"""The data migrations and how far each of them is, for all surfaces."""

from __future__ import annotations

import dataclasses
from typing import Any

from django import forms

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.options import options_form
from migrations_tools.definitions.registry import all_definitions
from migrations_tools.models import Cutover, Run
from migrations_tools.selectors.completion import waiting_keys
from migrations_tools.selectors.reviews import awaiting_review
from migrations_tools.services.policies import policies_of
from migrations_tools.states import WRITING_KINDS, RunState

_TYPES: dict[type[forms.Field], str] = {
    forms.IntegerField: "integer",
    forms.FloatField: "number",
    forms.BooleanField: "boolean",
}


def definitions_told() -> list[dict[str, Any]]:
    """Every definition with its newest apply or rollback run, as JSON; one query."""
    newest = Run.objects.filter(kind__in=WRITING_KINDS).exclude(state=RunState.PLANNED)
    newest = newest.order_by("definition", "-created_at", "-id").distinct("definition")
    last = {run.definition: run for run in newest}
    return [told_briefly(found, last.get(found.name)) for found in all_definitions()]


def told_briefly(definition: type[DataMigration], last: Run | None) -> dict[str, Any]:
    """What a list shows of a definition; ``last`` is its newest run."""
    return {
        "name": definition.name,
        "title": definition.title(),
        "description": definition.description(),
        "version": definition.version,
        "depends_on": list(definition.depends_on),
        "cutover_key": definition.cutover_key,
        "last_run": None if last is None else str(last.pk),
        "kind": None if last is None else last.kind,
        "state": None if last is None else last.state,
        "verification": None if last is None else last.verification_state,
        "verified_at": None if last is None else last.verified_at,
    }


def definition_told(definition: type[DataMigration]) -> dict[str, Any]:
    """The same with options, and with the keys that wait: those are counted, which takes time."""
    runs = Run.objects.filter(definition=definition.name)
    writing = runs.filter(kind__in=WRITING_KINDS).exclude(state=RunState.PLANNED)
    cutover = Cutover.objects.filter(key=definition.cutover_key).first()
    return {
        **told_briefly(definition, writing.order_by("-created_at", "-id").first()),
        "options": options_told(definition.options),
        "policies": policies_of(definition.name),
        "pending": waiting_keys(definition),
        "awaiting_review": awaiting_review(definition.name),
        "active_runs": [str(pk) for pk in runs.active().values_list("pk", flat=True)],
        "cutover_stage": None if cutover is None else cutover.stage,
    }


def options_told(options: type[Any]) -> list[dict[str, Any]]:
    """Name, type, default, help and choices of each option of a dataclass."""
    fields = options_form(options)().fields
    return [
        {
            "name": item.name,
            "type": _TYPES.get(type(fields[item.name]), "string"),
            "default": item.default,
            "help": str(fields[item.name].help_text),
            "choices": [
                {"value": value, "label": str(label)}
                for value, label in getattr(fields[item.name], "choices", ())
            ],
        }
        for item in dataclasses.fields(options)
    ]
