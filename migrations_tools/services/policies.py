"""What has to come before a real run: a second person, a dry run, a rehearsal (SPEC §2.5).

The setting CARRYOVER_POLICIES names them for each data migration, or for all (``*``); it is empty
unless somebody sets it.
"""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.fingerprint import differences, fingerprint
from migrations_tools.engine.transitions import change_state
from migrations_tools.exceptions import CarryoverError, PlanDrift, TransitionRefused
from migrations_tools.models import Run
from migrations_tools.services.actors import require, system_user
from migrations_tools.services.queueing import lock_queue, refuse_while_active, store_run
from migrations_tools.states import RunKind, RunState
from migrations_tools.told import told

APPROVAL: Final = "approval"  # a second person says yes
DRY_RUN: Final = "dry_run"  # a dry run of the same options came to its end
REHEARSAL: Final = "rehearsal"  # a part was applied, verified, rolled back and verified
POLICIES: Final = (APPROVAL, DRY_RUN, REHEARSAL)

#: In the report of an apply run that was one: it was rolled back, and both verifications passed.
REHEARSED: Final = "rehearsed"


class PolicyRefused(CarryoverError):
    """Something has to be done before the real run; the message says what."""

    code = "policy"


def policies_of(name: str) -> list[str]:
    """The policies of a data migration."""
    policies: dict[str, list[str]] = getattr(settings, "CARRYOVER_POLICIES", {})
    return [*policies.get("*", []), *policies.get(name, [])]


def refuse_unprepared(run: Run, evidence: dict[str, Any]) -> None:
    """Raise PolicyRefused where a dry run or a rehearsal is missing.

    ``evidence`` is the fingerprint of now: a dry run counts while it still fits, and only if it
    tried all keys that the run will; a rehearsal while code, options and schema are those of the
    run.
    """
    policies = policies_of(run.definition)
    tried = [
        former
        for former in _former(run, RunKind.DRY_RUN, RunState.COMPLETED)
        if former.tuning.get("limit") in {None, run.tuning.get("limit")}
    ]
    if DRY_RUN in policies and not _fits(tried, evidence):
        raise PolicyRefused(
            _(
                "%(definition)s needs a dry run of what is there now, with the same "
                "options: datamigrate run %(definition)s --dry-run"
            )
            % {"definition": run.definition},
            code="dry_run_required",
        )
    without = {name: value for name, value in evidence.items() if name != "evidence"}
    rehearsed = [
        former
        for former in _former(run, RunKind.APPLY, RunState.ROLLED_BACK)
        if former.report.get(REHEARSED)
    ]
    if REHEARSAL in policies and not _fits(rehearsed, without):
        raise PolicyRefused(
            _("%(definition)s needs a rehearsal first: datamigrate rehearse %(definition)s")
            % {"definition": run.definition},
            code="rehearsal_required",
        )


def _former(run: Run, kind: str, state: str) -> list[Run]:
    found = Run.objects.filter(definition=run.definition, kind=kind, state=state)
    return list(found.filter(parent=None).order_by("-created_at")[:50])


def _fits(candidates: list[Run], now: dict[str, Any]) -> bool:
    return any(not differences(former.fingerprint, now) for former in candidates)


def needs_approval(name: str) -> bool:
    return APPROVAL in policies_of(name)


def await_approval(run: Run, acting_user: User, surface: str) -> None:
    """Store a run that a second person has to approve. Call it inside a transaction."""
    store_run(run)
    change_state(
        run,
        RunState.AWAITING_APPROVAL,
        action="ask_approval",
        acting_user=acting_user,
        surface=surface,
        reason=run.reason,
    )


def approve_run(run: Run, *, acting_user: User, surface: str, reason: str = "") -> Run:
    """Queue a run that waits for approval. Whoever asked for it cannot approve it, and the system
    account, which is nobody, approves nothing.

    Raises PlanDrift where code, options, schema or data changed since it was asked for.
    """
    require(acting_user, "approve", surface=surface, run=run)
    if run.actor_id == acting_user.pk:
        raise PolicyRefused(
            _("%(user)s asked for run %(run)s: a second person approves it.")
            % {"user": acting_user.get_username(), "run": run.pk},
            code="second_person",
            run=str(run.pk),
        )
    if acting_user.pk == system_user().pk:
        raise PolicyRefused(
            _(
                "Run %(run)s is approved by a person, not by the system account: set "
                "CARRYOVER_ACTOR to the account of one who may."
            )
            % {"run": run.pk},
            code="second_person",
            run=str(run.pk),
        )
    with transaction.atomic():
        lock_queue()
        locked = _awaiting(run)
        refuse_while_active(_definition(locked))
        drift = differences(locked.fingerprint, fingerprint(RunContext.of(locked)))
        if drift:
            raise PlanDrift(
                _(
                    "Run %(run)s cannot be approved as it was asked for: %(drift)s Cancel it "
                    "and run anew."
                )
                % {"run": run.pk, "drift": " ".join(map(told, drift))},
                differences=drift,
            )
        return change_state(
            locked,
            RunState.QUEUED,
            action="approve",
            acting_user=acting_user,
            surface=surface,
            reason=reason,
        )


def _awaiting(run: Run) -> Run:
    locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    if locked.state != RunState.AWAITING_APPROVAL:
        raise TransitionRefused(
            _("Run %(run)s is %(state)s: it does not wait for approval.")
            % {"run": run.pk, "state": locked.get_state_display()},
            run=str(run.pk),
            state=locked.state,
        )
    return locked


def _definition(run: Run) -> type[DataMigration]:
    return get_definition(run.definition)
