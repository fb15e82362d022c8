"""What an import would do to the first rows of a file, row by row.

A preview is the import itself, rolled back (`services.uploads.preview_file`); a `Sample` watches
it. So the preview and the import cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from migrations_tools.imports.readers.base import Record, Rejection
from migrations_tools.text import storable_text

#: Rows of a file that a preview looks at, and of these, rows and rejections that it shows.
LOOKED_AT: Final = 10_000
SHOWN_ROWS: Final = 100
SHOWN_REJECTIONS: Final = 500

_MOST_VALUES: Final = 100  # of a row, that are shown
_LONGEST_VALUE: Final = 300  # characters that are shown of a value
#: Columns of staged rows that say how a row came, or hold it a second time.
_NOT_COMPARED: Final = frozenset(
    {"content_hash", "staged_at", "legacy_import_id", "line", "key", "extra"}
)


class RowStatus(StrEnum):
    NEW = "new"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"  # a later row of the file has the same identity; counts as unchanged
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that the row changes. None is shown for nothing."""

    name: str
    before: Any
    after: Any


@dataclass(slots=True)
class SampledRow:
    """A row of the file. ``line`` is physical in text files, the row's number in databases."""

    table: str
    line: int
    values: dict[str, Any]
    status: RowStatus | None = None
    changes: list[Difference] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "table": self.table,
            "line": self.line,
            "status": self.status,
            "values": self.values,
            "changes": [
                {"field": change.name, "before": change.before, "after": change.after}
                for change in self.changes
            ],
        }


@dataclass(frozen=True, slots=True)
class SampledRejection:
    table: str
    line: int
    code: str
    detail: str
    text: str

    def as_json(self) -> dict[str, Any]:
        return {"table": self.table, "line": self.line, "code": self.code, "detail": self.detail}


class Sample:
    """The first rows of a file, with what becomes of them. Given to an import that is undone.

    The import reads no more than ``limit`` rows of a table, and leaves out what a rollback would
    not undo: the sequences of keys.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.is_complete = True
        self.rejections: list[SampledRejection] = []
        self._rows: dict[tuple[str, int], SampledRow] = {}
        self._marks: dict[tuple[str, int], SampledRow] = {}

    @property
    def rows(self) -> Sequence[SampledRow]:
        """In the order of the file; what nothing was said of is in the database already."""
        for row in self._rows.values():
            row.status = row.status or RowStatus.UNCHANGED
        return list(self._rows.values())

    def see(self, table: str, record: Record) -> None:
        if len(self._rows) < SHOWN_ROWS:
            first = islice(record.values.items(), _MOST_VALUES)
            values = {shown(name): shown(value) for name, value in first}
            self._rows.setdefault(
                (table, record.line), SampledRow(storable_text(table), record.line, values)
            )

    def reject(self, table: str, rejection: Rejection) -> None:
        row = self._rows.get((table, rejection.line))
        if row is not None:
            row.status = RowStatus.REJECTED
        if len(self.rejections) < SHOWN_REJECTIONS:
            self.rejections.append(
                SampledRejection(
                    storable_text(table),
                    rejection.line,
                    rejection.code,
                    shown(rejection.detail),
                    shown(rejection.text),
                )
            )

    def became(
        self,
        table: str,
        line: int,
        status: RowStatus,
        changes: Sequence[Difference] = (),
    ) -> None:
        """Say what becomes of a row, where it is one of those shown."""
        row = self._rows.get((table, line))
        if row is not None and row.status is not RowStatus.REJECTED:
            row.status, row.changes = status, list(changes)

    # ----------------------------------------------------- rows that the database compares

    def mark(self, table: str, line: int, mark: int) -> None:
        """Remember by which number the database knows a row of the file."""
        row = self._rows.get((table, line))
        if row is not None:
            self._marks[table, mark] = row

    def marks_of(self, table: str) -> list[int]:
        return [mark for name, mark in self._marks if name == table]

    def compared(
        self,
        table: str,
        mark: int,
        is_there: bool,
        before: Mapping[str, Any] | None,
        after: Mapping[str, Any] | None,
    ) -> None:
        """Say what the database had and has for a row; ``is_there`` is false where another row of
        the file took its place.
        """
        row = self._marks[table, mark]
        changes = differences(before or {}, after or {})
        if not is_there:
            status = RowStatus.SUPERSEDED
        elif before is None:
            status = RowStatus.NEW
        else:
            status = RowStatus.UPDATED if before != after else RowStatus.UNCHANGED
        self.became(table, row.line, status, changes if status is RowStatus.UPDATED else ())


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """The fields that differ; those of a staged document one by one."""
    found = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if name in _NOT_COMPARED or old == new:
            continue
        if name == "document" and isinstance(old, dict) and isinstance(new, dict):
            found += differences(old, new)
        else:
            found.append(Difference(name, shown(old), shown(new)))
    return found


def shown(value: Any) -> Any:
    """A value as people are shown it: texts that JSON and pages can hold, not too long."""
    if value is None or isinstance(value, bool | int):
        return value
    text = storable_text(value if isinstance(value, str) else str(value))
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
