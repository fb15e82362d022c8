"""What stands in the way of taking a batch back: edits, references, erased values.

The batch's changes lie in the session's table ``carryover_undo``, see ``undo``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db.models import Model
from django.utils.translation import gettext_noop

from migrations_tools.engine.references import Reference, references_to
from migrations_tools.engine.sql import array_type, json_of, pk_column, quoted, row_image, table_of
from migrations_tools.states import Operation

#: Why a row is not taken back.
_DELETED = gettext_noop("%(row)s was deleted since")
_EDITED = gettext_noop("%(row)s was edited since")
_EDITED_IN = gettext_noop("%(row)s was edited since: %(columns)s")


@dataclass(frozen=True)
class Conflict:
    """Why the rows of a key stay."""

    code: str
    detail: str


@dataclass(frozen=True)
class Added:
    """A row that somebody added since to a row which goes away."""

    model: type[Model]
    pk: str
    key: str


@dataclass(frozen=True)
class Shape:
    """Changes of one operation on one model that wrote the same columns.

    Layer 1 are the newest changes of their rows.
    """

    model: type[Model]
    operation: str
    columns: tuple[str, ...]
    layer: int

    def rows(self, keys: Sequence[str]) -> tuple[str, dict[str, Any]]:
        """SQL condition on ``carryover_undo u`` for the rows of the given keys, and its values."""
        return (
            "u.model = %(model)s AND u.operation = %(operation)s AND u.layer = %(layer)s "
            "AND u.columns IS NOT DISTINCT FROM %(columns)s::text[] "
            "AND u.key = ANY(%(keys)s::text[])",
            {
                "model": self.model._meta.label_lower,
                "operation": self.operation,
                "layer": self.layer,
                "columns": list(self.columns) if self.operation == Operation.UPDATE else None,
                "keys": list(keys),
            },
        )

    @property
    def joined(self) -> str:
        """SQL: the row ``t`` is the one that ``carryover_undo u`` names."""
        kind = array_type(self.model._meta.pk)[:-2]
        return f"t.{pk_column(self.model)} = u.pk_text::{kind}"


@dataclass
class Obstacles:
    """Looks for what keeps the rows of a source key where they are.

    ``images`` are the columns of a row's image by model label. With ``force``, edits are none,
    and rows that were added since and that Django would delete along are noted in ``added``.
    """

    cursor: Any
    images: Mapping[str, Sequence[str]]
    force: bool
    added: list[Added] = field(default_factory=list)

    def erased(self) -> dict[str, Conflict]:
        """Keys whose former values were erased from the journal: nobody knows them any more."""
        self.cursor.execute(
            "SELECT key, min(model || ' ' || pk_text) FROM carryover_undo "
            "WHERE (operation IN ('update', 'delete') AND before IS NULL) "
            "OR (operation = 'update' AND after IS NULL) GROUP BY key"
        )
        return {
            key: Conflict(
                "erased",
                gettext_noop("The former values of %(row)s were erased from the journal.")
                % {"row": row},
            )
            for key, row in self.cursor.fetchall()
        }

    def differences(self, shape: Shape, keys: Sequence[str]) -> dict[str, Conflict]:
        """Keys whose rows are no longer as the run left them."""
        rows, arguments = shape.rows(keys)
        pk = pk_column(shape.model)
        label = shape.model._meta.label_lower
        wrong, what = self.edited(shape), "NULL::text"
        if shape.operation == Operation.DELETE:
            wrong = f"t.{pk} IS NOT NULL"
        elif self.force:
            return {}
        elif shape.operation == Operation.UPDATE:
            wrong += f" OR t.{pk} IS NULL"
            now = json_of(shape.columns, "t")
            what = (
                "(SELECT string_agg(e.key, ', ' ORDER BY e.key) FROM jsonb_each(u.after) e "
                f"WHERE {now} -> e.key <> e.value)"
            )
        self.cursor.execute(
            f"SELECT u.key, u.pk_text, t.{pk} IS NULL, {what} FROM carryover_undo u "
            f"LEFT JOIN {table_of(shape.model)} t ON {shape.joined} "
            f"WHERE {rows} AND ({wrong})",
            arguments,
        )
        return {
            key: Conflict(
                "row_deleted" if deleted else "edited_since",
                (_DELETED if deleted else _EDITED_IN if columns else _EDITED)
                % {"row": f"{label} {pk_text}", "columns": columns},
            )
            for key, pk_text, deleted, columns in self.cursor.fetchall()
        }

    def edited(self, shape: Shape) -> str:
        """SQL: the row stands there, and not as the run left it."""
        there = f"t.{pk_column(shape.model)} IS NOT NULL"
        if shape.operation == Operation.UPDATE:
            return f"{there} AND {json_of(shape.columns, 't')} <> u.after"
        image = row_image(self.images[shape.model._meta.label_lower], "t")
        return f"{there} AND {image} IS DISTINCT FROM u.image"

    def references(self, model: type[Model], keys: Sequence[str]) -> dict[str, Conflict]:
        """Keys with a new row that a row which stays refers to.

        With force, rows added since that Django would delete along are noted in ``added``.
        """
        label = model._meta.label_lower
        self.cursor.execute(
            "SELECT pk_text, key FROM carryover_undo u WHERE u.model = %s "
            "AND u.operation = 'insert' AND u.key = ANY(%s::text[])",
            [label, list(keys)],
        )
        owners = dict(self.cursor.fetchall())
        found: dict[str, Conflict] = {}
        for reference in references_to(self.cursor, model):
            for referred, referring in self._staying(reference, model, owners, keys):
                key = owners[referred]
                if self.force and reference.cascades and key not in found:
                    found.update(self._note_added(reference, referring, key, keys))
                else:
                    found[key] = Conflict(
                        "still_referenced",
                        f"{label} {referred} is referred to by {reference.label} {referring}",
                    )
        return found

    def _staying(
        self, reference: Reference, model: type[Model], pks: Iterable[str], keys: Sequence[str]
    ) -> list[tuple[str, str]]:
        """(referred, referring) of rows that refer to ``pks`` and are not undone themselves."""
        referring = f"r.{quoted(reference.pk)}::text"
        self.cursor.execute(
            f"SELECT r.{quoted(reference.column)}::text, {referring} "
            f"FROM {quoted(reference.table)} r "
            f"WHERE r.{quoted(reference.column)} = ANY(%(pks)s::{array_type(model._meta.pk)}) "
            "AND NOT EXISTS (SELECT 1 FROM carryover_undo o WHERE o.model = %(referring)s "
            f"AND o.pk_text = {referring} AND o.key = ANY(%(keys)s::text[]) "
            "AND (o.operation = 'insert' OR o.after ? %(column)s)) ORDER BY 1, 2",
            {
                "pks": list(pks),
                "referring": reference.label,
                "column": reference.column,
                "keys": list(keys),
            },
        )
        return [(referred, row) for referred, row in self.cursor.fetchall()]

    def _note_added(
        self, reference: Reference, pk: str, key: str, keys: Sequence[str]
    ) -> dict[str, Conflict]:
        """Note a row added since, and what was added to it, deepest first."""
        model = apps.get_model(reference.label)
        for deeper in references_to(self.cursor, model):
            for _, referring in self._staying(deeper, model, [pk], keys):
                if not deeper.cascades:
                    detail = f"{reference.label} {pk} is referred to by {deeper.label} {referring}"
                    return {key: Conflict("still_referenced", detail)}
                blocked = self._note_added(deeper, referring, key, keys)
                if blocked:
                    return blocked
        self.added.append(Added(model, pk, key))
        return {}
