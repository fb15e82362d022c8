"""Tones of states and outcomes: which of six colours a word has on every page."""

from __future__ import annotations

from typing import Final

from migrations_tools.states import Outcome, RunState, VerificationState

#: good, warn, bad, odd, info; every other state is quiet.
TONES: Final[dict[str, str]] = {
    RunState.PLANNED: "quiet",
    RunState.AWAITING_APPROVAL: "warn",
    RunState.QUEUED: "info",
    RunState.RUNNING: "info",
    RunState.THROTTLED: "warn",
    RunState.PAUSING: "warn",
    RunState.PAUSED: "warn",
    RunState.CANCELLING: "warn",
    RunState.CANCELLED: "quiet",
    RunState.NEEDS_ATTENTION: "bad",
    RunState.COMPLETED: "good",
    RunState.ROLLED_BACK: "quiet",
    RunState.PARTIALLY_ROLLED_BACK: "warn",
    Outcome.APPLIED: "good",
    Outcome.UNCHANGED: "quiet",
    Outcome.SKIPPED: "quiet",
    Outcome.REVIEW: "warn",
    Outcome.CONFLICT: "odd",
    Outcome.GONE: "quiet",
    Outcome.QUARANTINED: "bad",
    Outcome.RESTORED: "info",
    VerificationState.PASSED: "good",
    VerificationState.FAILED: "bad",
    # states of what sessions, lessons, guarantees and imports are in
    "active": "good",
    "scheduled": "info",
    "inactive": "quiet",
    "abandoned": "warn",
    "deleted": "bad",
    "expired": "bad",
    "released": "quiet",
    "issued": "good",
    "draft": "warn",
    "matched": "good",
    "unmatched": "bad",
    "confirmed": "good",
    "waitlisted": "warn",
    "waiting": "warn",
    "pending": "warn",
    "refused": "bad",
    "rejected": "bad",
    "done": "good",
    "open": "warn",
    "accepted": "good",
    "chosen": "good",
    "parked": "quiet",
    "live": "good",
    "shadow": "info",
    "dual_write": "info",
    "ramp_down": "info",
    "complete": "good",
    # tones are tones of themselves
    "good": "good",
    "warn": "warn",
    "bad": "bad",
    "info": "info",
    "odd": "odd",
}


def tone_of(state: str) -> str:
    """The tone of a state, an outcome, or of a tone itself."""
    return TONES.get(str(state), "quiet")
