"""Who acts: people, or the system account."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import PermissionRefused
from migrations_tools.models import Run
from migrations_tools.states import Surface
from migrations_tools.text import storable_text

SYSTEM_USERNAME = "system"


def system_user() -> User:
    """The account commands act as: all rights, no password, made when first needed."""
    user, made = get_user_model().objects.get_or_create(
        username=SYSTEM_USERNAME, defaults={"is_superuser": True, "is_staff": False}
    )
    if made:
        user.set_unusable_password()
        user.save(update_fields=["password"])
    return user


def acting_user_from_environment(surface: str = Surface.COMMAND) -> User:
    """Whom a command acts as: ``CARRYOVER_ACTOR`` or the system account.

    Raises PermissionRefused where the named person does not exist or is inactive.
    """
    name = getattr(settings, "CARRYOVER_ACTOR", "")
    if not name:
        return system_user()
    user = get_user_model().objects.filter(username=name, is_active=True).first()
    if user is None:
        raise PermissionRefused(
            _("CARRYOVER_ACTOR names “%(name)s”, who is no active user.") % {"name": name},
            actor=name,
        )
    return user


def require(user: User, permission: str, *, surface: str, run: Run | None = None) -> None:
    """Refuse, on record, what ``user`` may not do; ``permission`` is one of Run's (``run`` …)."""
    require_permission(user, f"migrations_tools.{permission}", surface=surface, run=run)


def require_permission(
    user: User, permission: str, *, surface: str, deed: str = "", run: Run | None = None
) -> None:
    """Refuse, on record, what ``user`` may not do. Call it before the transaction.

    ``permission`` is one of Django's, such as ``guarantees.add_guarantee``; ``deed`` says in words
    what it is asked for. Raises PermissionRefused.
    """
    if user.is_active and user.has_perm(permission):
        return
    name = permission.partition(".")[2]
    details = {"permission": name} | ({"deed": deed} if deed else {})
    record_refusal(user, surface=surface, run=run, **details)
    raise PermissionRefused(
        _("%(user)s may not %(deed)s: the permission “%(name)s” is missing.")
        % {"user": user.get_username(), "deed": _(deed) if deed else _("do this"), "name": name},
        permission=name,
    )


def record_refusal(user: User, *, surface: str, run: Run | None = None, **details: str) -> None:
    """Keep that ``user`` was refused, and what; characters that no column holds are replaced."""
    kept = {name: storable_text(text) for name, text in details.items()}
    with transaction.atomic():
        record_action(run, action="refused", acting_user=user, surface=surface, details=kept)
