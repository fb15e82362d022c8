"""Health of the agent sessions as a whole (agents.md "Health")."""

from __future__ import annotations

from typing import Any, Final

from migrations_tools.models import Run
from sessions_app.data_migrations.orphan_health import health_of

_DEFINITION: Final = "assign_orphan_sessions"


def agent_health() -> dict[str, Any]:
    """Orphans, parked ones and those that wait for a person; runs, by id; what is not sound."""
    runs = Run.objects.filter(definition=_DEFINITION)
    last = runs.standing().filter(reviewed=None).order_by("-created_at").first()
    return {
        **health_of(_DEFINITION),
        "last_run": None if last is None else str(last.pk),
        "active_runs": [str(run.pk) for run in runs.active()],
    }
