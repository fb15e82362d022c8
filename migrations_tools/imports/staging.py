"""Rows on their way into a model: COPY into a temporary table, then merge by identity.

The client's memory holds one row at a time; all comparing is done by the database.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from django.db.models import Model

from migrations_tools.engine.sql import column_list, quoted, table_of
from migrations_tools.imports.lines import LineWriter
from migrations_tools.imports.preview import Sample
from migrations_tools.imports.readers.base import Record, SourceTable
from migrations_tools.imports.tables import Counts, FileImport, ImportTable, RowRefusedError
from migrations_tools.models import StagedRow

#: Of the temporary table, beside the columns of the model: what identifies a row within
#: the file – its number in a database, its place in a text file.
ROW = "import_row"
ROWS = "import_rows"


def marked(line: bytes, marks: Iterable[int]) -> bytes:
    """``line`` with further columns, and its end."""
    return b"\t".join([line, *[b"%d" % mark for mark in marks]]) + b"\n"


class Copied(NamedTuple):
    """Rows of a file that were copied; of them those that are in the model's table already."""

    rows: int
    placed: int = 0


class CopiedTable(ImportTable):
    """A legacy table whose rows reach the database by COPY and are compared there.

    ``key`` is the field that identifies a row. Within one file, rows of the same key count as if
    they came one after the other, the superseded ones as ``unchanged``.
    """

    def __init__(
        self,
        name: str,
        model: type[Model],
        *,
        key: str,
        fields: Sequence[str],
        columns: Mapping[str, Sequence[str]],
        other_names: Sequence[str] = (),
    ) -> None:
        super().__init__(name, columns=columns, other_names=other_names)
        self.model = model
        self.target = table_of(model)
        self.key = quoted(self._column(key))
        self.columns = [self._column(name) for name in dict.fromkeys([key, *fields])]
        self.marks = [ROW]
        # statistics of the wide columns would cost as much as all the rest of a small import
        compared = [name for name in (self._column(key), "content_hash") if name in self.columns]
        self._compared = column_list(compared)

    @abstractmethod
    def line(self, record: Record) -> bytes:
        """A line of COPY text for ``columns``. Raises RowRefusedError."""

    @abstractmethod
    def identify(self, cursor: Any, *, lines_identify: bool) -> None:
        """Give every copied row the key that it is to have, and leave one row of each key."""

    @abstractmethod
    def _merge(self, cursor: Any, file_import: FileImport) -> Counts:
        """Bring the copied rows into the model's table; what was imported and updated."""

    def load(self, source: SourceTable, file_import: FileImport) -> Counts:
        cursor = file_import.cursor
        cursor.execute(
            f"CREATE TEMPORARY TABLE {ROWS} ON COMMIT DROP AS SELECT {column_list(self.columns)}, "
            f"{', '.join(f'NULL::bigint AS {mark}' for mark in self.marks)} "
            f"FROM {self.target} WITH NO DATA"
        )
        copied = self._copy(source, file_import)
        self._analyze(cursor, ROWS)
        self.identify(cursor, lines_identify=source.lines_identify)
        rejected = file_import.rejected
        before = self._sampled(file_import) if file_import.sample else {}
        counts = self._merge(cursor, file_import)
        if file_import.sample:
            self._tell_sample(file_import.sample, before, self._sampled(file_import))
        counts.imported += copied.placed
        rejected = file_import.rejected - rejected
        counts.unchanged = copied.rows - rejected - counts.imported - counts.updated
        cursor.execute(f"DROP TABLE {ROWS}")
        return counts

    def _copy(self, source: SourceTable, file_import: FileImport) -> Copied:
        """COPY all rows into the temporary table. Rejected ones are written in between."""
        copied = 0
        into_rows = self._into_rows
        with LineWriter(file_import.cursor) as writer:
            for line, marks in self._lines(source, file_import, writer):
                writer.write(into_rows, marked(line, marks))
                copied += 1
        file_import.flush()
        return Copied(copied)

    @property
    def _into_rows(self) -> str:
        return f"COPY {ROWS} ({column_list([*self.columns, *self.marks])}) FROM STDIN"

    def _lines(
        self, source: SourceTable, file_import: FileImport, writer: LineWriter
    ) -> Iterator[tuple[bytes, tuple[int, ...]]]:
        """A line for ``columns``, and values for ``marks``, of each row that can be taken."""
        lines_identify = source.lines_identify
        sample = file_import.sample
        for place, record in enumerate(file_import.rows(source, self.name), 1):
            if record is not None:
                try:
                    line = self.line(record)
                except RowRefusedError as refusal:
                    file_import.refuse(self.name, record, refusal)
                else:
                    marks = self.marks_of(record, record.line if lines_identify else place)
                    if sample is not None:
                        sample.mark(self.name, record.line, marks[0])
                    yield line, marks
                    continue
            if file_import.must_flush:
                writer.finish()
                file_import.flush()

    def _analyze(self, cursor: Any, table: str) -> None:
        """Statistics of the columns that rows are compared by; a small sample tells enough."""
        cursor.execute("SET LOCAL default_statistics_target = 10")
        cursor.execute(f"ANALYZE {table} ({self._compared})")
        cursor.execute("SET LOCAL default_statistics_target TO DEFAULT")

    def _sampled(self, file_import: FileImport) -> dict[int, Any]:
        """The row of the model for each copied row that a preview shows; None where none is."""
        marks = file_import.sample.marks_of(self.name) if file_import.sample else []
        file_import.cursor.execute(
            f"SELECT t.{ROW}, to_jsonb(s) FROM {ROWS} t LEFT JOIN {self.target} s "
            f"ON s.{self.key} = t.{self.key} WHERE t.{ROW} = ANY(%s)",
            [marks],
        )
        return {mark: found and json.loads(found) for mark, found in file_import.cursor.fetchall()}

    def _tell_sample(self, sample: Sample, before: dict[int, Any], after: dict[int, Any]) -> None:
        for mark in sample.marks_of(self.name):
            sample.compared(self.name, mark, mark in before, before.get(mark), after.get(mark))

    def marks_of(self, record: Record, place: int) -> tuple[int, ...]:
        """Values for ``marks``, the columns that only the temporary table has."""
        return (place,)

    def keep_last_rows(self, cursor: Any) -> None:
        """Of the copied rows of each key only the last one stays."""
        cursor.execute(
            f"DELETE FROM {ROWS} t USING (SELECT {self.key}, max({ROW}) AS last FROM {ROWS} "
            f"GROUP BY {self.key} HAVING count(*) > 1) r "
            f"WHERE t.{self.key} = r.{self.key} AND t.{ROW} < r.last"
        )

    def _column(self, field: str) -> str:
        return str(self.model._meta.get_field(field).column)  # type: ignore[union-attr]


class StagedTable(CopiedTable):
    """A legacy table kept as it is, one staged row for each of its rows."""

    def __init__(
        self,
        name: str,
        model: type[StagedRow],
        *,
        key: str,
        fields: Sequence[str],
        columns: Mapping[str, Sequence[str]],
        other_names: Sequence[str] = (),
    ) -> None:
        super().__init__(
            name,
            model,
            key=key,
            fields=[*fields, "content_hash", "extra"],
            columns=columns,
            other_names=other_names,
        )

    def _merge(self, cursor: Any, file_import: FileImport) -> Counts:
        """Update the staged rows of the same key and other content, insert the new ones.

        Rows are locked in the order of their keys, as runs lock them.
        """
        counts = Counts()
        legacy_import_id = file_import.legacy_import.pk
        changed = (
            f"FROM {ROWS} t WHERE s.{self.key} = t.{self.key} "
            "AND s.content_hash IS DISTINCT FROM t.content_hash"
        )
        cursor.execute(
            f"SELECT count(*) FROM (SELECT FROM {self.target} s JOIN {ROWS} t USING ({self.key}) "
            f"WHERE s.content_hash IS DISTINCT FROM t.content_hash "
            f"ORDER BY s.{self.key} FOR NO KEY UPDATE OF s) locked"
        )
        if cursor.fetchone()[0]:
            values = ", ".join(f"{quoted(name)} = t.{quoted(name)}" for name in self.columns)
            cursor.execute(
                f"UPDATE {self.target} s SET {values}, legacy_import_id = %s, staged_at = now() "
                + changed,
                [legacy_import_id],
            )
            counts.updated = cursor.rowcount
        # A nested loop over a table that looks empty would read again and again what this very
        # statement adds to it.
        cursor.execute("SET LOCAL enable_nestloop = off")
        cursor.execute(
            f"INSERT INTO {self.target} ({column_list(self.columns)}, legacy_import_id) "
            f"SELECT {column_list(self.columns, 't')}, %s FROM {ROWS} t "
            f"WHERE NOT EXISTS (SELECT FROM {self.target} s WHERE s.{self.key} = t.{self.key}) "
            f"ORDER BY t.{ROW}",
            [legacy_import_id],
        )
        counts.imported = cursor.rowcount
        cursor.execute("SET LOCAL enable_nestloop = on")
        if counts.imported + counts.updated:
            self._analyze(cursor, self.target)
        return counts
