"""Admin pages of sessions: short declarations. Forms change words, services the rest."""

from sessions_app.admin import (
    activity,
    collaboration,
    contests,
    lessons,
    people,
    projects,
    sessions,
)

__all__ = ["activity", "collaboration", "contests", "lessons", "people", "projects", "sessions"]
