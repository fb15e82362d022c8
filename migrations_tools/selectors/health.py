"""Health of the database and of the migrations, as JSON (SPEC §3)."""

from __future__ import annotations

from typing import Any

from django.db import connection

from migrations_tools.definitions.registry import all_definitions
from migrations_tools.models import Run
from migrations_tools.selectors.reviews import awaiting_review
from migrations_tools.selectors.summary import counts_of
from migrations_tools.states import Outcome, RunState, VerificationState

_SIGNALS = """
    SELECT
        (SELECT count(*) FROM pg_locks WHERE NOT granted) AS lock_waiters,
        (SELECT coalesce(round(extract(epoch FROM max(clock_timestamp() - xact_start))), 0)::int
         FROM pg_stat_activity WHERE datname = current_database()
         AND pid <> pg_backend_pid()) AS longest_transaction_seconds,
        (SELECT count(*) FROM pg_stat_activity) AS connections,
        current_setting('max_connections')::int AS most_connections,
        (SELECT extract(epoch FROM max(replay_lag)) FROM pg_stat_replication)
            AS replica_lag_seconds
"""


def health() -> dict[str, Any]:
    """``ok`` is false where a run needs attention or the connections are nearly used up.

    A signal that cannot be read is null: not watched.
    """
    with connection.cursor() as cursor:
        cursor.execute(_SIGNALS)
        names = [column.name for column in cursor.description]
        signals = dict(zip(names, cursor.fetchone(), strict=True))
    lag = signals["replica_lag_seconds"]
    signals["replica_lag_seconds"] = None if lag is None else float(lag)
    migrations = {definition.name: _of(definition) for definition in all_definitions()}
    troubled = any(found["needs_attention"] for found in migrations.values())
    crowded = signals["connections"] > 0.9 * signals["most_connections"]
    return {"ok": not troubled and not crowded, "signals": signals, "migrations": migrations}


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
