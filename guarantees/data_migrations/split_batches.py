"""Which import batch the guarantee of a staged row belongs to (N5, N6)."""

from __future__ import annotations

from datetime import date, datetime, time, tzinfo
from functools import lru_cache
from typing import Any, Final

from guarantees.data_migrations.split_values import local_day, session_instant
from guarantees.models import BatchKind, ImportBatch
from guarantees.models.batch import DAILY_KINDS
from migrations_tools.definitions import Ensure

#: Part of the session's type → kind of batch; the first that occurs counts, else Excel (N6).
_KINDS: Final = (
    ("manual", BatchKind.MANUAL),
    ("paste", BatchKind.PASTE),
    ("text", BatchKind.PASTE),
)
_DAILY: Final = frozenset(kind.value for kind in DAILY_KINDS)


@lru_cache(maxsize=1_024)  # there are a few types
def batch_kind(session_type: str | None) -> str:
    """The kind of batch for rows of a session of this type; none is Excel."""
    word = (session_type or "").lower()
    return next((kind.value for part, kind in _KINDS if part in word), BatchKind.EXCEL.value)


class Batches:
    """The batches of one transaction's rows: a day's for manual and paste, a session's for Excel.

    Equal batches are the same object, which costs less than making one for each row.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._known: dict[Any, Ensure] = {}

    def of(self, row: Any, kind: str, day: date) -> Ensure:
        """The batch of a row made on the local ``day``."""
        key = (kind, day) if kind in _DAILY else row.session_id
        batch = self._known.get(key)
        if batch is None:
            make = self._daily if kind in _DAILY else self._of_session
            batch = self._known[key] = make(row, kind, day)
        return batch

    def _daily(self, row: Any, kind: str, day: date) -> Ensure:
        midnight = datetime.combine(day, time.min, tzinfo=self._zone)
        return Ensure(ImportBatch, {"created_at": midnight}, kind=kind, day=day)

    def _of_session(self, row: Any, kind: str, day: date) -> Ensure:
        """Rows without session share one batch; nothing in it depends on which row comes first."""
        made = session_instant(row.session_created_at)
        defaults = {
            "kind": kind,
            "description": describe_session(row),
            "file_name": row.session_file_name or "",
            "day": made and local_day(made, self._zone),
            "created_at": made or row.session_staged_at or row.staged_at,
        }
        return Ensure(ImportBatch, defaults, legacy_ref=legacy_ref(row.session_id))


def legacy_ref(session_id: int | None) -> str:
    """How a batch names the session it was made from."""
    return "session:none" if session_id is None else f"session:{session_id}"


def describe_session(row: Any) -> str:
    if row.session_id is None:
        return "Legacy rows without session"
    if row.session_staged_at is None:
        return f"Legacy session {row.session_id} (unknown)"
    return f"Legacy session {row.session_id} ({row.session_type or 'no type'})"
