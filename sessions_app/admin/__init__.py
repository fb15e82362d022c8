"""Admin pages of sessions: short declarations. Forms change words, services the rest.

`operations` is how the page of an object offers what a service does.
"""

from sessions_app.admin import (
    activity,
    agents,
    collaboration,
    contest_pages,
    contests,
    lesson_pages,
    lessons,
    people,
    projects,
    sessions,
    staging,
)

__all__ = [
    "activity",
    "agents",
    "collaboration",
    "contest_pages",
    "contests",
    "lesson_pages",
    "lessons",
    "people",
    "projects",
    "sessions",
    "staging",
]
