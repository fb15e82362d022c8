"""A row of the old guarantee system beside the guarantee, or the action, that it became."""

from __future__ import annotations

from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from guarantees.data_migrations.split_imported_records import action_values, guarantee_values
from guarantees.data_migrations.split_links import COMPARED, OPEN, known_of
from guarantees.models import Guarantee, GuaranteeAction, ImportedRecord
from migrations_tools.comparisons import Comparison, FieldPair, Origin, comes_from, compares

#: Steps of the migration whose keys are rows of the old system.
_ROW_STEPS = (0, 1)


@compares("split_imported_records")
def compare_record(step: int, key: str) -> Comparison | None:
    """By the id of the old row, whichever of the two steps is asked for."""
    if step not in _ROW_STEPS or not (key.isascii() and key.isdigit() and len(key) < 19):
        return None
    rows = ImportedRecord.objects
    becoming = rows.becoming_guarantees().with_session().filter(pk=int(key)).first()
    if becoming is not None:
        known = known_of([becoming], Guarantee, "migrated_guarantee_id")
        said = guarantee_values(becoming, known, [])
        return _compared(becoming, said, Guarantee, becoming.migrated_guarantee)
    other = rows.not_becoming_guarantees().with_session().filter(pk=int(key)).first()
    if other is None:
        return None
    known = known_of([other], GuaranteeAction, "migrated_action_id")
    return _compared(other, action_values(other, known, []), GuaranteeAction, other.migrated_action)


@comes_from(Guarantee, GuaranteeAction)
def old_row_of(obj: Guarantee | GuaranteeAction) -> Origin | None:
    """The row that a guarantee or an action was made of; None for what was made here."""
    row = obj.legacy_records.order_by("pk").values_list("pk", flat=True).first()
    step = 0 if isinstance(obj, Guarantee) else 1
    return None if row is None else ("split_imported_records", step, str(row))


def _compared(
    row: ImportedRecord, said: dict[str, Any], model: type[Model], became: Model | None
) -> Comparison:
    fields = []
    for name in COMPARED[model]:
        if name == "batch_id":  # told by kind and day
            continue
        field = model._meta.get_field(name.removesuffix("_id"))
        legacy = said[name]
        fields.append(
            FieldPair(
                getattr(field, "verbose_name", name),
                legacy,
                None if became is None else getattr(became, name),
                # what the old row leaves open people decide here
                compared=not (name in OPEN and legacy == OPEN[name]),
            )
        )
    title = _("Legacy record %(id)s") % {"id": row.pk}
    return Comparison(title, [row], [] if became is None else [became], fields)
