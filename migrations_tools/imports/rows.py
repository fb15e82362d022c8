"""Tables of typed columns whose rows have a number for identity."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import OperationalError, transaction
from django.db.models import TextField

from migrations_tools.engine.sql import column_list, quoted
from migrations_tools.imports.lines import LineWriter, NotStorableError, copy_line, copy_text
from migrations_tools.imports.readers.base import Record, SourceTable
from migrations_tools.imports.staging import ROW, ROWS, Copied, StagedTable, marked
from migrations_tools.imports.tables import Counts, FileImport, move_sequence
from migrations_tools.imports.values import (
    Convert,
    DoesNotFitError,
    canonical,
    converter,
    extra_json,
)
from migrations_tools.models import StagedRow

#: In ``extra`` of rows that were given their number here: what identified them in their file.
GIVEN = "$row"


Values = dict[str, Any]

_NULL = b"\\N"
_LOCK_NOT_AVAILABLE = "55P03"


class _NotEmptyError(Exception):
    """Somebody wrote in the table meanwhile: the lock on it goes with the savepoint."""


class _Plan(NamedTuple):
    """Where the values of rows with certain columns go; None stands for a column they lack."""

    checked: Sequence[tuple[str | None, Convert]]
    free: Sequence[str | None]
    read_free: Callable[[Any], list[Any]]  # the values of ``free``
    alternatives: Sequence[tuple[str, str]]  # columns of one field, the preferred one first
    others: Sequence[str]  # columns that fill no field, or one that another column fills


class RowTable(StagedTable):
    """Rows keep their number as primary key; nothing is dropped (guarantees.md "Legacy shape").

    - A row without a usable number gets one above the highest. So does a row whose number is
      another row's already: a second one of the file with other content, or one that got its
      number here. What stood in the column is then in ``extra``.
    - Rows that got their number here are found again by their content, the rest of them – in
      databases – by their row number; so the same file again is unchanged.
    - Columns that the model does not have, and values that their column cannot hold, are kept in
      ``extra`` under the column's name.
    """

    def __init__(
        self,
        name: str,
        model: type[StagedRow],
        *,
        columns: Mapping[str, Sequence[str]],
        other_names: Sequence[str] = (),
    ) -> None:
        key = model._meta.pk.attname
        converters = {
            field: converter(model._meta.get_field(field))  # type: ignore[arg-type]
            for field in (key, *columns)
        }
        free = [name for name in converters if type(model._meta.get_field(name)) is TextField]
        self._checked = [name for name in converters if name not in free]
        self._free = free
        self._converters = converters
        self._plan = lru_cache(maxsize=256)(self._make_plan)
        super().__init__(
            name,
            model,
            key=key,
            fields=[*self._checked, *free],
            columns={key: (), **columns},
            other_names=other_names,
        )

    def _make_plan(self, columns: tuple[str, ...]) -> _Plan:
        column_of: dict[str, str] = {}
        alternatives = []
        others = []
        for column, field in self.fields_of(columns):
            if field is not None and field not in column_of:
                column_of[field] = column
                continue
            others.append(column)
            if field is not None:
                alternatives.append((column_of[field], column))
        free = [column_of.get(field) for field in self._free]
        return _Plan(
            [(column_of.get(field), self._converters[field]) for field in self._checked],
            free,
            _reader(free),
            alternatives,
            others,
        )

    def line(self, record: Record) -> bytes:
        """Nearly all values of free columns are storable text; others are looked at one by one.

        The content hash is over the line itself, with what is kept in ``extra`` behind it.
        """
        values = record.values
        plan = self._plan(tuple(values))
        for preferred, other in plan.alternatives:
            if values[preferred] is None:
                values = {**values, preferred: values[other], other: None}
        get: Callable[[Any], Any] = values.get
        extra: Values = {}
        if plan.others:
            extra = {column: value for column in plan.others if (value := get(column)) is not None}
        try:
            checked = [
                None if (value := get(column)) is None else copy_text(convert(value))
                for column, convert in plan.checked
            ]
        except DoesNotFitError:
            checked = [
                copy_text(_fitting(column, get(column), convert, extra))
                for column, convert in plan.checked
            ]
        free = plan.read_free(values)
        try:
            line = copy_line([*checked, *free])
        except (TypeError, NotStorableError):
            line = copy_line([*checked, *self._texts(plan, free, extra)])
        if not extra:
            return b"%b\t\\\\x%b\t\\N" % (line, hashlib.sha256(line).hexdigest().encode())
        digest = hashlib.sha256(b"%b\t%b" % (line, canonical(extra).encode("ascii")))
        return b"%b\t%b" % (line, copy_line([copy_text(digest.digest()), extra_json(extra)]))

    def _texts(self, plan: _Plan, values: Sequence[Any], extra: Values) -> list[Any]:
        return [
            _fitting(column, value, self._converters[field], extra)
            for field, column, value in zip(self._free, plan.free, values, strict=True)
        ]

    def _copy(self, source: SourceTable, file_import: FileImport) -> Copied:
        """Rows of an empty table are copied into it at once, while their numbers rise.

        So is nearly all of a first import; the others are compared as in any later one.
        """
        cursor = file_import.cursor
        if file_import.sample is not None or not self._hold_empty(cursor):
            return super()._copy(source, file_import)
        into_rows = self._into_rows
        columns = column_list([*self.columns, "legacy_import_id"])
        into_table = f"COPY {self.target} ({columns}) FROM STDIN"
        end = marked(b"", [file_import.legacy_import.pk])
        copied = placed = 0
        highest = -(2**63)
        with LineWriter(cursor) as writer:
            for line, marks in self._lines(source, file_import, writer):
                copied += 1
                written = line[: line.index(b"\t")]
                if written != _NULL and (number := int(written)) > highest:
                    highest = number
                    placed += 1
                    writer.write(into_table, line + end)
                else:
                    writer.write(into_rows, marked(line, marks))
        file_import.flush()
        if placed < copied:
            self._part_from_placed(cursor)
        return Copied(copied, placed)

    def _hold_empty(self, cursor: Any) -> bool:
        """Whether the table is empty; it then stays so for all others until the import ends.

        Where somebody writes in it already, he is not waited for.
        """
        if not self._is_empty(cursor):
            return False
        try:
            with transaction.atomic():
                cursor.execute(f"LOCK TABLE {self.target} IN SHARE ROW EXCLUSIVE MODE NOWAIT")
                if not self._is_empty(cursor):
                    raise _NotEmptyError
        except _NotEmptyError:
            return False
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", "") != _LOCK_NOT_AVAILABLE:
                raise
            return False
        return True

    def _is_empty(self, cursor: Any) -> bool:
        cursor.execute(f"SELECT NOT EXISTS (SELECT FROM {self.target})")
        return bool(cursor.fetchone()[0])

    def _part_from_placed(self, cursor: Any) -> None:
        """Of the rows set aside, drop those that are placed already, number and content, and take
        its number from each that has the one of a placed row.
        """
        key = self.key
        same = f"FROM {self.target} s WHERE s.{key} = t.{key}"
        cursor.execute(
            f"DELETE FROM {ROWS} t USING {self.target} s "
            f"WHERE s.{key} = t.{key} AND s.content_hash = t.content_hash"
        )
        cursor.execute(
            f"UPDATE {ROWS} t {self._without_number('t')} {same}", [self.model._meta.pk.column]
        )

    def identify(self, cursor: Any, *, lines_identify: bool) -> None:
        self._free_repeated_numbers(cursor)
        cursor.execute(f"SELECT EXISTS (SELECT FROM {ROWS} WHERE {self.key} IS NULL)")
        if cursor.fetchone()[0]:
            self._find_by_content(cursor)
            if lines_identify:
                self._find_by_row(cursor)
            self._number(cursor)

    def _merge(self, cursor: Any, file_import: FileImport) -> Counts:
        counts = super()._merge(cursor, file_import)
        if file_import.sample is None:
            move_sequence(cursor, self.model)
        return counts

    def _free_repeated_numbers(self, cursor: Any) -> None:
        """Take its number from every row whose number is another row's."""
        key = self.key
        name = [self.model._meta.pk.column]
        without = self._without_number("t")
        cursor.execute(
            f"UPDATE {ROWS} t {without} FROM {self.target} s WHERE s.{key} = t.{key} "
            f"AND (s.content_hash IS NULL OR s.extra ? '{GIVEN}')",
            name,
        )
        repeated = (
            f"SELECT {key} FROM {ROWS} GROUP BY {key} HAVING {key} IS NOT NULL AND count(*) > 1"
        )
        cursor.execute(f"SELECT EXISTS ({repeated})")
        if not cursor.fetchone()[0]:
            return
        ranked = (
            f"SELECT ctid AS place, row_number() OVER same > 1 AS repeated, "
            f"content_hash = first_value(content_hash) OVER same AS equal FROM {ROWS} "
            f"WHERE {key} IN ({repeated}) "
            f"WINDOW same AS (PARTITION BY {key} ORDER BY {ROW})"
        )
        cursor.execute(
            f"DELETE FROM {ROWS} t USING ({ranked}) r WHERE t.ctid = place AND repeated AND equal"
        )
        cursor.execute(
            f"UPDATE {ROWS} t {without} FROM ({ranked}) r WHERE t.ctid = place AND repeated", name
        )

    def _find_by_content(self, cursor: Any) -> None:
        """The first of equal rows is the first of those staged, and so on."""
        numbered = "row_number() OVER (PARTITION BY content_hash ORDER BY {}) AS n"
        cursor.execute(
            f"UPDATE {ROWS} t SET {self.key} = found.{self.key}, {self._given('t')} FROM ("
            f"SELECT i.{ROW}, s.{self.key} FROM "
            f"(SELECT {ROW}, content_hash, {numbered.format(ROW)} FROM {ROWS} "
            f"WHERE {self.key} IS NULL) i JOIN "
            f"(SELECT {self.key}, content_hash, {numbered.format(self.key)} FROM {self.target} "
            f"WHERE extra ? '{GIVEN}') s USING (content_hash, n)"
            f") found WHERE t.{ROW} = found.{ROW}"
        )

    def _find_by_row(self, cursor: Any) -> None:
        """Rows whose content has changed, and the new row numbers of those that have not."""
        cursor.execute(
            f"UPDATE {ROWS} t SET {self.key} = s.{self.key}, {self._given('t')} "
            f"FROM {self.target} s WHERE t.{self.key} IS NULL "
            f"AND s.extra ? '{GIVEN}' AND (s.extra->>'{GIVEN}')::bigint = t.{ROW} "
            f"AND NOT EXISTS (SELECT FROM {ROWS} o WHERE o.{self.key} = s.{self.key})"
        )
        cursor.execute(
            f"UPDATE {self.target} s SET extra = t.extra FROM {ROWS} t "
            f"WHERE s.{self.key} = t.{self.key} AND s.content_hash = t.content_hash "
            f"AND s.extra->'{GIVEN}' IS DISTINCT FROM t.extra->'{GIVEN}'"
        )

    def _number(self, cursor: Any) -> None:
        key = self.key
        cursor.execute(
            f"UPDATE {ROWS} t SET {key} = highest + n, {self._given('t')} FROM "
            f"(SELECT {ROW}, row_number() OVER (ORDER BY {ROW}) AS n FROM {ROWS} "
            f"WHERE {key} IS NULL) numbered, "
            f"(SELECT greatest(0, (SELECT max({key}) FROM {self.target}), "
            f"(SELECT max({key}) FROM {ROWS})) AS highest) above "
            f"WHERE t.{ROW} = numbered.{ROW} AND t.{key} IS NULL"
        )

    def _without_number(self, alias: str) -> str:
        """What stood in the column is kept in ``extra``; its name is the statement's argument."""
        return (
            f"SET {self.key} = NULL, extra = coalesce({alias}.extra, '{{}}') || "
            f"jsonb_build_object(%s::text, {alias}.{self.key})"
        )

    @staticmethod
    def _given(alias: str) -> str:
        return (
            f"extra = coalesce({alias}.extra, '{{}}') || "
            f"jsonb_build_object('{GIVEN}', {alias}.{quoted(ROW)})"
        )


def _reader(columns: Sequence[str | None]) -> Callable[[Any], list[Any]]:
    """What reads the values of ``columns`` from a row; several times faster where it has all."""
    present = [column for column in columns if column is not None]
    if len(present) == len(columns) > 1:
        read = itemgetter(*present)
        return lambda values: list(read(values))
    return lambda values: [values.get(column) for column in columns]


def _fitting(column: str | None, value: Any, convert: Convert, extra: Values) -> Any:
    """``value`` as its field takes it; else None, and ``extra`` keeps it."""
    if value is None or column is None:
        return None
    try:
        return convert(value)
    except DoesNotFitError:
        extra[column] = value
        return None
