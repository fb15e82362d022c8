"""Correcting what was imported, while nothing protects it yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from guarantees.action_errors import GuaranteeProtected, NotFound
from guarantees.models import Guarantee
from guarantees.services.actions.corrections import apply_changes, changes_asked
from guarantees.services.actions.finding import lock_guarantee_by_id
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import history_reason, save


def correct_guarantee(
    guarantee_id: int, values: Mapping[str, Any], *, acting_user: User, surface: str
) -> Guarantee:
    """Set imported values (field → value as people write it); what currently holds follows them.

    Values that stand already are no change. Raises PermissionRefused, NotFound, ValueRefused,
    NothingChanged, or GuaranteeProtected: a protected guarantee takes a modification instead.
    """
    require_permission(
        acting_user, "guarantees.change_guarantee", deed="correct a guarantee", surface=surface
    )
    with transaction.atomic():
        guarantee = lock_guarantee_by_id(guarantee_id)
        if guarantee is None:
            raise NotFound(f"There is no guarantee with the id {guarantee_id}.")
        changes = changes_asked(guarantee, values)
        if guarantee.is_protected:
            raise GuaranteeProtected(
                f"Guarantee {guarantee.number} is protected: its values change by an issued "
                "modification only.",
                guarantee=guarantee.pk,
            )
        changed = apply_changes(guarantee, changes)
        save(
            guarantee,
            acting_user=acting_user,
            reason=history_reason("correct", surface),
            update_fields=changed,
        )
    return guarantee
