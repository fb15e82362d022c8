"""Stopping all runs at once, and letting them go on."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext

from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Governor
from migrations_tools.services.actors import require


def stop_all_runs(*, acting_user: User, surface: str, reason: str) -> Governor:
    """No worker begins a batch of any run until `let_runs_go`; batches in hand end."""
    require(acting_user, "run", surface=surface)
    if not reason.strip():
        raise CarryoverError(
            gettext("A stop of all runs needs a reason: everybody sees it."), code="reason_missing"
        )
    return _govern(True, reason, acting_user, surface)


def let_runs_go(*, acting_user: User, surface: str, reason: str = "") -> Governor:
    """Let runs that were stopped go on by themselves."""
    require(acting_user, "run", surface=surface)
    return _govern(False, reason, acting_user, surface)


def _govern(stopped: bool, reason: str, acting_user: User, surface: str) -> Governor:
    with transaction.atomic():
        governor, _ = Governor.objects.select_for_update().get_or_create(pk=1)
        governor.stopped, governor.reason, governor.changed_by = stopped, reason, acting_user
        governor.save()
        record_action(
            None,
            action="stop_all" if stopped else "let_go",
            acting_user=acting_user,
            surface=surface,
            reason=reason,
        )
    return governor
