"""What ``manage.py demo`` shows of the sessions."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib.auth.models import User
from django.db.models import Model

from migrations_tools.demo import SampleFile, Scenario, register_scenario
from migrations_tools.signing import save
from sessions_app.models import (
    UNASSIGNED_ID,
    AgentSession,
    CollaborationSession,
    ContestResult,
    Feedback,
    Project,
    SessionStatus,
)

_EDITS = 3


def _save(changed: Sequence[Model], person: User) -> int:
    """Save the objects as the person would; how many."""
    for obj in changed:
        save(obj, acting_user=person, reason="demonstration")
    return len(changed)


def edit_collaboration_sessions(person: User) -> int:
    """The first sessions are put away; how many."""
    active = CollaborationSession.objects.filter(status=SessionStatus.ACTIVE)
    chosen = list(active.order_by("pk")[:_EDITS])
    for session in chosen:
        session.status = SessionStatus.ARCHIVED
    return _save(chosen, person)


def reassign_sessions(person: User) -> int:
    """The first parked sessions get a project after all; how many."""
    project = Project.objects.selectable().order_by("name").first()
    parked = AgentSession.objects.filter(project=UNASSIGNED_ID).order_by("pk")
    chosen = list(parked[:_EDITS]) if project is not None else []
    for session in chosen:
        session.project = project
    return _save(chosen, person)


def edit_contest_results(person: User) -> int:
    """Scores of the first contest sessions, corrected; how many."""
    chosen = list(ContestResult.objects.order_by("pk")[:_EDITS])
    for result in chosen:
        result.score = (result.score or 0) + 1
    return _save(chosen, person)


def edit_feedback(person: User) -> int:
    """Remarks on the first ratings; how many."""
    chosen = list(Feedback.objects.order_by("pk")[:_EDITS])
    for feedback in chosen:
        feedback.comment = f"{feedback.comment} – answered by telephone".removeprefix(" – ")
    return _save(chosen, person)


# Files of one seed fit together, whichever comes first.

register_scenario(
    Scenario(
        migration="normalize_collaboration_sessions",
        files=[SampleFile("collaboration", "demo-sessionmanagements.json", rows=5_000)],
        edit=edit_collaboration_sessions,
    )
)
register_scenario(
    Scenario(
        migration="assign_orphan_sessions",
        files=[
            SampleFile("projects", "demo-projects.jsonl", rows=25),
            SampleFile("agent_sessions", "demo-agent-sessions.jsonl", rows=1_500),
            SampleFile("activity_events", "demo-activity-events.jsonl", rows=13_000),
        ],
        edit=reassign_sessions,
    )
)
register_scenario(
    Scenario(
        migration="enrich_contest_sessions",
        files=[
            SampleFile("problems", "demo-problems.jsonl", rows=110),
            SampleFile("contest_users", "demo-contest-users.jsonl", rows=60),
            SampleFile("contest_sessions", "demo-contest-sessions.jsonl", rows=1_000),
        ],
        edit=edit_contest_results,
    )
)
register_scenario(
    Scenario(
        migration="upgrade_lessons",
        files=[
            SampleFile("semesters", "demo-semesters.jsonl", rows=4, defects=0),
            SampleFile("cohorts", "demo-cohorts.jsonl", rows=16),
            SampleFile("users", "demo-users.jsonl", rows=640),
            SampleFile("lessons", "demo-lessons.jsonl", rows=130),
            SampleFile("bookings", "demo-bookings.jsonl", rows=2_000),
            SampleFile("attendance", "demo-attendance.jsonl", rows=2_000),
            SampleFile("feedback", "demo-feedback.jsonl", rows=1_000),
            SampleFile("lesson_projects", "demo-lesson-projects.jsonl", rows=100),
        ],
        edit=edit_feedback,
    )
)
