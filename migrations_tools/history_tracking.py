"""Field history by django-simple-history, the same way in every app (SPEC §10)."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import signals
from simple_history.models import HistoricalRecords


class _TrackedHistory(HistoricalRecords):
    """History without copies of the tracked model's indexes, and for its proxies too.

    Of the copied columns only the key keeps an index, for "history of this object". The others
    would be written a second time for every change and are never searched by. A proxy sends its
    signals under its own name, which the package does not listen to, and does not inherit where
    the history is to be found.
    """

    def finalize(self, sender: type[models.Model], **kwargs: Any) -> None:
        if not (sender._meta.proxy and sender._meta.concrete_model is self.cls):
            super().finalize(sender, **kwargs)
            return
        sender._meta.simple_history_manager_attribute = self.manager_name  # type: ignore[attr-defined]  # the package's own
        for signal, receiver in (
            (signals.post_save, self.post_save),
            (signals.pre_delete, self.pre_delete),
            (signals.post_delete, self.post_delete),
        ):
            signal.connect(receiver, sender=sender, weak=False)

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
