"""Health of the database and of the migrations, as JSON (SPEC §3)."""

from __future__ import annotations

from typing import Any

from migrations_tools.definitions.registry import all_definitions
from migrations_tools.engine.signals import read_signals, strain, watched
from migrations_tools.models import Governor, Run
from migrations_tools.selectors.reviews import awaiting_review
from migrations_tools.selectors.summary import counts_of
from migrations_tools.states import Outcome, RunState, VerificationState


def health() -> dict[str, Any]:
    """``ok`` is false where a run needs attention, or where the database's strain makes runs wait.

    A signal that cannot be read is null: not watched. ``stopped`` is the reason of the global stop.
    """
    signals = read_signals()
    migrations = {definition.name: _of(definition) for definition in all_definitions()}
    troubled = any(found["needs_attention"] for found in migrations.values())
    waiting = strain(signals, watched(signals))
    governor = Governor.objects.filter(stopped=True).first()
    return {
        "ok": not troubled and not waiting,
        "signals": signals,
        "strain": waiting,
        "stopped": "" if governor is None else governor.reason,
        "migrations": migrations,
    }


def _of(definition: Any) -> dict[str, Any]:
    runs = Run.objects.filter(definition=definition.name)
    active = list(runs.active())
    # what applied decisions tells of those few keys only
    last = runs.standing().filter(reviewed=None).order_by("-created_at").first()
    return {
        "active": [str(run.pk) for run in active],
        "needs_attention": sum(run.state == RunState.NEEDS_ATTENTION for run in active),
        "last_run": None if last is None else str(last.pk),
        "last_verification": VerificationState.NONE if last is None else last.verification_state,
        "quarantined": 0 if last is None else counts_of(last)["outcomes"][Outcome.QUARANTINED],
        "awaiting_review": awaiting_review(definition.name),
        **definition.health(),
    }
