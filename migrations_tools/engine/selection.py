"""Which keys a run still has to look at."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BinaryField, Exists, F, Func, Lookup, OuterRef, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast
from django.db.models.sql.compiler import SQLCompiler

from migrations_tools.models import LedgerEntry, RowChange, Run
from migrations_tools.states import DECIDED_OUTCOMES, Operation, Outcome, RunKind


@dataclass(frozen=True)
class Selection:
    """The view of a source that one step of one run has.

    ``standing`` are the apply runs of the definition whose writes stand; ``undone`` says that
    keys of the definition were restored by a rollback. ``seen_by`` leaves out every key that the
    given run has in its ledger already (sweeps for late rows).
    """

    step: int
    definition: str = ""
    standing: Sequence[uuid.UUID] = ()
    undone: bool = False
    touched_by: uuid.UUID | None = None
    undoing: bool = False  # what a rollback recomputes
    seen_by: uuid.UUID | None = None

    @classmethod
    def of(cls, run: Run, step: int, *, sweeping: bool = False) -> Selection:
        standing = list(
            Run.objects.standing()
            .filter(definition=run.definition)
            .exclude(pk=run.pk)
            .order_by("created_at")
            .values_list("pk", flat=True)
        )
        undone = Run.objects.filter(definition=run.definition, kind=RunKind.ROLLBACK).exists()
        touched_by = run.parent_id or run.pk  # a rollback looks at what its parent touched
        seen_by = run.pk if sweeping else None
        undoing = run.kind == RunKind.ROLLBACK
        return cls(step, run.definition, standing, undone, touched_by, undoing, seen_by)

    def undecided(
        self, rows: QuerySet[Any], key: Combinable, digest: Combinable | None
    ) -> QuerySet[Any]:
        """``rows`` without those that a standing run has decided with the same content, unless a
        later one decided them with another: content that is again as it was has changed. A digest
        that only begins with an earlier one tells of the same content, and more.

        A source without a digest is its own judge: what its queryset holds is undecided.
        """
        if self.standing and digest is not None:
            rows = rows.alias(decided_key=key, decided_digest=digest)
            entries = LedgerEntry.objects.filter(
                run_id__in=self.standing,
                step=self.step,
                key=OuterRef("decided_key"),
                outcome__in=DECIDED_OUTCOMES,
                source_digest=OuterRef("decided_digest"),
            )
            if len(self.standing) > 1:
                later = LedgerEntry.objects.filter(
                    run_id__in=self.standing,
                    step=self.step,
                    key=OuterRef("key"),
                    pk__gt=OuterRef("pk"),
                    outcome__in=DECIDED_OUTCOMES,
                ).annotate(said_before=_beginning(OuterRef("source_digest")))
                entries = entries.exclude(
                    Exists(later.exclude(said_before=OuterRef("source_digest")))
                )
            if self.undone:
                restored = LedgerEntry.objects.filter(
                    run__kind=RunKind.ROLLBACK,
                    run__definition=self.definition,
                    step=self.step,
                    key=OuterRef("key"),
                    outcome=Outcome.RESTORED,
                )
                # taken back itself, or “unchanged” beside what was taken back later
                entries = entries.exclude(
                    Exists(restored.filter(run__parent_id=OuterRef("run_id")))
                )
                entries = entries.exclude(
                    Exists(restored.filter(run__created_at__gt=OuterRef("run__created_at"))),
                    outcome=Outcome.UNCHANGED,
                )
            rows = rows.exclude(Exists(entries))
        if self.seen_by is not None:
            rows = rows.alias(seen_key=key).exclude(
                Exists(
                    LedgerEntry.objects.filter(
                        run_id=self.seen_by, step=self.step, key=OuterRef("seen_key")
                    )
                )
            )
        return rows

    def touched(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Rows of the model that the run inserted, used or changed.

        By an array of their keys, which are read once: the database has no statistics of what the
        run wrote just now, and would compare every row with every entry.
        """
        key = rows.model._meta.pk
        changes = RowChange.objects.filter(
            run=self.touched_by,
            model=rows.model._meta.label_lower,
            operation__in=[Operation.INSERT, Operation.USE, Operation.UPDATE],
        )
        keys = changes.values_list(Cast("pk_text", key.__class__())).distinct()
        return rows.filter(_IsAmong(F("pk"), ArraySubquery(keys)))

    def touched_through(self, rows: QuerySet[Any], relation: str) -> QuerySet[Any]:
        """Rows that others, which the run inserted, used or changed, refer to by ``relation``.

        A rollback has taken those away: it looks at the rows that the run looked at.
        """
        if self.undoing:
            entries = LedgerEntry.objects.filter(run=self.touched_by, step=self.step)
            key = rows.model._meta.pk
            return rows.filter(pk__in=entries.values_list(Cast("key", key.__class__())))
        field: Any = rows.model._meta.get_field(relation).remote_field
        referring = self.touched(field.model._default_manager.order_by())
        return rows.filter(pk__in=referring.values_list(field.name))


class _IsAmong(Lookup[bool]):
    """Whether a value is an element of an array."""

    lookup_name = "is_among"

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[Any, ...]]:
        value, value_parameters = self.process_lhs(compiler, connection)
        array, array_parameters = compiler.compile(self.rhs)
        return f"{value} = ANY({array})", (*value_parameters, *array_parameters)


def _beginning(digest: Combinable) -> Func:
    """As much of an entry's digest as ``digest`` is long."""
    length = Func(digest, function="octet_length")
    return Func(
        F("source_digest"), Value(1), length, function="substring", output_field=BinaryField()
    )
