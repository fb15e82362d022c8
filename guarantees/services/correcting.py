"""Correcting what was imported, while nothing protects it yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from guarantees.action_errors import GuaranteeProtected, NotFound
from guarantees.cutovers import write_both
from guarantees.models import Guarantee
from guarantees.services.actions.corrections import apply_changes, changes_asked
from guarantees.services.actions.finding import lock_guarantee_by_id
from guarantees.services.legacy_writing import write_legacy_correction
from migrations_tools.services.actors import require_permission
from migrations_tools.signing import history_reason, save


def correct_guarantee(
    guarantee_id: int,
    values: Mapping[str, Any],
    *,
    acting_user: User,
    surface: str,
    before: Callable[[Guarantee], None] | None = None,
) -> Guarantee:
    """Set imported values (field → value as people write it); what currently holds follows them.

    Values that stand already are no change. ``before`` is shown the locked guarantee and may
    refuse by raising. Raises PermissionRefused, NotFound, ValueRefused, NothingChanged, or
    GuaranteeProtected: a protected guarantee takes a modification instead.
    """
    require_permission(
        acting_user, "guarantees.change_guarantee", deed="correct a guarantee", surface=surface
    )
    with transaction.atomic():
        guarantee = lock_guarantee_by_id(guarantee_id)
        if guarantee is None:
            raise NotFound(
                _("There is no guarantee with the id %(guarantee_id)s.")
                % {"guarantee_id": guarantee_id}
            )
        if before is not None:
            before(guarantee)
        changes = changes_asked(guarantee, values)
        if guarantee.is_protected:
            raise GuaranteeProtected(
                _(
                    "Guarantee %(number)s is protected: its values change by an issued "
                    "modification only."
                )
                % {"number": guarantee.number},
                guarantee=guarantee.pk,
            )
        changed = apply_changes(guarantee, changes)
        write_both(
            legacy=lambda: write_legacy_correction(guarantee, changes),
            new=lambda: save(
                guarantee,
                acting_user=acting_user,
                reason=history_reason("correct", surface),
                update_fields=changed,
            ),
        )
    return guarantee
