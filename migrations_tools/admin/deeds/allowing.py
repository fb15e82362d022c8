"""In which states a run has which button."""

from __future__ import annotations

from typing import Final

from migrations_tools.models import RetentionRecord, Run
from migrations_tools.selectors.summary import counts_of
from migrations_tools.states import (
    ACTIVE_STATES,
    WRITING_KINDS,
    Outcome,
    RunKind,
    RunState,
    VerificationState,
)


def is_writing(run: Run, *states: str) -> bool:
    return run.kind in WRITING_KINDS and run.state in states


def can_retry(run: Run) -> bool:
    completed = run.kind == RunKind.APPLY and run.state == RunState.COMPLETED
    if not completed or run.reviewed_id is not None:
        return False
    return bool(counts_of(run)["outcomes"][Outcome.QUARANTINED])


def _is_purged(run: Run) -> bool:
    return run.retention_records.filter(kind=RetentionRecord.Kind.PURGE).exists()


def can_verify(run: Run) -> bool:
    ended = run.started_at is not None and run.state not in ACTIVE_STATES | {RunState.PLANNED}
    waits = run.verification_state == VerificationState.WAITING
    return run.kind in WRITING_KINDS and ended and not waits and not _is_purged(run)


def can_roll_back(run: Run) -> bool:
    begun = ACTIVE_STATES | {RunState.COMPLETED, RunState.CANCELLED}
    if run.kind != RunKind.APPLY or run.state not in begun or run.started_at is None:
        return False
    return not _is_purged(run)


def can_try_rollback(run: Run) -> bool:
    return can_roll_back(run) and run.state not in ACTIVE_STATES


def can_force(run: Run) -> bool:
    partly = run.kind == RunKind.APPLY and run.state == RunState.PARTIALLY_ROLLED_BACK
    return partly and not _is_purged(run)


def can_purge(run: Run) -> bool:
    ended = {
        RunState.COMPLETED,
        RunState.CANCELLED,
        RunState.ROLLED_BACK,
        RunState.PARTIALLY_ROLLED_BACK,
    }
    return run.started_at is not None and run.state in ended and not _is_purged(run)


#: States in which a run can be cancelled.
CANCELLABLE: Final = ACTIVE_STATES - {RunState.CANCELLING} | {
    RunState.PLANNED,
    RunState.AWAITING_APPROVAL,
}
