"""Each kind of session as a thing of its own, for the admin and the API.

A proxy's ``objects`` holds the sessions of its kind only, see `SessionManager`.
"""

from __future__ import annotations

from sessions_app.models.session import Session, SessionKind


class CollaborationSession(Session):
    KIND = SessionKind.COLLABORATION

    class Meta:
        proxy = True


class AgentSession(Session):
    KIND = SessionKind.AGENT

    class Meta:
        proxy = True


class ContestSession(Session):
    KIND = SessionKind.CONTEST

    class Meta:
        proxy = True


class LessonSession(Session):
    KIND = SessionKind.LESSON

    class Meta:
        proxy = True
