"""What was decided here about an old session, where the old vocabulary has no words for it.

The old platform knows no status, nobody who left, no ownership that moves. While it still leads
(docs/cutover.md), what people do is written into its rows as it wrote them, and what it could not
write into one more row of the session, so that a run carries it over like the rest. Only this
application makes such rows; an imported one is a document like any other.

`collaboration_facts` reads them by SQL of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sessions_app.data_migrations.collaboration_documents import Person
from sessions_app.models import ParticipantRole, ParticipantStatus, SessionStatus
from sessions_app.reading.collaboration import instant_of

#: How the keys of such rows begin; the session's id follows.
PREFIX: Final = "decisions:"
_FIELD: Final = "decisions"
_PERSON_TIMES: Final = ("invited_at", "joined_at")


@dataclass(frozen=True, slots=True)
class Decisions:
    """People whom something was decided about, by e-mail, and values of the session.

    Whoever is owner among them is the session's; ``updated_at`` holds unless a row is later;
    ``revision`` counts the changes.
    """

    people: Mapping[str, Person] = field(default_factory=dict)
    status: SessionStatus = SessionStatus.ACTIVE
    title: str | None = None
    description: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    revision: int = 0

    @property
    def owner(self) -> str | None:
        owners = (
            email for email, person in self.people.items() if person.role == ParticipantRole.OWNER
        )
        return next(owners, None)


NOTHING: Final = Decisions()


def is_decisions(row: Any) -> bool:
    """Whether a staged row (``key``, ``legacy_import_id``) was written by this application."""
    return row.legacy_import_id is None and row.key.startswith(PREFIX)


def decisions_of(rows: Sequence[Any]) -> Decisions:
    """What the rows of a session say was decided here."""
    return next((_read(row.document[_FIELD]) for row in rows if is_decisions(row)), NOTHING)


def as_document(session_id: str, decisions: Decisions) -> dict[str, Any]:
    """The document that `decisions_of` reads; times are ISO texts."""
    written = asdict(decisions)
    del written["people"], written["revision"]
    return {
        "_id": PREFIX + session_id,
        "session_id": session_id,
        _FIELD: {
            "revision": decisions.revision,
            **{name: _plain(value) for name, value in written.items() if value is not None},
            "people": {
                email: {name: _plain(value) for name, value in asdict(person).items()}
                for email, person in decisions.people.items()
            },
        },
    }


def _plain(value: Any) -> str | None:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return None if value is None else str(value)


def _read(found: Mapping[str, Any]) -> Decisions:
    return Decisions(
        people={email: _person(values) for email, values in sorted(found["people"].items())},
        status=SessionStatus(found["status"]),
        title=found.get("title"),
        description=found.get("description"),
        created_at=instant_of(found.get("created_at")),
        updated_at=instant_of(found.get("updated_at")),
        revision=found["revision"],
    )


def _person(values: Mapping[str, Any]) -> Person:
    times = {name: instant_of(values[name]) for name in _PERSON_TIMES}
    return Person(
        role=ParticipantRole(values["role"]),
        status=ParticipantStatus(values["status"]),
        display_name=values["display_name"],
        invited_by=values["invited_by"],
        **times,
    )
