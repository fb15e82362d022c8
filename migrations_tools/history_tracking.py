"""Field history by django-simple-history, the same way in every app (SPEC §10)."""

from __future__ import annotations

from typing import Any

from django.db import models
from simple_history.models import HistoricalRecords


class _TrackedHistory(HistoricalRecords):
    """History without copies of the tracked model's indexes.

    Of the copied columns only the key keeps one, for "history of this object". The others would
    be written a second time for every change and are never searched by.
    """

    def copy_fields(self, model: type[models.Model]) -> dict[str, models.Field[Any, Any]]:
        fields: dict[str, models.Field[Any, Any]] = super().copy_fields(model)
        for name, field in fields.items():
            field.db_index = name == model._meta.pk.name  # type: ignore[attr-defined]  # not in stubs
        return fields


def tracked_history(**options: Any) -> HistoricalRecords:
    """The ``history`` attribute of a tracked model; ``options`` are those of the package.

    Keys are 64 bits wide; the type of the reason and the date index are settings.
    """
    options.setdefault("history_id_field", models.BigAutoField())
    return _TrackedHistory(**options)
