"""What the tables are expected to hold: the state a journal tells of, table by table."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db.models import Model

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.fingerprint import schema_of
from migrations_tools.engine.sql import array_type, pk_column, table_of
from migrations_tools.models import Run
from migrations_tools.states import Operation, Outcome
from migrations_tools.verification.results import Result


@dataclass(frozen=True)
class Table:
    """A written model with the columns that make up a row's image, and the derived ones.

    ``updated``: whether there are updates of it in the journal.
    """

    model: type[Model]
    columns: Sequence[str]
    derived: Sequence[str]
    updated: bool

    @property
    def label(self) -> str:
        return self.model._meta.label_lower

    @property
    def pk(self) -> str:
        """SQL name of the primary key's column."""
        return pk_column(self.model)

    @property
    def pk_type(self) -> str:
        return array_type(self.model._meta.pk)[:-2]

    @property
    def join(self) -> str:
        """SQL: the row ``t`` that a journal entry ``c`` names, if it is there."""
        return f"LEFT JOIN {table_of(self.model)} t ON t.{self.pk} = c.pk_text::{self.pk_type}"


@dataclass(frozen=True)
class Expectation:
    """Whose journal is compared with the tables, and in which direction.

    Forwards: rows stand as ``run`` left them, but for keys that ``rollbacks`` restored since.
    ``undone``: they stand as before ``run`` wrote them, for the keys that ``rollbacks`` restored.
    ``by`` is the run that wrote last: its history rows are no later edits.
    """

    run: Run
    by: Run
    rollbacks: Sequence[Any] = ()
    undone: bool = False

    @property
    def values(self) -> str:
        """The journal's column with the expected values of an update."""
        return "before" if self.undone else "after"

    @property
    def absent(self) -> str:
        """The operation whose row is expected not to be there."""
        return Operation.INSERT if self.undone else Operation.DELETE

    @property
    def beyond(self) -> str:
        """SQL: the entry ``n`` lies between the entry ``s`` and the expected state."""
        return "n.id < s.id" if self.undone else "n.id > s.id"

    @property
    def scope(self) -> str:
        """SQL condition on journal entries ``c``."""
        if not self.rollbacks:
            return "true"
        restored = (
            "EXISTS (SELECT 1 FROM migrations_tools_ledgerentry l "
            "WHERE l.run_id = ANY(%(rollbacks)s) AND l.step = c.step AND l.key = c.key "
            f"AND l.outcome = '{Outcome.RESTORED}')"
        )
        if self.undone:
            return restored
        removed = (
            "EXISTS (SELECT 1 FROM migrations_tools_rowchange d "
            "WHERE d.model = c.model AND d.pk_text = c.pk_text "
            f"AND d.run_id = ANY(%(rollbacks)s) AND d.operation = '{Operation.DELETE}')"
        )
        return f"NOT {restored} AND NOT {removed}"

    def parameters(self, table: Table) -> dict[str, Any]:
        """Values for the SQL of this module and its users."""
        return {
            "run": self.run.pk,
            "own": [self.run.pk, self.by.pk],
            "reason": f"run {self.by.pk}",
            "rollbacks": list(self.rollbacks),
            "model": table.label,
            "derived": list(table.derived),
        }


def comparable_tables(run: Run, journal: Collection[tuple[str, str]], drift: Result) -> list[Table]:
    """The tables that the run's journal can be compared with; it holds (model, operation).

    Columns that are gone, or hold their values in another form, are failures of ``drift``; their
    table is left out.
    """
    definition = get_definition(run.definition)
    written = run.fingerprint.get("schema", {})
    tables = []
    for label in sorted({label for label, _ in journal}):
        columns = run.columns.get(label, [])
        drift.examined += len(columns)
        try:
            model = apps.get_model(label)
        except LookupError:
            drift.fail(label, "The model is gone.")
            continue
        now, then = schema_of([model])[label], written.get(label, {})
        changed = [
            column
            for column in columns
            if column not in now or (column in then and _form(now[column]) != _form(then[column]))
        ]
        for column in changed:
            detail = f"Was {then.get(column, 'there')}, now {now.get(column, 'gone')}."
            drift.fail(f"{label}.{column}", detail)
        if not changed:
            derived = sorted(definition.derived_columns(model))
            updated = (label, Operation.UPDATE) in journal
            tables.append(Table(model, columns, derived, updated))
    return tables


def _form(declared: str) -> str:
    """The type as far as it shapes values: longer texts and NOT NULL change none."""
    return re.sub(r"character varying\(\d+\)", "character varying", declared).removesuffix(
        " not null"
    )
