"""The one door through which a run changes its state."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.utils.translation import gettext as _

from migrations_tools.doorbell import ring
from migrations_tools.exceptions import TransitionRefused
from migrations_tools.models import ReviewItem, Run, Transition
from migrations_tools.states import (
    RUN_TRANSITIONS,
    RUNNABLE_STATES,
    STATE_SENTENCES,
    WRITING_KINDS,
    RunState,
    Surface,
)


def change_state(
    run: Run,
    to_state: str,
    *,
    action: str,
    acting_user: AbstractBaseUser,
    surface: str,
    reason: str = "",
    **values: Any,
) -> Run:
    """Compare-and-set ``run.state``, set ``values`` with it, and write the transition.

    Workers are called where a person's change gives them something to do. Call it inside a
    transaction. Raises TransitionRefused where the table does not allow the change, or where
    another process changed the state first.
    """
    from_state = run.state
    if to_state not in RUN_TRANSITIONS[from_state]:
        raise TransitionRefused(
            _("Run %(run)s is %(state)s; it cannot become %(next)s. %(state_sentences)s")
            % {
                "run": run.pk,
                "state": RunState(from_state).label,
                "next": RunState(to_state).label,
                "state_sentences": _(STATE_SENTENCES[from_state]),
            },
            run=str(run.pk),
            state=from_state,
        )
    changed = Run.objects.filter(pk=run.pk, state=from_state).update(
        state=to_state, state_reason=reason, **values
    )
    if not changed:
        run.refresh_from_db()
        raise TransitionRefused(
            _("Run %(run)s became %(state)s meanwhile; look again.")
            % {"run": run.pk, "state": run.get_state_display()},
            run=str(run.pk),
            state=run.state,
        )
    run.state, run.state_reason = to_state, reason
    for name, value in values.items():
        setattr(run, name, value)
    if to_state == RunState.CANCELLED:  # what it will never carry out is open again
        ReviewItem.objects.filter(decision_run=run, applied_by=None).reopen()
    record_action(
        run,
        action=action,
        acting_user=acting_user,
        surface=surface,
        reason=reason,
        from_state=from_state,
        to_state=to_state,
    )
    if to_state in RUNNABLE_STATES and run.kind in WRITING_KINDS and surface != Surface.WORKER:
        ring(run)
    return run


def record_action(
    run: Run | None,
    *,
    action: str,
    acting_user: AbstractBaseUser,
    surface: str,
    reason: str = "",
    from_state: str = "",
    to_state: str = "",
    details: dict[str, Any] | None = None,
) -> Transition:
    """Write what a person or the system did, in the transaction of the deed."""
    return Transition.objects.create(
        run=run,
        action=action,
        from_state=from_state,
        to_state=to_state,
        actor_id=acting_user.pk,
        surface=surface,
        reason=reason,
        details=details or {},
    )
