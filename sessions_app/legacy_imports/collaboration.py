"""What is imported of the collaboration platform: its one collection (collaboration.md)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _

from migrations_tools.imports.documents import DocumentTable
from migrations_tools.imports.kinds import ImportKind, register
from migrations_tools.imports.readers.base import Record
from sessions_app.models import LegacyCollaborationRow
from sessions_app.reading.collaboration import session_id_of


class _SessionRows(DocumentTable):
    """Rows are grouped by their session; one without is a group of its own (R1)."""

    def row(self, record: Record) -> tuple[Any, ...]:
        values = list(super().row(record))
        place = self.columns.index("session_key")
        if values[place] is None:
            values[place] = f"row:{values[0]}"
        return tuple(values)


register(
    ImportKind(
        name="collaboration",
        title=_("Collaboration sessions"),
        what=_("The platform's collection as mongoexport writes it: JSON lines or one array."),
        group=_("Collaboration platform"),
        migration="normalize_collaboration_sessions",
        tables=[
            _SessionRows(
                "sessionmanagements",
                LegacyCollaborationRow,
                other_names=("sessionmanagement", "session_managements", "collaboration"),
                key="key",
                columns=(
                    "session_id",
                    "name",
                    "description",
                    "email",
                    "invited_email",
                    "access",
                    "file_name",
                    "file_path",
                    "uploaded_at",
                ),
                derived={"session_key": lambda values: session_id_of(values.get("session_id"))},
            )
        ],
    )
)
