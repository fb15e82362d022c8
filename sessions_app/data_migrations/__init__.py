"""The data migrations of the sessions; importing this package registers them."""

from sessions_app.data_migrations import (
    assign_orphan_sessions,
    enrich_contest_sessions,
    normalize_collaboration_sessions,
    upgrade_lessons,
)

__all__ = [
    "assign_orphan_sessions",
    "enrich_contest_sessions",
    "normalize_collaboration_sessions",
    "upgrade_lessons",
]
