"""Who may act on guarantees: Django's permissions; a refusal is recorded."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction

from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import PermissionRefused


def require(user: User, permission: str, *, deed: str, surface: str) -> None:
    """Refuse, on record, what ``user`` may not do. Call it before the transaction.

    ``permission`` is one of the app's, such as ``add_guaranteeaction``. Raises PermissionRefused.
    """
    if user.is_active and user.has_perm(f"guarantees.{permission}"):
        return
    with transaction.atomic():
        record_action(
            None,
            action="refused",
            acting_user=user,
            surface=surface,
            details={"permission": permission, "deed": deed},
        )
    raise PermissionRefused(
        f"{user.get_username()} may not {deed}: the permission “{permission}” is missing.",
        permission=permission,
    )
