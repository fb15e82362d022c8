"""How many rows there are in every table that the migration writes: the same work, or no match."""

from __future__ import annotations

from django.db.models import Count

from guarantees.models import Guarantee, GuaranteeAction, ImportBatch, ImportedRecord
from migrations_tools.models import LedgerEntry, RowChange, Run
from migrations_tools.states import Operation


def counts_of(run: Run | None) -> dict[str, int]:
    """Rows by table; of ledger and journal those of ``run``, by outcome and by kind of write.

    Uses of shared objects are left out: there is one for each chunk, and chunks differ.
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
        counts[f"history of {name}"] = model.history.count()
    counts["guarantees of batches"] = sum(
        ImportBatch.objects.values_list("total_records", flat=True)
    )
    if run is not None:
        ledger = LedgerEntry.objects.filter(run=run).order_by().values_list("step", "outcome")
        for step, outcome, number in ledger.annotate(Count("pk")):
            counts[f"ledger {step} {outcome}"] = number
        journal = RowChange.objects.filter(run=run).exclude(operation=Operation.USE).order_by()
        written = journal.values_list("model", "operation")
        for label, operation, number in written.annotate(Count("pk")):
            counts[f"journal {label} {operation}"] = number
    return counts
