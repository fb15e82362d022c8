"""``normalize_collaboration_sessions``: rows of one collection become sessions with their people
and files (collaboration.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.utils.translation import gettext_noop

from migrations_tools.definitions import (
    Apply,
    Conflict,
    DataMigration,
    Group,
    GroupSource,
    Outcome,
    Reject,
    Skip,
    Step,
    Unchanged,
    register,
)
from sessions_app.data_migrations.collaboration_checks import CHECKS
from sessions_app.data_migrations.collaboration_decisions import decisions_of, is_decisions
from sessions_app.data_migrations.collaboration_documents import Warnings, read_row
from sessions_app.data_migrations.collaboration_merging import merge, new_session
from sessions_app.data_migrations.collaboration_stored import Known, known_of
from sessions_app.data_migrations.collaboration_weighing import weigh
from sessions_app.models import (
    LegacyCollaborationRow,
    Session,
    SessionFile,
    SessionKind,
    SessionParticipant,
)

#: How keys of rows without a usable session id begin; no session id has a colon (R1).
_NO_SESSION: Final = "row:"


class SessionStep(Step):
    """All rows of one session id become a session, its participants and its files."""

    source = GroupSource(
        LegacyCollaborationRow,
        by="session_key",
        fields=["key", "document", "session_key", "staged_at", "legacy_import_id"],
    )
    writes = [Session, SessionParticipant, SessionFile]

    def load(self, rows: Sequence[Any]) -> Known:
        return known_of([group.key for group in rows if not group.key.startswith(_NO_SESSION)])

    def transform(self, row: Group, context: Known) -> Outcome:
        if row.key.startswith(_NO_SESSION):
            written = row.rows[0].document.get("session_id")
            raise Reject(
                "invalid_session_id",
                gettext_noop("“%(written)s” is no session id.") % {"written": str(written)[:80]},
            )
        warnings: Warnings = []
        facts = [read_row(found, warnings) for found in row.rows if not is_decisions(found)]
        weighed = weigh(row.key, facts, warnings, decisions_of(row.rows))
        stored = context.sessions.get(row.key)
        if stored is None:
            if row.key in context.deleted:
                return Skip(
                    "deleted_here", gettext_noop("The session was deleted here and stays so.")
                )
            return Apply(new_session(row.key, weighed), weighed.warnings)
        if not stored.session.is_ours:
            kind = SessionKind(stored.session.obj.kind).label
            return Conflict(
                "native_session",
                gettext_noop("A %(kind)s session of this id exists, made by somebody else.")
                % {"kind": kind},
            )
        changes = merge(weighed, stored)
        return Apply(changes, weighed.warnings) if changes else Unchanged()


@register
class NormalizeCollaborationSessions(DataMigration):
    """The rows of the collaboration platform become sessions with one owner, participants in
    roles, and files; what people changed here since stays as it is.
    """

    version = 1
    steps = [SessionStep]
    checks = CHECKS
    cutover_key = "collaboration"

    @classmethod
    def health(cls) -> dict[str, Any]:
        """How many rows are staged, how many of them name no session, and what became of them."""
        rows = LegacyCollaborationRow.objects.all()
        return {
            "rows": rows.count(),
            "rows_without_session": rows.filter(session_key__startswith=_NO_SESSION).count(),
            "legacy_sessions": rows.exclude(session_key__startswith=_NO_SESSION)
            .values("session_key")
            .distinct()
            .count(),
            "sessions": Session.objects.filter(kind=SessionKind.COLLABORATION).count(),
        }
