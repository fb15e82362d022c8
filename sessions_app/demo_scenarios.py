"""What ``manage.py demo`` shows of the sessions."""

from __future__ import annotations

from django.contrib.auth.models import User

from migrations_tools.demo import SampleFile, Scenario, register_scenario
from sessions_app.models import CollaborationSession, SessionStatus

_EDITS = 3


def edit_collaboration_sessions(person: User) -> int:
    """The first sessions are put away; how many."""
    active = CollaborationSession.objects.filter(status=SessionStatus.ACTIVE)
    chosen = active.order_by("pk")[:_EDITS]
    for session in chosen:
        session.status = SessionStatus.ARCHIVED
        session._history_user = person  # type: ignore[attr-defined]  # read by simple-history
        session._change_reason = "demonstration"  # type: ignore[attr-defined]  # likewise
        session.save()
    return len(chosen)


register_scenario(
    Scenario(
        migration="normalize_collaboration_sessions",
        files=[SampleFile("collaboration", "demo-sessionmanagements.json", rows=5_000)],
        edit=edit_collaboration_sessions,
    )
)
