"""Filters of lists whose choices are known without looking at the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from migrations_tools.cutover.stages import Stage
from migrations_tools.definitions.registry import all_definitions
from migrations_tools.states import RunState


class DefinitionFilter(admin.SimpleListFilter):
    """By data migration; those that are gone are found by the search."""

    title = _("data migration")
    parameter_name = "definition"
    path = "definition"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, str]]:
        return [(definition.name, definition.title()) for definition in all_definitions()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**{self.path: self.value()}) if self.value() else queryset


class RunDefinitionFilter(DefinitionFilter):
    """By the data migration of the run."""

    path = "run__definition"


class ValuesFilter(admin.AllValuesFieldListFilter):
    """The values of a column; blank has a word, since a link without one can be neither read nor
    found.
    """

    def choices(self, changelist: Any) -> Iterator[Any]:
        for choice in super().choices(changelist):
            yield choice | {"display": choice["display"] or _("(blank)")}


class StateFilter(admin.SimpleListFilter):
    """By the state of a run, or the stage of a cutover, that was reached."""

    title = _("to state")
    parameter_name = "to_state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        return [*RunState.choices, *Stage.choices]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(to_state=self.value()) if self.value() else queryset


class ConfidenceFilter(admin.SimpleListFilter):
    """By how sure the migration is."""

    title = _("confidence")
    parameter_name = "confidence"

    #: name → (words, from, below); a confidence of 1 is high
    RANGES = {
        "low": (_("below 0.5"), 0.0, 0.5),
        "middle": (_("0.5 to 0.8"), 0.5, 0.8),
        "high": (_("0.8 and more"), 0.8, 1.01),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> Sequence[tuple[str, Any]]:
        return [(name, words) for name, (words, _from, _below) in self.RANGES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        found = self.RANGES.get(self.value() or "")
        if found is None:
            return queryset
        return queryset.filter(confidence__gte=found[1], confidence__lt=found[2])
