"""Figures of the agent sessions for ``datamigrate health`` (agents.md "Health")."""

from __future__ import annotations

from typing import Any

from django.db import connection

from migrations_tools.engine.seal import run_seal
from migrations_tools.models import ReviewItem, Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.states import RunKind, RunState
from sessions_app.data_migrations.orphan_risks import alerts_of
from sessions_app.models import UNASSIGNED_ID, Session, SessionKind

_DANGLING = (
    "SELECT count(*) FROM sessions_app_session s WHERE s.kind = 'agent' "
    "AND s.project_id IS NOT NULL "
    "AND NOT EXISTS (SELECT FROM sessions_app_project p WHERE p.id = s.project_id)"
)


def health_of(definition: str) -> dict[str, Any]:
    """Orphans, parked ones and those that wait for a person, apart; alerts; what is not sound.

    ``damaged_backups`` are runs whose seal does not fit their journal's digests; what they would
    restore is not to be trusted. ``verify`` looks closer.
    """
    runs = Run.objects.filter(definition=definition)
    applied = runs.filter(kind=RunKind.APPLY).order_by("-created_at").first()
    planned = runs.filter(kind=RunKind.PLAN, state=RunState.COMPLETED).order_by("-created_at")
    plan = planned.first()
    rollbacks = runs.filter(kind=RunKind.ROLLBACK)
    if applied is not None:
        rollbacks = rollbacks.filter(created_at__gt=applied.created_at)
    return {
        "orphans": Session.objects.orphans().count(),
        "parked": Session.objects.filter(kind=SessionKind.AGENT, project=UNASSIGNED_ID).count(),
        "orphans_awaiting_review": _orphans_awaiting_review(definition),
        "damaged_backups": _damaged(definition),
        "broken_foreign_keys": _broken_foreign_keys(),
        "alerts": alerts_of(
            last=None if applied is None else summarise(applied, problems=False),
            plan=None if plan is None else plan.report,
            rollbacks=rollbacks.count(),
        ),
    }


def _orphans_awaiting_review(definition: str) -> int:
    """Sessions in the review queue that are orphans still; by hand, one may have got a project."""
    waiting = ReviewItem.objects.filter(run__definition=definition).waiting()
    return Session.objects.orphans().filter(session_id__in=waiting.values("key")).count()


def _damaged(definition: str) -> list[str]:
    standing = Run.objects.standing().filter(definition=definition, seal__isnull=False)
    return [str(run.pk) for run in standing if bytes(run.seal or b"") != run_seal(run)]


def _broken_foreign_keys() -> int:
    """Sessions of a project that does not exist, should a constraint have been switched off."""
    with connection.cursor() as cursor:
        cursor.execute(_DANGLING)
        return int(cursor.fetchone()[0])
