"""What is imported of the agents' old system: projects, sessions and events (agents.md "Shape").

All go straight into the models that people work with; rows are kept as far as they can be.
"""

from __future__ import annotations

import hashlib
import uuid
from functools import lru_cache
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from migrations_tools.imports.kinds import ImportKind, register
from migrations_tools.imports.merged import MergedTable
from migrations_tools.imports.readers.base import Record, SourceTable
from migrations_tools.imports.tables import Counts, FileImport, RowRefusedError
from migrations_tools.imports.values import DoesNotFitError
from migrations_tools.models import LegacyImport
from migrations_tools.text import storable_text
from sessions_app.legacy_imports.agent_values import (
    LONGEST_ID,
    Values,
    actor,
    agent_status,
    canonical,
    instant,
    is_nothing,
    json_object,
    project_id,
    project_status,
    required_id,
    scalar_text,
    with_remains,
    yes,
)
from sessions_app.models import (
    UNASSIGNED_ID,
    UNASSIGNED_NAME,
    ActivityEvent,
    Project,
    ProjectStatus,
    Session,
    SessionKind,
)
from sessions_app.reading.blanks import is_blank

_LONGEST_TITLE = 255
_LONGEST_ACTOR, _LONGEST_TYPE = 50, 100
#: Fields whose column has another name in the files: values kept aside are called like that.
_UPSTREAM = {"project": "project_id", "session_ref": "session_id", "occurred_at": "timestamp"}


class AgentTable(MergedTable):
    """Values by field, and apart from them what the columns of no field hold."""

    def named(self, values: Values) -> tuple[Values, Values]:
        """Values by field – of several columns the preferred one that has any – and the rest."""
        taken: Values = {}
        rest: Values = {}
        for column, field in self._places(tuple(values)):
            value = values[column]
            if value is None:
                continue
            if field is None or field in taken:
                rest[column] = value
            else:
                taken[field] = value
        return taken, rest

    @lru_cache(maxsize=256)  # noqa: B019 - a table lives as long as the process
    def _places(self, columns: tuple[str, ...]) -> list[tuple[str, str | None]]:
        return self.fields_of(columns)


class ProjectTable(AgentTable):
    """A project needs a UUID and a name of its own; of several primary ones the first counts."""

    def load(self, source: SourceTable, file_import: FileImport) -> Counts:
        known = Project.objects.values_list("name", "pk", "is_primary")
        self._owners: dict[str, uuid.UUID] = {name: pk for name, pk, _ in known}
        self._primary = next((pk for _, pk, is_primary in known if is_primary), None)
        return super().load(source, file_import)

    def row(self, record: Record) -> tuple[Any, ...]:
        values, _ = self.named(record.values)
        written = values.get("id")
        if is_nothing(written):
            raise RowRefusedError("id_missing", gettext_noop("The project has no id."))
        pk = project_id(written)
        if pk is None:
            shown = storable_text(str(written))[:60]
            raise RowRefusedError(
                "invalid_id", gettext_noop("“%(shown)s” is no UUID.") % {"shown": shown}
            )
        if pk == UNASSIGNED_ID:  # what the old system called it changes nothing
            return pk, UNASSIGNED_NAME, ProjectStatus.ACTIVE, False, "", None
        name = (scalar_text(values.get("name")) or "")[:_LONGEST_TITLE]
        if not name:
            raise RowRefusedError("name_missing", gettext_noop("The project has no name."))
        owner = self._owners.setdefault(name, pk)
        if owner != pk:
            raise RowRefusedError(
                "name_taken",
                gettext_noop("Project %(owner)s is called “%(name)s” already.")
                % {"owner": owner, "name": name},
            )
        if self._primary is None and yes(values.get("is_primary")):
            self._primary = pk
        return (
            pk,
            name,
            project_status(values.get("status")),
            self._primary == pk,
            storable_text(str(values.get("description", ""))),
            _instant_or_none(values, "created_at", {}),
        )


class SessionTable(AgentTable):
    """A session needs an id. Of a project that does not exist it is an orphan, and says so."""

    def load(self, source: SourceTable, file_import: FileImport) -> Counts:
        self._projects = set(Project.objects.values_list("pk", flat=True))
        return super().load(source, file_import)

    def row(self, record: Record) -> tuple[Any, ...]:
        values, remains = self.named(record.values)
        key = required_id(values.pop("session_id", None))
        metadata = json_object(values.pop("metadata", None), "metadata")
        times = [_instant_or_none(values, name, remains) for name in _SESSION_TIMES]
        ended = times[_SESSION_TIMES.index("ended_at")] is not None
        word = values.get("status")
        status = agent_status(word, ended=ended)
        if not is_nothing(word) and word != status:
            remains["status"] = word
        return (
            key,
            SessionKind.AGENT,
            _short(values, "title", _LONGEST_TITLE, remains),
            storable_text(str(values.get("description", ""))),
            status,
            self._project(values, remains),
            *times,
            with_remains(metadata, remains),
        )

    def _project(self, values: Values, remains: Values) -> uuid.UUID | None:
        written = values.get("project")
        if is_nothing(written):
            return None
        found = project_id(written)
        if found in self._projects:
            return found
        remains[_UPSTREAM["project"]] = written
        return None


class EventTable(AgentTable):
    """An event needs an id. Projects and sessions may be such as do not exist."""

    def row(self, record: Record) -> tuple[Any, ...]:
        values, remains = self.named(record.values)
        key = required_id(values.get("event_id"))
        payload = json_object(values.get("payload"), "payload")
        return (
            key,
            _instant_or_none(values, "occurred_at", remains),
            _actor(values, remains),
            _reference(values, "project", remains),
            _reference(values, "session_ref", remains),
            _short(values, "event_type", _LONGEST_TYPE, remains),
            with_remains(payload, remains),
        )


def _instant_or_none(values: Values, name: str, remains: Values) -> Any:
    """An instant; one that cannot be read is left out, and kept as written."""
    written = values.get(name)
    if is_nothing(written):
        return None
    try:
        return instant(written)
    except DoesNotFitError:
        remains[_UPSTREAM.get(name, name)] = written
        return None


def _short(values: Values, name: str, longest: int, remains: Values) -> str:
    """Text of limited length; a longer one is cut, and kept as written."""
    written = values.get(name, "")
    text = storable_text(written if isinstance(written, str) else scalar_text(written) or "")
    if len(text) > longest or (not text and written != ""):
        remains[name] = written
    return text[:longest]


def _actor(values: Values, remains: Values) -> str:
    written = values.get("actor")
    word = actor(written)
    if len(word) > _LONGEST_ACTOR or (not word and not is_nothing(written)):
        remains["actor"] = written
    return word[:_LONGEST_ACTOR]


def _reference(values: Values, name: str, remains: Values) -> str | None:
    """An id as written, a UUID in canonical form.

    One that fits no index is kept aside. Its hash stands for it: it is still evidence.
    """
    written = values.get(name)
    if is_blank(written) or (name == "project" and is_nothing(written)):
        return None
    text = scalar_text(written)
    if text and len(text) <= LONGEST_ID:
        return canonical(text)
    remains[_UPSTREAM[name]] = written
    return f"sha256:{hashlib.sha256(repr(written).encode()).hexdigest()}"


_SESSION_TIMES = ("created_at", "updated_at", "started_at", "ended_at", "last_activity_at")

_PROJECTS = ProjectTable(
    "projects",
    Project,
    key="id",
    fields=["name", "status", "is_primary", "description", "created_at"],
    columns={
        "id": ("id", "project_id"),
        "name": ("name", "project_name"),
        "status": ("status", "state"),
        "is_primary": ("is_primary", "primary"),
        "description": (),
        "created_at": (),
    },
    defaults={"created_at": "now()"},
)

_SESSIONS = SessionTable(
    "agent_sessions",
    Session,
    key="session_id",
    fields=["kind", "title", "description", "status", "project", *_SESSION_TIMES, "metadata"],
    columns={
        "session_id": ("id", "session_id"),
        "title": ("title", "name"),
        "description": (),
        "status": ("status", "state"),
        "project": ("project_id",),
        "metadata": (),
        **dict.fromkeys(_SESSION_TIMES, ()),
    },
    assigned=["project"],
    defaults={
        "created_at": "coalesce(t.started_at, t.last_activity_at, t.ended_at, now())",
        "updated_at": "coalesce(t.last_activity_at, t.ended_at, t.started_at, now())",
    },
    belongs=f"s.kind = '{SessionKind.AGENT}'",
    other_names=("sessions",),
)

_EVENTS = EventTable(
    "activity_events",
    ActivityEvent,
    key="event_id",
    fields=["occurred_at", "actor", "project", "session_ref", "event_type", "payload"],
    columns={
        "event_id": ("event_id", "id"),
        "occurred_at": ("timestamp", "occurred_at"),
        "actor": (),
        "project": ("project_id",),
        "session_ref": ("session_id",),
        "event_type": ("event_type", "type"),
        "payload": (),
    },
    other_names=("events",),
)


def _ensure_unassigned(legacy_import: LegacyImport) -> None:
    Project.objects.ensure_unassigned()


for name, title, what, table in (
    (
        "projects",
        _("Projects of agents"),
        _("Import the projects before their sessions."),
        _PROJECTS,
    ),
    (
        "agent_sessions",
        _("Agent sessions"),
        _("Sessions whose project is not there become orphans, to be assigned."),
        _SESSIONS,
    ),
    (
        "activity_events",
        _("Activity events"),
        _("What happened in the sessions: the evidence by which orphans are assigned."),
        _EVENTS,
    ),
):
    register(
        ImportKind(
            name=name,
            title=title,
            what=what,
            group=_("Coding agents"),
            migration="" if name == "projects" else "assign_orphan_sessions",
            tables=[table],
            before=_ensure_unassigned,
        )
    )
