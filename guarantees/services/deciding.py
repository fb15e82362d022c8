"""Both names of a guarantee decided in one step (guarantees.md "Name matching")."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from guarantees.services.matching import Decided, decide_bank, decide_supplier
from migrations_tools.services.actors import require_permission


def decide_names(
    guarantee_id: int,
    *,
    supplier_id: int | None = None,
    bank_id: int | None = None,
    acting_user: User,
    surface: str,
    reason: str = "",
) -> Decided:
    """Supplier, bank, or both, as `decide_supplier`; both are decided or none.

    Raises ValueError where neither is named.
    """
    named = [(decide_supplier, supplier_id), (decide_bank, bank_id)]
    asked = [(decide, pk) for decide, pk in named if pk is not None]
    if not asked:
        raise ValueError("neither a supplier nor a bank is named")
    # asked before the transaction, so that the record of a refusal outlives it
    require_permission(
        acting_user,
        "guarantees.change_guarantee",
        deed="decide the names of a guarantee",
        surface=surface,
    )
    by: dict[str, Any] = {"acting_user": acting_user, "surface": surface, "reason": reason}
    with transaction.atomic():
        steps = [decide(guarantee_id, pk, **by) for decide, pk in asked]
    return Decided(
        steps[-1].guarantee,
        sorted({pk for step in steps for pk in step.guarantees}),
        sum(step.ready for step in steps),
        any(step.has_taught for step in steps),
    )
