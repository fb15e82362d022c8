"""The keys that a run's plan foresaw: each gets an outcome, whatever became of its row since.

A key that is still selected is carried over if its content is what the plan saw. One that is
not selected any more is ``gone`` with its row, or a conflict: another value stands there
(agents.md, “Run”). What another run of the definition took up since is that run's to answer for.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import connection
from django.db.models import Field, Model
from django.db.models.fields.related import ForeignKey
from django.utils.translation import gettext_noop

from migrations_tools.definitions.sources import Items, Source
from migrations_tools.engine.ledger import Entry
from migrations_tools.engine.sql import column_type, quoted
from migrations_tools.states import Outcome

CHANGED_SINCE_PLAN = "changed_since_plan"

_TEXT_TYPES = frozenset({"text", "varchar", "char"})

#: Plan's entries ``l`` of a step with keys in a range; its batches tell where to look. OFFSET 0
#: keeps the casts away from keys of other steps and runs, which may be no such type.
_ENTRIES = """
    FROM (
        SELECT e.key, e.source_digest, e.step FROM migrations_tools_ledgerentry e
        WHERE e.batch_id = ANY(ARRAY(
            SELECT b.id FROM (
                SELECT id, after_key, last_key FROM migrations_tools_batch
                WHERE run_id = %(plan)s AND step = %(step)s OFFSET 0
            ) b
            WHERE (%(after)s::text IS NULL OR {b_last} > {after})
              AND (%(last)s::text IS NULL OR b.after_key IS NULL OR {b_after} < {last})
        )) OFFSET 0
    ) l
    WHERE (%(after)s::text IS NULL OR {key} > {after})
      AND (%(last)s::text IS NULL OR {key} <= {last})
"""

_TAKEN_UP = (
    "EXISTS (SELECT 1 FROM migrations_tools_ledgerentry d WHERE d.run_id = ANY(%(others)s) "
    "AND d.step = l.step AND d.key = l.key)"
)


@dataclass(frozen=True)
class PlannedKeys:
    """The keys of one step in the ledger of ``plan``, in the order of the source's keys.

    ``others`` are the standing runs of the definition that were made after the plan.
    """

    plan: uuid.UUID
    step: int
    source: Source
    others: Sequence[uuid.UUID] = ()

    def within(self, after: str | None, last: str | None) -> dict[str, bytes | None]:
        """Keys in (``after``, ``last``] with the digest that the plan saw."""
        found = self._select("SELECT l.key, l.source_digest", after, last)
        return {key: None if digest is None else bytes(digest) for key, digest in found}

    def last(self) -> str | None:
        """The last planned key."""
        key = self._typed("l.key")
        found = self._select("SELECT l.key", None, None, f"ORDER BY {key} DESC LIMIT 1")
        return str(found[0][0]) if found else None

    def absent(self, planned: Collection[str], selected: Collection[str]) -> list[str]:
        """Planned keys that are not ``selected`` and that no other run took up since."""
        missing = sorted(set(planned) - set(selected))
        if not missing or not self.others:
            return missing
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT l.key FROM migrations_tools_ledgerentry l WHERE l.run_id = %(plan)s "
                f"AND l.step = %(step)s AND l.key = ANY(%(keys)s) AND NOT {_TAKEN_UP}",
                {**self._arguments(), "keys": missing},
            )
            return [key for (key,) in cursor.fetchall()]

    def any_outstanding(self) -> bool:
        """Whether the plan has keys that no other run took up since."""
        return bool(self._select("SELECT 1", None, None, f"AND NOT {_TAKEN_UP} LIMIT 1"))

    def in_key_order(self, keys: Sequence[str], most: int) -> list[str]:
        """The first ``most`` of these keys, as the source orders them."""
        key = self._typed("k")
        with connection.cursor() as cursor:
            cursor.execute(
                f"SELECT k FROM unnest(%s::text[]) k ORDER BY {key} LIMIT %s", [list(keys), most]
            )
            return [found for (found,) in cursor.fetchall()]

    def without_outcome(
        self, last: str, answering: Sequence[uuid.UUID], most: int
    ) -> list[tuple[str, int]]:
        """Keys up to ``last`` that none of the runs ``answering`` has in its ledger.

        At most ``most`` keys, each with the number of all.
        """
        found = self._select(
            "SELECT l.key, count(*) OVER ()",
            None,
            last,
            f"AND NOT {_TAKEN_UP} ORDER BY {self._typed('l.key')} LIMIT %(most)s",
            others=list(answering),
            most=most,
        )
        return [(str(key), int(number)) for key, number in found]

    def _select(
        self, select: str, after: str | None, last: str | None, rest: str = "", **arguments: Any
    ) -> list[tuple[Any, ...]]:
        entries = _ENTRIES.format(
            key=self._typed("l.key"),
            after=self._typed("%(after)s"),
            last=self._typed("%(last)s"),
            b_last=self._typed("b.last_key"),
            b_after=self._typed("b.after_key"),
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"{select} {entries} {rest}",
                {**self._arguments(), "after": after, "last": last, **arguments},
            )
            return list(cursor.fetchall())

    def _arguments(self) -> dict[str, Any]:
        return {"plan": self.plan, "step": self.step, "others": list(self.others)}

    def _typed(self, text: str) -> str:
        """SQL: a key's text as its column has it, so that it compares as the source's keys do."""
        field = _key_field(self.source.model, self.source.key_name)
        kind = column_type(field)
        if kind not in _TEXT_TYPES:
            return f"{text}::{kind}"
        collation = getattr(field, "db_collation", None) or "default"
        return f"{text}::{kind} COLLATE {quoted(collation)}"


def _key_field(model: type[Model], name: str) -> Field[Any, Any]:
    field: Any = model._meta.get_field(name)
    found: Field[Any, Any] = field.target_field if isinstance(field, ForeignKey) else field
    return found


def entries_of_changed(items: Items, planned: Mapping[str, bytes | None]) -> list[Entry]:
    """Outcomes of keys whose content is another than the plan saw."""
    return [
        Entry(
            key,
            Outcome.CONFLICT,
            CHANGED_SINCE_PLAN,
            gettext_noop("The row changed after the plan was made; plan and run again."),
        )
        for key, digest in zip(items.keys, items.digests, strict=True)
        if digest is not None and planned.get(key) not in (None, digest)
    ]


def entries_of_absent(source: Source, keys: Sequence[str]) -> list[Entry]:
    """Outcomes of keys that were to be looked at and are not selected any more."""
    if not keys:
        return []
    standing = source.standing(keys)
    return [
        Entry(
            key,
            Outcome.CONFLICT,
            CHANGED_SINCE_PLAN,
            gettext_noop(
                "The row is not among those to be carried over any more; what stands there stays."
            ),
        )
        if key in standing
        else Entry(key, Outcome.GONE, "gone")
        for key in keys
    ]
