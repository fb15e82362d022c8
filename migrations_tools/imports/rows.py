"""Tables of typed columns whose rows have a number for identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from migrations_tools.engine.sql import quoted
from migrations_tools.imports.readers.base import Record
from migrations_tools.imports.staging import ROW, ROWS, StagedTable
from migrations_tools.imports.tables import Counts, move_sequence
from migrations_tools.imports.values import (
    Convert,
    DoesNotFitError,
    content_hash,
    converter,
    extra_json,
)
from migrations_tools.models import StagedRow

#: In ``extra`` of rows that were given their number here: what identified them in their file.
GIVEN = "$row"


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
        fields = [key, *(field for field in columns if field != key)]
        super().__init__(
            name,
            model,
            key=key,
            fields=fields,
            columns={key: (), **columns},
            other_names=other_names,
        )
        self._converters = [converter(model._meta.get_field(field)) for field in fields]  # type: ignore[arg-type]
        self._positions = {field: position for position, field in enumerate(fields)}
        self._plan = lru_cache(maxsize=256)(self._make_plan)

    def _make_plan(self, columns: tuple[str, ...]) -> list[tuple[str, int | None, Convert]]:
        """For rows with these columns: column, its place in the row, and its converter."""
        found = self.fields_of(columns)
        return [
            (column, None, _kept)
            if field is None
            else (column, self._positions[field], self._converters[self._positions[field]])
            for column, field in found
        ]

    def row(self, record: Record) -> tuple[Any, ...]:
        values = record.values
        row: list[Any] = [None] * len(self._converters)
        extra: dict[str, Any] = {}
        for column, position, convert in self._plan(tuple(values)):
            value = values[column]
            if value is None:
                continue
            if position is None or row[position] is not None:
                extra[column] = value
                continue
            try:
                row[position] = convert(value)
            except DoesNotFitError:
                extra[column] = value
        digest = content_hash([*row, extra] if extra else row)
        return (*row, digest, extra_json(extra) if extra else None)

    def identify(self, cursor: Any, *, lines_identify: bool) -> None:
        self._free_repeated_numbers(cursor)
        cursor.execute(f"SELECT EXISTS (SELECT FROM {ROWS} WHERE {self.key} IS NULL)")
        if cursor.fetchone()[0]:
            self._find_by_content(cursor)
            if lines_identify:
                self._find_by_row(cursor)
            self._number(cursor)

    def _merge(self, cursor: Any, legacy_import_id: int) -> Counts:
        counts = super()._merge(cursor, legacy_import_id)
        move_sequence(cursor, self.model)
        return counts

    def _free_repeated_numbers(self, cursor: Any) -> None:
        """Take its number from every row whose number is another row's."""
        key = self.key
        ranked = (
            f"SELECT ctid AS place, row_number() OVER same > 1 AS repeated, "
            f"content_hash = first_value(content_hash) OVER same AS equal FROM {ROWS} "
            f"WHERE {key} IN (SELECT {key} FROM {ROWS} GROUP BY {key} HAVING count(*) > 1) "
            f"WINDOW same AS (PARTITION BY {key} ORDER BY {ROW})"
        )
        cursor.execute(
            f"DELETE FROM {ROWS} t USING ({ranked}) r WHERE t.ctid = place AND repeated AND equal"
        )
        without = (
            f"SET {key} = NULL, extra = coalesce(t.extra, '{{}}') || "
            f"jsonb_build_object(%s::text, t.{key})"
        )
        name = [self.model._meta.pk.column]
        cursor.execute(
            f"UPDATE {ROWS} t {without} FROM ({ranked}) r WHERE t.ctid = place AND repeated", name
        )
        cursor.execute(
            f"UPDATE {ROWS} t {without} FROM {self.target} s WHERE s.{key} = t.{key} "
            f"AND (s.content_hash IS NULL OR s.extra ? '{GIVEN}')",
            name,
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

    @staticmethod
    def _given(alias: str) -> str:
        return (
            f"extra = coalesce({alias}.extra, '{{}}') || "
            f"jsonb_build_object('{GIVEN}', {alias}.{quoted(ROW)})"
        )


def _kept(value: Any) -> Any:
    raise DoesNotFitError
