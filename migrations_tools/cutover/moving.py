"""The one door through which a cutover changes its stage: by people, or by a spent budget."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_noop

from migrations_tools.cutover.believed import forget
from migrations_tools.cutover.stages import Stage
from migrations_tools.engine.clock import database_time
from migrations_tools.engine.transitions import record_action
from migrations_tools.models.cutover import Cutover
from migrations_tools.services.actors import system_user
from migrations_tools.states import Surface

#: Comparisons before a budget can be spent.
LEAST_COMPARISONS: Final = 20


def move_stage(
    cutover: Cutover,
    stage: str,
    *,
    acting_user: User,
    surface: str,
    reason: str,
    action: str = "cutover",
    read_percentage: int | None = None,
) -> Cutover:
    """Set the stage of a locked cutover, and write the transition. What was counted, and
    differences of an earlier shadow, begin anew with the stage. Preconditions are the caller's.
    """
    before = cutover.stage
    if stage != before:
        cutover.since = database_time()
        cutover.compared = cutover.mismatched = 0
        cutover.legacy_ms = cutover.new_ms = 0.0
    if stage == Stage.SHADOW != before:
        cutover.mismatches.all().delete()
    cutover.stage = stage
    if read_percentage is not None:
        cutover.read_percentage = read_percentage
    cutover.save()
    record_action(
        None,
        action=action,
        acting_user=acting_user,
        surface=surface,
        reason=reason,
        from_state=before,
        to_state=stage,
        details={"cutover": cutover.key, "read_percentage": cutover.read_percentage},
    )
    transaction.on_commit(lambda: forget(cutover.key))
    return cutover


def step_back_if_over_budget(name: str) -> None:
    """From shadow to dual write, by itself, where differences or slowness spend a budget."""
    with transaction.atomic():
        cutover = Cutover.objects.select_for_update().filter(key=name, stage=Stage.SHADOW).first()
        reason = "" if cutover is None else spent_budget(cutover)
        if cutover is not None and reason:
            move_stage(
                cutover,
                Stage.DUAL_WRITE,
                acting_user=system_user(),
                surface=Surface.WORKER,
                reason=reason,
                action="step_back",
            )


def spent_budget(cutover: Cutover) -> str:
    """Which budget the comparisons of the stage have spent, in a sentence; "" for none."""
    if cutover.compared < LEAST_COMPARISONS:
        return ""
    share = cutover.mismatched / cutover.compared
    latency = cutover.new_ms / cutover.compared
    if share > cutover.mismatch_budget:
        return gettext_noop("%(share)s of %(compared)s comparisons differ") % {
            "share": f"{share:.1%}",
            "compared": cutover.compared,
        }
    if latency > cutover.latency_budget_ms:
        return gettext_noop("the new side takes %(latency)s ms on average") % {
            "latency": f"{latency:.0f}"
        }
    return ""
