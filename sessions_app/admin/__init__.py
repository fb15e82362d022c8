"""Admin pages of sessions: short declarations. Forms change words, services the rest."""

from sessions_app.admin import activity, contests, lessons, people, projects, sessions

__all__ = ["activity", "contests", "lessons", "people", "projects", "sessions"]
