"""What stands in the new tables, and which of it people changed (collaboration.md R11, R12).

The history tells: a column was edited here if its newest change came from anybody but a run of
this migration or a dual write, or if it holds what no history row says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar

from django.db.models import Model

from migrations_tools.models import Run
from sessions_app.data_migrations.collaboration_documents import FileName
from sessions_app.models import Session, SessionFile, SessionParticipant

M = TypeVar("M", bound=Model)

DEFINITION: Final = "normalize_collaboration_sessions"

#: How the reasons of changes begin that were made in the old rows at the same time: they are no
#: edits of this side alone, and the columns go on following the old rows.
DUAL_WRITE: Final = "dual write: "

#: Columns that follow the old rows as long as nobody edits them here. ``user`` of a participant
#: is not among them: the old rows do not know it.
SESSION_COLUMNS: Final = (
    "title",
    "description",
    "status",
    "created_at",
    "updated_at",
    "last_activity_at",
)
PARTICIPANT_COLUMNS: Final = (
    "role",
    "status",
    "invited_by",
    "invited_at",
    "joined_at",
    "display_name",
)
FILE_COLUMNS: Final = ("uploaded_by", "uploaded_at")


@dataclass(slots=True)
class Stored(Generic[M]):
    """A row that stands, and the columns of it that were edited here.

    ``is_ours``: a run of this migration made it, or somebody by a dual write.
    """

    obj: M
    is_ours: bool
    edited: Collection[str]


@dataclass(slots=True)
class StoredSession:
    """A session with its people by e-mail and its files; deleted ones by the same keys."""

    session: Stored[Session]
    people: dict[str, Stored[SessionParticipant]] = field(default_factory=dict)
    files: dict[FileName, Stored[SessionFile]] = field(default_factory=dict)
    deleted_people: set[str] = field(default_factory=set)
    deleted_files: set[FileName] = field(default_factory=set)


@dataclass(slots=True)
class Known:
    """Sessions that stand, by public id, and ids of those that people deleted here."""

    sessions: Mapping[str, StoredSession]
    deleted: Collection[str]


def known_of(session_ids: Collection[str]) -> Known:
    """What is known of these sessions; a constant number of queries."""
    ours = {
        f"run {run}"
        for run in Run.objects.filter(definition=DEFINITION).values_list("pk", flat=True)
    }
    histories = _Histories(
        Session.history.filter(session_id__in=session_ids), SESSION_COLUMNS, ours
    )
    found = {
        session.pk: StoredSession(histories.stored(session))
        for session in Session.objects.filter(session_id__in=session_ids)
    }
    deleted = {entry["session_id"] for entry in histories.deleted_here()} - {
        stored.session.obj.session_id for stored in found.values()
    }
    if found:
        _add_people(found, ours)
        _add_files(found, ours)
    return Known({stored.session.obj.session_id: stored for stored in found.values()}, deleted)


def is_carried_over(session_id: str) -> bool:
    """Whether the session that stands under this id was made by a run or by a dual write.

    Another one only has the same id (R12).
    """
    made = Session.history.filter(session_id=session_id, history_type="+").order_by("history_id")
    reason = made.values_list("history_change_reason", flat=True).last() or ""
    if reason.startswith(DUAL_WRITE):
        return True
    runs = Run.objects.filter(definition=DEFINITION).values_list("pk", flat=True)
    return reason in {f"run {run}" for run in runs}


def _add_people(found: Mapping[int, StoredSession], ours: Collection[str]) -> None:
    histories = _Histories(
        SessionParticipant.history.filter(session_id__in=found),
        (*PARTICIPANT_COLUMNS, "session_id", "email"),
        ours,
    )
    for person in SessionParticipant.objects.filter(session_id__in=found).order_by("pk"):
        found[person.session_id].people[person.email] = histories.stored(person)
    for entry in histories.deleted_here():
        found[entry["session_id"]].deleted_people.add(entry["email"])


def _add_files(found: Mapping[int, StoredSession], ours: Collection[str]) -> None:
    histories = _Histories(
        SessionFile.history.filter(session_id__in=found),
        (*FILE_COLUMNS, "session_id", "name", "path"),
        ours,
    )
    for file in SessionFile.objects.filter(session_id__in=found).order_by("pk"):
        found[file.session_id].files[FileName(file.name, file.path)] = histories.stored(file)
    for entry in histories.deleted_here():
        name = FileName(entry["name"], entry["path"])
        found[entry["session_id"]].deleted_files.add(name)


class _Histories:
    """The history of some objects, oldest first; ``ours`` are the reasons of our runs."""

    def __init__(self, rows: Any, columns: Sequence[str], ours: Collection[str]) -> None:
        names = dict.fromkeys(
            ["id", "session_id", "history_type", "history_change_reason", *columns]
        )
        self._columns = columns
        self._ours = ours
        self._of: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for entry in rows.order_by("history_id").values(*names):
            self._of[entry["id"]].append(entry)

    def stored(self, obj: M) -> Stored[M]:
        """The object with what was edited of it."""
        entries = self._of.get(obj.pk, [])
        edited: set[str] = set()
        is_ours = False
        former: dict[str, Any] = {}
        for entry in entries:
            ours = self._is_ours(entry)
            if entry["history_type"] != "~":
                is_ours = ours
                edited = set() if ours else set(self._columns)
            else:
                changed = self._differing(former, entry)
                edited = edited - changed if ours else edited | changed
            former = entry
        now = {name: getattr(obj, name) for name in self._columns}
        return Stored(obj, is_ours, edited | self._differing(former, now))

    def deleted_here(self) -> Iterable[dict[str, Any]]:
        """The last history rows of objects that somebody else than a run of ours deleted."""
        for entries in self._of.values():
            if entries[-1]["history_type"] == "-" and not self._is_ours(entries[-1]):
                yield entries[-1]

    def _is_ours(self, entry: Mapping[str, Any]) -> bool:
        reason = entry["history_change_reason"] or ""
        return reason in self._ours or reason.startswith(DUAL_WRITE)

    def _differing(self, one: Mapping[str, Any], other: Mapping[str, Any]) -> set[str]:
        return {name for name in self._columns if one.get(name) != other[name]}
