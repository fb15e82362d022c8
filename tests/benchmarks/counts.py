"""How many rows there are in every table that the migration writes: the same work, or no match."""

from __future__ import annotations

from django.db.models import Count

from guarantees.data_migrations.split_imported_records import (
    CurrentStateStep,
    SplitImportedRecords,
)
from guarantees.models import Guarantee, GuaranteeAction, ImportBatch, ImportedRecord
from migrations_tools.models import LedgerEntry, RowChange, Run
from migrations_tools.states import Operation

#: The step that sets what guarantees currently are.
_CURRENT_STATE = SplitImportedRecords.steps.index(CurrentStateStep)


def counts_of(run: Run | None) -> dict[str, int]:
    """Rows by table; of ledger and journal those of ``run``, by outcome and by kind of write.

    Uses of shared objects are left out: there is one for each chunk, and chunks differ. So is
    which of the guarantees with actions came to be something else by them: it depends on dates
    that the hand-written SQL does not read.
    """
    linked = ImportedRecord.objects.aggregate(
        guarantees=Count("migrated_guarantee"),
        actions=Count("migrated_action"),
        batches=Count("import_batch"),
    )
    counts = {f"links to {name}": number for name, number in linked.items()}
    for model in (Guarantee, GuaranteeAction, ImportBatch):
        name = str(model._meta.verbose_name_plural)
        counts[name] = model._default_manager.count()
        history = model.history.all()
        if model is Guarantee:
            history = history.filter(history_type="+")
        counts[f"history of {name}"] = history.count()
    counts["guarantees of batches"] = sum(
        ImportBatch.objects.values_list("total_records", flat=True)
    )
    if run is not None:
        ledger = LedgerEntry.objects.filter(run=run).order_by().values_list("step", "outcome")
        for step, outcome, number in ledger.annotate(Count("pk")):
            told = outcome if step != _CURRENT_STATE else "looked at"
            counts[f"ledger {step} {told}"] = counts.get(f"ledger {step} {told}", 0) + number
        journal = RowChange.objects.filter(run=run).exclude(operation=Operation.USE).order_by()
        written = journal.values_list("model", "operation")
        for label, operation, number in written.annotate(Count("pk")):
            if (label, operation) != (Guarantee._meta.label_lower, Operation.UPDATE):
                counts[f"journal {label} {operation}"] = number
    return counts
