"""Taking a batch back: three-way, row by row, decided for each source key as a whole.

A row as the run wrote it is restored; one edited in other columns gets only the run's columns
back; one edited in the run's columns, or still referred to by a row that stays, is a conflict,
and then every row of its source key stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Model
from django.utils.translation import gettext_noop

from migrations_tools.engine import journal
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.decided import reopen_restored
from migrations_tools.engine.errors import ErrorClass, classify, code_of, sentence_of
from migrations_tools.engine.execute import Carried, settle_constraints
from migrations_tools.engine.export import export_rows
from migrations_tools.engine.failpoints import failpoint
from migrations_tools.engine.history import CHANGED, INSERTED, write_history
from migrations_tools.engine.ledger import Entry
from migrations_tools.engine.obstacles import Conflict, Obstacles, Shape
from migrations_tools.engine.sql import (
    column_type,
    pk_column,
    table_of,
)
from migrations_tools.engine.transfer import empty_table, key_columns, transfer_keys
from migrations_tools.engine.write import Written, delete_and_record, in_dependency_order
from migrations_tools.models import Batch
from migrations_tools.states import Operation, Outcome, RunKind

#: Of keys that a person did not choose.
_KEPT = Conflict("kept", gettext_noop("Nobody decided to take it back: what people changed stays."))


class BatchUndoer:
    """Takes back what one batch of the parent run wrote."""

    def __init__(self, context: RunContext, cursor: Any, batch: Batch) -> None:
        self.context = context
        self.cursor = cursor
        self.batch = batch
        self.force = bool(context.run.tuning.get("force"))
        chosen = context.run.tuning.get("keys")  # of which a person decided; None: of all
        self.chosen = None if chosen is None else frozenset(chosen)
        self.images: dict[str, list[str]] = context.run.columns
        self.obstacles = Obstacles(cursor, self.images, self.force)
        self.written = Written()

    def undo(self) -> Carried:
        """Restore what can be restored; an entry for every key that had changes."""
        keys = self._collect()
        failpoint("locked")
        shapes = self._shapes()
        conflicts = self.obstacles.erased()
        if self.chosen is not None:
            conflicts.update({key: _KEPT for key in keys if key not in self.chosen})
        conflicts.update(self._undo_keys([key for key in keys if key not in conflicts], shapes))
        entries = [
            Entry(key, Outcome.CONFLICT, conflicts[key].code, conflicts[key].detail)
            if key in conflicts
            else Entry(key, Outcome.RESTORED)
            for key in keys
        ]
        failpoint("written")
        return Carried(entries, [], self.written)

    def _collect(self) -> list[str]:
        """Put the parent batch's changes into a temporary table; their source keys."""
        self.cursor.execute(
            'CREATE TEMPORARY TABLE IF NOT EXISTS carryover_undo (key text COLLATE "C", '
            'model text, pk_text text COLLATE "C", operation text, before jsonb, after jsonb, '
            "image bytea, columns text[], layer integer) ON COMMIT DELETE ROWS"
        )
        self.cursor.execute("DELETE FROM carryover_undo")
        self.cursor.execute(
            "INSERT INTO carryover_undo SELECT c.key, c.model, c.pk_text, c.operation, c.before, "
            "c.after, c.image, CASE WHEN c.operation = 'update' THEN "
            "ARRAY(SELECT jsonb_object_keys(c.after) ORDER BY 1) END, "
            "row_number() OVER (PARTITION BY c.model, c.pk_text ORDER BY c.id DESC) "
            "FROM migrations_tools_rowchange c WHERE c.batch_id = %s AND c.key IS NOT NULL "
            "AND NOT EXISTS (SELECT 1 FROM migrations_tools_ledgerentry l "
            "JOIN migrations_tools_run r ON r.id = l.run_id WHERE r.parent_id = %s "
            "AND r.kind = %s AND r.id <> %s AND l.step = c.step AND l.key = c.key "
            "AND l.outcome = %s)",
            [
                self.batch.undoes_id,
                self.context.run.parent_id,
                RunKind.ROLLBACK,
                self.context.run.pk,
                Outcome.RESTORED,
            ],
        )
        self.cursor.execute("ANALYZE carryover_undo")
        self.cursor.execute("SELECT DISTINCT key FROM carryover_undo ORDER BY key")
        return [key for (key,) in self.cursor.fetchall()]

    def _shapes(self) -> list[Shape]:
        """What kinds of changes there are, newest layer first, derived columns left out."""
        for model in self.context.definition.written_models():
            derived = self.context.derived(model)
            if derived:
                self.cursor.execute(
                    "UPDATE carryover_undo SET after = after - %s::text[], "
                    "columns = ARRAY(SELECT c FROM unnest(columns) c WHERE c <> ALL(%s::text[])) "
                    "WHERE model = %s AND operation = 'update'",
                    [list(derived), list(derived), model._meta.label_lower],
                )
        self.cursor.execute(
            "SELECT DISTINCT layer, model, operation, columns FROM carryover_undo ORDER BY 1, 2, 3"
        )
        return [
            Shape(apps.get_model(label), operation, tuple(columns or ()), layer)
            for layer, label, operation, columns in self.cursor.fetchall()
            if operation != Operation.UPDATE or columns
        ]

    def _undo_keys(self, keys: Sequence[str], shapes: Sequence[Shape]) -> dict[str, Conflict]:
        """Undo these keys; those that conflict stay. Repeats until what stays stays for good."""
        conflicts: dict[str, Conflict] = {}
        while True:
            active = [key for key in keys if key not in conflicts]
            written = Written()
            try:
                with transaction.atomic():
                    found = self._attempt(active, shapes, written)
                    if found:
                        transaction.set_rollback(True)
                    else:
                        settle_constraints()
            except Exception as error:
                if classify(error) is not ErrorClass.ROW:
                    raise
                conflicts.update(self._halve(active, shapes, error))
                return conflicts
            if not found:
                self.written.merge(written)
                return conflicts
            conflicts.update(found)

    def _halve(
        self, keys: Sequence[str], shapes: Sequence[Shape], error: Exception
    ) -> dict[str, Conflict]:
        """The database refused to restore some key: find it, and let it stay."""
        if len(keys) == 1:
            return {keys[0]: Conflict(code_of(error), sentence_of(error))}
        middle = len(keys) // 2
        return {
            **self._undo_keys(keys[:middle], shapes),
            **self._undo_keys(keys[middle:], shapes),
        }

    def _attempt(
        self, keys: Sequence[str], shapes: Sequence[Shape], written: Written
    ) -> dict[str, Conflict]:
        """Undo layer by layer; the conflicts found, after which the caller rolls back."""
        for layer in sorted({shape.layer for shape in shapes}):
            now = [shape for shape in shapes if shape.layer == layer]
            found: dict[str, Conflict] = {}
            for shape in now:
                self._lock(shape, keys)
                found.update(self.obstacles.differences(shape, keys))
            if layer == 1:
                self.obstacles.added = []
                for model in {s.model for s in shapes if s.operation == Operation.INSERT}:
                    found.update(self.obstacles.references(model, keys))
            if found:
                return found
            if self.force:
                self._export(now, keys)
                self._delete_added(written)
            # the writing order backwards: unique values are free before they are given back
            inserted = [shape.model for shape in now if shape.operation == Operation.INSERT]
            for model in reversed(in_dependency_order(inserted)):
                self._take_out(model, layer, keys, written)
            for shape in now:
                if shape.operation == Operation.UPDATE:
                    self._restore(shape, keys, written)
            for shape in now:
                if shape.operation == Operation.DELETE:
                    self._put_back(shape, keys, written)
        return {}

    def _lock(self, shape: Shape, keys: Sequence[str]) -> None:
        rows, arguments = shape.rows(keys)
        strength = "NO KEY UPDATE" if shape.operation == Operation.UPDATE else "UPDATE"
        self.cursor.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {table_of(shape.model)} t "
            f"JOIN carryover_undo u ON {shape.joined} WHERE {rows} "
            f"ORDER BY t.{pk_column(shape.model)} FOR {strength} OF t) locked",
            arguments,
        )

    def _delete_added(self, written: Written) -> None:
        """Export and delete the rows that people added since to what goes away."""
        run = self.context.run
        for added in self.obstacles.added:
            pk = added.model._meta.pk.to_python(added.pk)
            exported = f"SELECT to_jsonb(t)::text FROM {table_of(added.model)} t "
            self.cursor.execute(f"{exported} WHERE t.{pk_column(added.model)} = %s", [pk])
            row = self.cursor.fetchone()
            if row is None:
                continue
            export_rows(run, [(added.key, added.model._meta.label_lower, added.pk, row[0])])
            given = transfer_keys(self.cursor, added.model, [pk], [added.key])
            delete_and_record(self.cursor, run, self.batch, added.model, given)
            written.add(added.model, "delete", 1)
        self.obstacles.added = []

    def _export(self, shapes: Sequence[Shape], keys: Sequence[str]) -> None:
        """Export rows that a forced rollback is about to change against a later edit."""
        for shape in shapes:
            if shape.operation == Operation.DELETE:
                continue
            rows, arguments = shape.rows(keys)
            self.cursor.execute(
                f"SELECT u.key, u.model, u.pk_text, to_jsonb(t)::text FROM carryover_undo u "
                f"JOIN {table_of(shape.model)} t ON {shape.joined} "
                f"WHERE {rows} AND {self.obstacles.edited(shape)}",
                arguments,
            )
            found = self.cursor.fetchall()
            if found:
                export_rows(self.context.run, found)

    def _given(self, shape: Shape, keys: Sequence[str]) -> str:
        """A table (pk, key, wanted) of the shape's rows; ``wanted`` is their before-image."""
        given = empty_table(self.cursor, [*key_columns(shape.model), ("wanted", "jsonb")])
        rows, arguments = shape.rows(keys)
        self.cursor.execute(
            f"INSERT INTO {given} SELECT u.pk_text::{column_type(shape.model._meta.pk)}, u.key, "
            f"u.before FROM carryover_undo u WHERE {rows}",
            arguments,
        )
        return given

    def _restore(self, shape: Shape, keys: Sequence[str], written: Written) -> None:
        """Give the run's columns their former values, and journal it."""
        given = self._given(shape, keys)
        number = journal.restore_and_record(
            self.cursor, self.batch, shape.model, shape.columns, given
        )
        self._write_history(shape.model, given, CHANGED)
        written.add(shape.model, "update", number)

    def _put_back(self, shape: Shape, keys: Sequence[str], written: Written) -> None:
        """Insert rows again that the run deleted."""
        given = self._given(shape, keys)
        number = journal.put_back_and_record(
            self.cursor, self.batch, shape.model, given, self.images
        )
        self._write_history(shape.model, given, INSERTED)
        written.add(shape.model, "insert", number)

    def _take_out(
        self, model: type[Model], layer: int, keys: Sequence[str], written: Written
    ) -> None:
        """Delete rows that the run inserted; those that are gone already are no matter."""
        given = self._given(Shape(model, Operation.INSERT, (), layer), keys)
        number = delete_and_record(self.cursor, self.context.run, self.batch, model, given)
        written.add(model, "delete", number)

    def _write_history(self, model: type[Model], given: str, kind: str) -> None:
        run = self.context.run
        write_history(self.cursor, model, given, kind, f"run {run.pk}", run.actor_id)


def undo_batch(context: RunContext, batch: Batch) -> Carried:
    """Take back the parent's batch that ``batch`` names, in the transaction that is open."""
    with connection.cursor() as cursor:
        carried = BatchUndoer(context, cursor, batch).undo()
    restored = [entry.key for entry in carried.entries if entry.outcome == Outcome.RESTORED]
    reopen_restored(context.run, batch.step, restored)
    return carried
