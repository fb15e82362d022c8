"""What tests of new guarantees share: a clerk, dictionaries, a complete entry."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User

from guarantees.models import (
    Bank,
    BankAlias,
    Guarantee,
    ImportBatch,
    Supplier,
    SupplierAlias,
)
from guarantees.names import normalize_name
from tests.guarantees.services.acting import NIGHT, clerk

NOOR, RIYAD = "Al Noor Trading Company", "Riyad Bank"
ENTRY = {
    "number": "LG-1",
    "supplier": "al noor trading",
    "bank": "RIBL",
    "amount": "1,000.50",
    "contract": "C-7",
    "expiry_date": "31/12/2030",
}


def dictionaries() -> tuple[Supplier, Bank]:
    supplier = Supplier.objects.create(name=NOOR, normalized_name=normalize_name(NOOR))
    bank = Bank.objects.create(name_en=RIYAD, name_ar="بنك الرياض", short_code="RIBL")
    return supplier, bank


def keeper() -> User:
    """Somebody who may enter guarantees and decide names."""
    return clerk("add_guarantee", "change_guarantee", name="keeper")


def who(user: User | None = None) -> dict[str, Any]:
    return {"acting_user": user or keeper(), "surface": "api", "now": lambda: NIGHT}


def entry(**values: Any) -> dict[str, Any]:
    return ENTRY | values


def written() -> dict[str, int]:
    """How many rows there are of whatever an import, an entry or a decision writes."""
    tracked = (Guarantee, ImportBatch, SupplierAlias, BankAlias)
    models = [*tracked, *(model.history.model for model in tracked)]
    return {model.__name__: model._default_manager.count() for model in models}


def totals() -> list[tuple[str, int, int]]:
    """The batches with what they say they have, all of it checked against their guarantees."""
    found = []
    for batch in ImportBatch.objects.order_by("pk"):
        rows = batch.guarantees
        assert batch.total_records == rows.count()
        assert batch.ready_records == rows.filter(match_status="ready").count()
        found.append((batch.kind, batch.total_records, batch.ready_records))
    return found
