"""``split_imported_records``: every row of the old system becomes a guarantee in an import batch,
or an immutable action (guarantees.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, Q, Sum
from django.utils.translation import gettext_noop

from guarantees.data_migrations.split_batches import batch_kind
from guarantees.data_migrations.split_checks import CHECKS
from guarantees.data_migrations.split_links import (
    Known,
    compare_link,
    known_of,
    newest_guarantees,
)
from guarantees.data_migrations.split_values import (
    Warnings,
    amount_of,
    created_at_of,
    date_of,
    local_day,
    match_status_of,
    number_of,
    reference_of,
)
from guarantees.models import (
    ActionStatus,
    ActionType,
    Guarantee,
    GuaranteeAction,
    GuaranteeStatus,
    ImportBatch,
    ImportedRecord,
    MatchStatus,
)
from migrations_tools.definitions import (
    Apply,
    DataMigration,
    Insert,
    Outcome,
    RowSource,
    Skip,
    Step,
    TouchedSource,
    Unchanged,
    Update,
    Warning_,
    build,
    register,
)

#: Columns of a staged row that the migration looks at, beside those of its session.
COLUMNS = [
    "content_hash", "staged_at", "session_id", "raw_supplier_name", "raw_bank_name", "amount",
    "guarantee_number", "issue_date", "expiry_date", "match_status", "supplier_id", "bank_id",
    "created_at", "contract_number", "type", "comment", "related_to", "migrated_guarantee_id",
    "migrated_action_id",
]  # fmt: skip
ACTION_COLUMNS = [*COLUMNS, "bank_display", "supplier_display_name", "record_type"]

_READY = MatchStatus.READY.value
_NEEDS_REVIEW = MatchStatus.NEEDS_REVIEW.value
_ISSUED = ActionStatus.ISSUED.value
_RELEASE = ActionType.RELEASE.value
_ACTIVE = GuaranteeStatus.ACTIVE.value
_RELEASED = GuaranteeStatus.RELEASED.value


class GuaranteeStep(Step):
    """Import rows become guarantees, one each (N1, N5–N9, N13–N17)."""

    source = RowSource(ImportedRecord.objects.becoming_guarantees().with_session(), fields=COLUMNS)
    writes = [ImportBatch, Guarantee, ImportedRecord]
    shares = {ImportBatch: [("kind", "day"), ("legacy_ref",)]}

    def load(self, rows: Sequence[Any]) -> Known:
        return known_of(rows, Guarantee, "migrated_guarantee_id")

    def transform(self, row: Any, context: Known) -> Outcome:
        warnings: Warnings = []
        values = guarantee_values(row, context, warnings)
        if row.migrated_guarantee_id is not None or row.migrated_action_id is not None:
            return compare_link(row, values, Guarantee, context)
        guarantee = build(Guarantee, **values)
        batch = values["batch_id"]
        link = Update(row, migrated_guarantee=guarantee, import_batch=batch)
        return Apply((batch, Insert(guarantee), link), warnings)


def guarantee_values(row: Any, known: Known, warnings: Warnings) -> dict[str, Any]:
    """What the row says of a guarantee; its batch is an ``Ensure``."""
    created_at = created_at_of(row, warnings)
    day = local_day(created_at, known.zone)
    kind = batch_kind(row.session_type)
    supplier = reference_of(row.supplier_id, known.suppliers, "supplier", warnings)
    bank = reference_of(row.bank_id, known.banks, "bank", warnings)
    status = match_status_of(row.match_status)
    if supplier != row.supplier_id or bank != row.bank_id:
        status = _NEEDS_REVIEW
    amount = amount_of(row, warnings)
    expiry = date_of(row.expiry_date, "Expiry", known.day_first, warnings)
    return {
        "number": number_of(row, warnings),
        "raw_supplier_name": row.raw_supplier_name or "",
        "raw_bank_name": row.raw_bank_name or "",
        "supplier_id": supplier,
        "bank_id": bank,
        "contract_number": row.contract_number or "",
        "related_to": row.related_to or "",
        "amount": amount,
        "current_amount": amount,
        "issue_date": date_of(row.issue_date, "Issue", known.day_first, warnings),
        "expiry_date": expiry,
        "current_expiry": expiry,
        "type": row.type or "",
        "comment": row.comment or "",
        "match_status": status,
        "is_protected": status == _READY,
        "batch_id": known.batches.of(row, kind, day),
        "import_kind": kind,
        "import_date": day,
        "created_at": created_at,
    }


class ActionStep(Step):
    """Rows of extensions and releases become issued, locked actions; others are skipped
    (N2–N4, N10). The guarantees are there already, so that actions find theirs.
    """

    source = RowSource(
        ImportedRecord.objects.not_becoming_guarantees().with_session(), fields=ACTION_COLUMNS
    )
    writes = [GuaranteeAction, ImportedRecord]

    def load(self, rows: Sequence[Any]) -> Known:
        known = known_of(rows, GuaranteeAction, "migrated_action_id")
        known.guarantees = newest_guarantees(
            (row.pk, row.guarantee_number, created_at_of(row, []))
            for row in rows
            if row.action_type and row.guarantee_number
        )
        return known

    def transform(self, row: Any, context: Known) -> Outcome:
        linked = row.migrated_guarantee_id is not None or row.migrated_action_id is not None
        if not row.action_type and not linked:
            return Skip(
                "unsupported_type",
                gettext_noop("Rows of type “%(record_type)s” are not carried over.")
                % {"record_type": row.record_type},
            )
        warnings: Warnings = []
        values = action_values(row, context, warnings)
        if linked:
            return compare_link(row, values, GuaranteeAction, context)
        guarantee = context.guarantees.get(row.pk)
        if guarantee is None:
            warnings.append(
                Warning_(
                    "no_guarantee",
                    gettext_noop("No guarantee %(number)s was imported before it.")
                    % {"number": values["number"]},
                )
            )
        action = build(
            GuaranteeAction,
            guarantee_id=guarantee,
            status=_ISSUED,
            is_locked=True,
            issued_at=values["created_at"],
            **values,
        )
        return Apply((Insert(action), Update(row, migrated_action=action)), warnings)


def action_values(row: Any, known: Known, warnings: Warnings) -> dict[str, Any]:
    """What the row says of an action (N10)."""
    created_at = created_at_of(row, warnings)
    expiry = date_of(row.expiry_date, "Expiry", known.day_first, warnings)
    is_release = row.action_type == ActionType.RELEASE
    return {
        "number": number_of(row, warnings),
        "action_type": row.action_type,
        "action_date": local_day(created_at, known.zone),
        "previous_expiry": expiry if is_release else None,
        "new_expiry": None if is_release else expiry,
        "previous_amount": amount_of(row, warnings),
        "notes": row.comment or "",
        "supplier_id": reference_of(row.supplier_id, known.suppliers, "supplier", warnings),
        "bank_id": reference_of(row.bank_id, known.banks, "bank", warnings),
        "supplier_name": row.raw_supplier_name or "",
        "bank_name": row.raw_bank_name or "",
        "supplier_display_name": row.supplier_display_name or "",
        "bank_display_name": row.bank_display or "",
        "created_at": created_at,
    }


class TotalsStep(Step):
    """Batches count their guarantees, and those that are ready (N11)."""

    source = TouchedSource(ImportBatch)
    writes = [ImportBatch]
    derived = {ImportBatch: ["total_records", "ready_records"]}
    counted = False
    recomputed = True

    def load(self, rows: Sequence[Any]) -> dict[int, tuple[int, int]]:
        counted = (
            Guarantee.objects.filter(batch__in=[row.pk for row in rows])
            .order_by()
            .values("batch")
            .annotate(total=Count("pk"), ready=Count("pk", filter=Q(match_status=_READY)))
        )
        return {found["batch"]: (found["total"], found["ready"]) for found in counted}

    def transform(self, row: Any, context: dict[int, tuple[int, int]]) -> Outcome:
        total, ready = context.get(row.pk, (0, 0))
        if (row.total_records, row.ready_records) == (total, ready):
            return Unchanged()
        return Apply((Update(row, total_records=total, ready_records=ready),))


class CurrentStateStep(Step):
    """Guarantees are currently what their issued actions made of them (guarantees.md "Actions").

    What was imported stays; after a rollback it is what there is.
    """

    source = TouchedSource(
        Guarantee,
        through="actions",
        fields=["amount", "expiry_date", "current_amount", "current_expiry", "status"],
    )
    writes = [Guarantee]
    derived = {Guarantee: ["current_amount", "current_expiry", "status"]}
    counted = False
    recomputed = True

    def load(self, rows: Sequence[Any]) -> dict[int, list[Any]]:
        issued = (
            GuaranteeAction.objects.filter(guarantee__in=[row.pk for row in rows], status=_ISSUED)
            .order_by("issued_at", "pk")
            .values_list("guarantee", "action_type", "new_expiry", "new_amount")
        )
        actions: dict[int, list[Any]] = {}
        for guarantee, *action in issued:
            actions.setdefault(guarantee, []).append(action)
        return actions

    def transform(self, row: Any, context: dict[int, list[Any]]) -> Outcome:
        expiry, amount, status = row.expiry_date, row.amount, _ACTIVE
        for action_type, new_expiry, new_amount in context.get(row.pk, ()):
            expiry = expiry if new_expiry is None else new_expiry
            amount = amount if new_amount is None else new_amount
            if action_type == _RELEASE:
                status = _RELEASED
        if (row.current_expiry, row.current_amount, row.status) == (expiry, amount, status):
            return Unchanged()
        return Apply((Update(row, current_expiry=expiry, current_amount=amount, status=status),))


@register
class SplitImportedRecords(DataMigration):
    """Every row of the old guarantee system becomes a guarantee in an import batch, or an action
    that nobody can change any more; each old row keeps a link to what it became.
    """

    version = 1
    steps = [GuaranteeStep, ActionStep, TotalsStep, CurrentStateStep]
    checks = CHECKS
    cutover_key = "guarantees"

    @classmethod
    def risks(cls, summary: dict[str, Any]) -> list[str]:
        repeats = _repeats()
        if not repeats["rows"]:
            return []
        return [
            gettext_noop(
                "%(numbers)s guarantee numbers occur in several rows (%(rows)s in "
                "all); each row becomes a guarantee of its own, nothing is merged."
            )
            % {"numbers": repeats["numbers"], "rows": repeats["rows"]}
        ]

    @classmethod
    def health(cls) -> dict[str, Any]:
        """What waits for a run or for a person, and how often numbers repeat (N7)."""
        repeats = _repeats()
        unlinked = Q(migrated_guarantee__isnull=True, migrated_action__isnull=True)
        return {
            "rows": ImportedRecord.objects.count(),
            "not_linked": ImportedRecord.objects.filter(unlinked).count(),
            "needs_review": Guarantee.objects.filter(match_status=_NEEDS_REVIEW).count(),
            "repeated_numbers": repeats["numbers"],
            "rows_of_repeated_numbers": repeats["rows"],
        }


def _repeats() -> dict[str, int]:
    """How many numbers occur more than once, and in how many rows (N7)."""
    repeated = ImportedRecord.objects.becoming_guarantees().repeated_numbers()
    found = repeated.aggregate(numbers=Count("number"), total=Sum("rows"))
    return {"numbers": found["numbers"], "rows": found["total"] or 0}
