"""What becomes of the rows of one legacy table."""

from __future__ import annotations

import re
import unicodedata
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.db.models import Model

from migrations_tools.engine.sql import pk_column, table_of
from migrations_tools.imports.preview import RowStatus, Sample
from migrations_tools.imports.readers.base import Record, Rejection, SourceTable
from migrations_tools.models import LegacyImport, RejectedLine
from migrations_tools.text import storable_text

#: Called now and then with the table, its rows so far, and the share read of it (0–1).
Progress = Callable[[str, int, float], None]

_REPORT_EVERY = 5_000  # rows
_KEPT_DETAIL = 2_000  # characters of a reason
_KEPT_TEXT = 100_000  # characters of a rejected line: it is to be mended and imported again
# in memory, before they are written: rejections, and characters of their texts
_KEPT_REJECTIONS, _KEPT_CHARACTERS = 1_000, 8_000_000


class RowRefusedError(Exception):
    """The table cannot take a row; it becomes a rejected line."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


@dataclass(slots=True)
class Counts:
    """Rows by what became of them."""

    imported: int = 0
    updated: int = 0
    unchanged: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.imported + other.imported,
            self.updated + other.updated,
            self.unchanged + other.unchanged,
        )


class FileImport:
    """One file on its way into the database, inside one transaction.

    With a ``sample`` the import is a preview: only the first rows are read, and the caller takes
    everything back.
    """

    def __init__(
        self,
        cursor: Any,
        legacy_import: LegacyImport,
        progress: Progress | None,
        sample: Sample | None = None,
    ) -> None:
        self.sample = sample
        self.cursor = cursor
        self.legacy_import = legacy_import
        self.read = 0
        self.rejected = 0
        self._progress = progress
        self._pending: list[RejectedLine] = []
        self._pending_characters = 0

    @property
    def must_flush(self) -> bool:
        many = len(self._pending) >= _KEPT_REJECTIONS
        return many or self._pending_characters >= _KEPT_CHARACTERS

    def rows(self, source: SourceTable, table: str) -> Iterator[Record | None]:
        """The records of a table; None for each row that the reader rejected."""
        count = 0
        for count, item in enumerate(source, 1):
            if self.sample is not None and count > self.sample.limit:
                self.sample.is_complete = False
                break
            self.read += 1
            if isinstance(item, Rejection):
                self.reject(table, item)
                yield None
            else:
                if self.sample is not None:
                    self.sample.see(table, item)
                yield item
            if self._progress is not None and not count % _REPORT_EVERY:
                self._progress(table, count, source.position())
        if self._progress is not None:
            self._progress(table, count, 1.0)

    def reject(self, table: str, rejection: Rejection) -> None:
        """Put a row aside. ``flush`` writes it, as soon as no COPY is under way."""
        self.rejected += 1
        if self.sample is not None:
            self.sample.reject(table, rejection)
        text = storable_text(rejection.text[:_KEPT_TEXT])
        self._pending_characters += len(text)
        self._pending.append(
            RejectedLine(
                legacy_import=self.legacy_import,
                table=storable_text(table)[:100],
                line=rejection.line,
                code=rejection.code,
                detail=storable_text(rejection.detail[:_KEPT_DETAIL]),
                text=text,
            )
        )

    def refuse(self, table: str, record: Record, refusal: RowRefusedError) -> None:
        text = repr(record.values) if record.text is None else record.text
        self.reject(table, Rejection(record.line, refusal.code, refusal.detail, text))

    def became(self, table: str, line: int, status: RowStatus) -> None:
        """Tell a preview what becomes of a row."""
        if self.sample is not None:
            self.sample.became(table, line, status)

    def flush(self) -> None:
        RejectedLine.objects.bulk_create(self._pending)
        self._pending.clear()
        self._pending_characters = 0


class ImportTable(ABC):
    """A legacy table by its names, and where its rows go.

    ``columns`` maps fields to the legacy names of their column, the first one preferred; the
    field's own name is always one of them. Names are compared by `name_key`.
    """

    def __init__(
        self,
        name: str,
        *,
        columns: Mapping[str, Sequence[str]],
        other_names: Sequence[str] = (),
    ) -> None:
        self.name = name
        self._names = {name_key(known) for known in (name, *other_names)}
        self._fields = {
            name_key(known): (field, rank)
            for field, names in columns.items()
            for rank, known in enumerate(dict.fromkeys([*names, field]))
        }

    def is_called(self, name: str) -> bool:
        return name_key(name) in self._names

    def is_named_in(self, file_stem: str) -> int:
        """How long the longest of its names in ``file_stem`` is, 0 for none of them."""
        key = f"_{name_key(file_stem)}_"
        return max((len(name) for name in self._names if f"_{name}_" in key), default=0)

    def knows_any_of(self, columns: Iterable[str]) -> bool:
        """Whether a table with these columns can be this one."""
        return any(name_key(column) in self._fields for column in columns)

    def fields_of(self, columns: Iterable[str]) -> list[tuple[str, str | None]]:
        """Columns with the field each fills, those of one field in the order of preference."""
        found = [(column, *self._fields.get(name_key(column), (None, 0))) for column in columns]
        found.sort(key=lambda entry: entry[2])
        return [(column, field) for column, field, _ in found]

    @abstractmethod
    def load(self, source: SourceTable, file_import: FileImport) -> Counts:
        """Put all rows of ``source`` where they belong. Every row read is counted once, here or
        as rejected.
        """


def move_sequence(cursor: Any, model: type[Model]) -> None:
    """Let rows that the product adds get numbers above those of the file."""
    table, key = table_of(model), pk_column(model)
    cursor.execute(
        f"SELECT setval(pg_get_serial_sequence(%s, %s), highest) "
        f"FROM (SELECT max({key}) AS highest FROM {table}) keys "
        "WHERE highest >= nextval(pg_get_serial_sequence(%s, %s))",
        [table, model._meta.pk.column] * 2,
    )


@cache
def _name_key(name: str) -> str:
    plain = unicodedata.normalize("NFKC", name).strip().casefold()
    return re.sub(r"[\s_.\-]+", "_", plain).strip("_")


def name_key(name: str) -> str:
    """Names of tables and columns, whatever their case, spaces, hyphens and underscores."""
    return _name_key(name) if len(name) <= 100 else name
