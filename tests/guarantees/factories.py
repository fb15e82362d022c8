"""Factories of the guarantee department's objects, and of the journal entries of a run."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db.models import Model
from factory.declarations import LazyAttribute, Sequence, SubFactory, Trait
from factory.django import DjangoModelFactory

from guarantees.models import (
    ActionSession,
    ActionStatus,
    ActionType,
    Bank,
    BatchKind,
    Guarantee,
    GuaranteeAction,
    ImportBatch,
    MatchStatus,
    Supplier,
)
from migrations_tools.models import Batch, RowChange, Run
from migrations_tools.states import Operation, RunKind

NOON = datetime(2025, 5, 1, 12, tzinfo=UTC)


class SupplierFactory(DjangoModelFactory[Supplier]):
    class Meta:
        model = Supplier

    name = Sequence("Supplier {}".format)


class BankFactory(DjangoModelFactory[Bank]):
    class Meta:
        model = Bank

    name_en = Sequence("Bank {}".format)


class ImportBatchFactory(DjangoModelFactory[ImportBatch]):
    class Meta:
        model = ImportBatch

    kind = BatchKind.EXCEL
    file_name = "guarantees.xlsx"


class GuaranteeFactory(DjangoModelFactory[Guarantee]):
    class Meta:
        model = Guarantee

    class Params:
        protected = Trait(is_protected=True, match_status=MatchStatus.READY)

    number = Sequence("G-{}".format)
    batch = SubFactory(ImportBatchFactory)
    import_kind = BatchKind.EXCEL
    import_date = date(2025, 5, 1)
    amount = Decimal("1000.00")
    current_amount = Decimal("1000.00")
    expiry_date = date(2025, 12, 31)
    current_expiry = date(2025, 12, 31)
    created_at = NOON


class ActionSessionFactory(DjangoModelFactory[ActionSession]):
    class Meta:
        model = ActionSession

    day = date(2025, 5, 1)


class GuaranteeActionFactory(DjangoModelFactory[GuaranteeAction]):
    class Meta:
        model = GuaranteeAction

    class Params:
        issued = Trait(status=ActionStatus.ISSUED, is_locked=True, issued_at=NOON)

    guarantee = SubFactory(GuaranteeFactory)
    number = LazyAttribute(lambda action: action.guarantee.number)
    action_type = ActionType.EXTENSION
    action_date = date(2025, 5, 1)
    created_at = NOON


def run(kind: RunKind = RunKind.APPLY, parent: Run | None = None) -> Run:
    actor, _ = get_user_model().objects.get_or_create(username="operator")
    return Run.objects.create(
        definition="split_imported_records", version=1, kind=kind, parent=parent, actor=actor
    )


def journal(entry_of: Run, operation: Operation, obj: Model) -> RowChange:
    """A journal entry as the engine writes it, in the current transaction."""
    batch, _ = Batch.objects.get_or_create(run=entry_of, step=0, number=1)
    return RowChange.objects.create(
        run=entry_of,
        batch=batch,
        step=0,
        model=obj._meta.label_lower,
        pk_text=str(obj.pk),
        operation=operation,
        digest=b"",
    )
