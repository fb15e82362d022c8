"""A person's collaboration sessions as the old platform lists them: two look-ups in its rows, and
merging in code (collaboration.md "Living with both systems").

`SessionQuerySet.of_person` answers the same from the new tables.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Lower, Trim

from migrations_tools.definitions import Reject
from sessions_app.data_migrations.collaboration_documents import Warnings, read_row
from sessions_app.data_migrations.collaboration_weighing import Weighed, weigh
from sessions_app.models import LegacyCollaborationRow


@dataclass(frozen=True)
class LegacySession:
    """A session worked out from its rows; ``participants`` are roles by e-mail."""

    session_id: str
    title: str
    last_activity_at: datetime
    participants: dict[str, str]


def legacy_sessions_of(email: str) -> list[LegacySession]:
    """Sessions that the person created, was invited to or acts in, newest activity first.

    Sessions that nobody owns are left out, as they are by the migration (R4).
    """
    address = email.strip().lower()
    named = LegacyCollaborationRow.objects.annotate(
        sender=Lower(Trim(KeyTextTransform("email", "document"))),
        invitee=Lower(Trim(KeyTextTransform("invited_email", "document"))),
    ).filter(Q(sender=address) | Q(invitee=address), ~Q(session_key__startswith="row:"))
    keys = set(named.values_list("session_key", flat=True))
    rows: defaultdict[str, list[LegacyCollaborationRow]] = defaultdict(list)
    for row in LegacyCollaborationRow.objects.filter(session_key__in=keys):
        rows[row.session_key].append(row)
    found = [
        LegacySession(
            key,
            weighed.title,
            weighed.updated_at,
            {of: str(person.role) for of, person in weighed.people.items()},
        )
        for key, of_session in rows.items()
        if (weighed := _weighed(key, of_session)) is not None and address in weighed.people
    ]
    return sorted(found, key=lambda session: session.last_activity_at, reverse=True)


def _weighed(key: str, rows: list[LegacyCollaborationRow]) -> Weighed | None:
    warnings: Warnings = []
    try:
        return weigh(key, [read_row(row, warnings) for row in rows], warnings)
    except Reject:
        return None
