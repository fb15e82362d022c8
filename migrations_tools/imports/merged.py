"""Rows that become objects people work with, by the million: all comparing is the database's."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Model
from django.utils.translation import gettext as _

from migrations_tools.engine.history import CHANGED, INSERTED, history_model, write_history
from migrations_tools.engine.sql import column_list, pk_column, quoted, table_of
from migrations_tools.engine.transfer import empty_table, key_columns
from migrations_tools.imports.lines import value_line
from migrations_tools.imports.readers.base import Record, Rejection
from migrations_tools.imports.staging import ROW, ROWS, CopiedTable
from migrations_tools.imports.tables import Counts, FileImport

#: Of the temporary table: the physical line of the row, for those that are rejected later.
LINE = "import_line"
#: How the reasons of history rows begin that an import, or a run of a data migration, wrote.
IMPORTED, CARRIED = "import ", "run "


class MergedTable(CopiedTable):
    """Rows become objects of a model; ``key`` is a unique field that finds them again.

    - A row that was imported before follows the file for as long as only imports and runs wrote
      it. What a person changed here stays as it is and counts as unchanged. Models without
      history always follow the file.
    - A field that is ``assigned`` here, by runs or people, follows the file only while nobody but
      imports gave it its value; while it is empty, the file may fill it.
    - ``defaults`` are SQL expressions over the copied row ``t``, for fields that a row may leave
      empty: they fill new objects, and objects that are there keep what they have.
    - A row whose object does not fulfil ``belongs``, SQL over the object ``s``, is rejected with
      ``id_taken``.
    """

    def __init__(
        self,
        name: str,
        model: type[Model],
        *,
        key: str,
        fields: Sequence[str],
        columns: Mapping[str, Sequence[str]],
        assigned: Sequence[str] = (),
        defaults: Mapping[str, str] | None = None,
        belongs: str = "true",
        other_names: Sequence[str] = (),
    ) -> None:
        super().__init__(
            name, model, key=key, fields=fields, columns=columns, other_names=other_names
        )
        self.marks = [ROW, LINE]
        self._belongs = belongs
        self._assigned = {self._column(field) for field in assigned}
        self._defaults = {self._column(field): sql for field, sql in (defaults or {}).items()}
        self._history = history_model(model)

    @abstractmethod
    def row(self, record: Record) -> tuple[Any, ...]:
        """Values for ``columns``, all of them storable. Raises RowRefusedError."""

    def line(self, record: Record) -> bytes:
        return value_line(self.row(record))

    def marks_of(self, record: Record, place: int) -> tuple[int, ...]:
        return (place, record.line)

    def identify(self, cursor: Any, *, lines_identify: bool) -> None:
        """The last row of each key stays."""
        self.keep_last_rows(cursor)

    def _merge(self, cursor: Any, file_import: FileImport) -> Counts:
        self._reject_taken(cursor, file_import)
        counts = Counts()
        counts.updated = self._update(cursor, file_import)
        counts.imported = self._insert(cursor, file_import)
        if counts.imported + counts.updated:
            cursor.execute(f"ANALYZE {self.target}")
        return counts

    def _reject_taken(self, cursor: Any, file_import: FileImport) -> None:
        """Set rows aside whose key is that of an object of another sort."""
        cursor.execute(
            f"DELETE FROM {ROWS} t USING {self.target} s WHERE s.{self.key} = t.{self.key} "
            f"AND NOT ({self._belongs}) RETURNING t.{LINE}, t.{self.key}::text"
        )
        for line, key in cursor.fetchall():
            detail = _("The id %(key)s belongs to something of another sort.") % {"key": key}
            file_import.reject(self.name, Rejection(line, "id_taken", detail, key))

    def _update(self, cursor: Any, file_import: FileImport) -> int:
        """Let the objects that are there follow the file; rows are locked in the order of keys."""
        pk = pk_column(self.model)
        columns = [column for column in self.columns if quoted(column) != self.key]
        stored, wanted = column_list(columns, "s"), column_list(columns, "n")
        said = ", ".join(map(self._said, columns))
        facts, follows = self._facts()
        cursor.execute(
            f"SELECT count(*) FROM (SELECT FROM {self.target} s JOIN {ROWS} t "
            f"ON s.{self.key} = t.{self.key} "
            f"WHERE ROW({stored}) IS DISTINCT FROM ROW({said}) "
            f"ORDER BY s.{self.key} FOR NO KEY UPDATE OF s) locked"
        )
        if not cursor.fetchone()[0]:
            return 0
        news = ", ".join(
            f"{self._assigned_or_said(column)} AS {quoted(column)}" for column in columns
        )
        update = (
            f"UPDATE {self.target} s SET "
            + ", ".join(f"{quoted(column)} = n.{quoted(column)}" for column in columns)
            + f" FROM (SELECT s.{pk} AS found, {news} FROM {ROWS} t JOIN {self.target} s "
            f"ON s.{self.key} = t.{self.key} {facts} "
            f"WHERE ROW({stored}) IS DISTINCT FROM ROW({said}) AND {follows}) n "
            f"WHERE s.{pk} = n.found AND ROW({stored}) IS DISTINCT FROM ROW({wanted})"
        )
        return self._write(cursor, update, "s", CHANGED, file_import)

    def _insert(self, cursor: Any, file_import: FileImport) -> int:
        given = ", ".join(
            f"coalesce(t.{quoted(column)}, {self._defaults[column]})"
            if column in self._defaults
            else f"t.{quoted(column)}"
            for column in self.columns
        )
        # a nested loop over a table that looks empty would read it again for every row
        cursor.execute("SET LOCAL enable_nestloop = off")
        number = self._write(
            cursor,
            f"INSERT INTO {self.target} AS s ({column_list(self.columns)}) SELECT {given} "
            f"FROM {ROWS} t WHERE NOT EXISTS "
            f"(SELECT FROM {self.target} o WHERE o.{self.key} = t.{self.key}) "
            f"ORDER BY t.{ROW} ON CONFLICT ({self.key}) DO NOTHING",
            "s",
            INSERTED,
            file_import,
        )
        cursor.execute("SET LOCAL enable_nestloop = on")
        return number

    def _write(
        self, cursor: Any, statement: str, alias: str, kind: str, file_import: FileImport
    ) -> int:
        """Execute ``statement`` and remember what it wrote; the number of rows."""
        if self._history is None:
            cursor.execute(statement)
            return int(cursor.rowcount)
        written = empty_table(cursor, key_columns(self.model))
        cursor.execute(
            f"WITH written AS ({statement} RETURNING {alias}.{pk_column(self.model)} AS pk) "
            f"INSERT INTO {written} (pk) SELECT pk FROM written"
        )
        number = int(cursor.rowcount)
        legacy_import = file_import.legacy_import
        reason = f"{IMPORTED}{legacy_import.pk}"
        write_history(cursor, self.model, written, kind, reason, legacy_import.actor_id)
        return number

    def _said(self, column: str) -> str:
        """What the file says; where it says nothing and there is a default, what is there."""
        said = f"t.{quoted(column)}"
        return f"coalesce({said}, s.{quoted(column)})" if column in self._defaults else said

    def _assigned_or_said(self, column: str) -> str:
        if column not in self._assigned or self._history is None:
            return self._said(column)
        own = f"s.{quoted(column)}"
        return f"CASE WHEN {own} IS NULL OR h.imported THEN {self._said(column)} ELSE {own} END"

    def _facts(self) -> tuple[str, str]:
        """SQL that looks up who wrote an object, and the condition that it follows the file.

        A change without a history row counts as one of a person.
        """
        if self._history is None:
            return "", "true"
        history, pk = table_of(self._history), pk_column(self.model)
        reason = "coalesce(h.history_change_reason, '')"
        by_import, by_run = (f"starts_with({reason}, '{word}')" for word in (IMPORTED, CARRIED))
        facts = (
            f"CROSS JOIN LATERAL (SELECT bool_and({by_import}) AS imported, "
            f"bool_and({by_import} OR {by_run}) AS carried "
            f"FROM {history} h WHERE h.{pk} = s.{pk}) h "
            f"LEFT JOIN LATERAL (SELECT ROW({column_list(self.columns, 'h')}) "
            f"IS NOT DISTINCT FROM ROW({column_list(self.columns, 's')}) AS known "
            f"FROM {history} h WHERE h.{pk} = s.{pk} "
            "ORDER BY h.history_date DESC, h.history_id DESC LIMIT 1) l ON true"
        )
        return facts, "h.carried AND l.known"
