"""Writing the ledger: what became of each key, and the review items that go with it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from migrations_tools.definitions.changes import Change, Delete, Ensure, Insert, Update
from migrations_tools.definitions.outcomes import (
    Apply,
    Conflict,
    Outcome,
    Reject,
    Review,
    Skip,
    Unchanged,
    Warning_,
)
from migrations_tools.engine.sql import ledger_digest, table_of
from migrations_tools.engine.transfer import transfer
from migrations_tools.models import Batch, LedgerEntry, ReviewItem
from migrations_tools.text import storable_text

_CHANGES = frozenset({Insert, Update, Delete, Ensure})


class Entry(NamedTuple):
    """A ledger entry to be. ``warnings`` is JSON text of [[code, detail], …], or None."""

    key: str
    outcome: str
    code: str = ""
    detail: str | None = None
    category: str = ""
    confidence: float | None = None
    warnings: str | None = None
    source_digest: bytes | None = None


_COLUMNS = [
    ("key", 'text COLLATE "C"'),
    ("outcome", "text"),
    ("code", "text"),
    ("detail", "text"),
    ("category", "text"),
    ("confidence", "double precision"),
    ("warnings", "jsonb"),
    ("source_digest", "bytea"),
]


def entry_for(key: str, digest: bytes | None, outcome: Outcome) -> Entry:
    """The ledger entry that tells of ``outcome``.

    Raises TypeError or ValueError for an answer that cannot be stored.
    """
    match outcome:
        case Apply():
            if not outcome.warnings and not outcome.category and outcome.confidence is None:
                return Entry(key, "applied", source_digest=digest)
            return Entry(
                key, "applied", "", None, _short(outcome.category, 30),
                _ratio(outcome.confidence), _warnings(outcome.warnings), digest,
            )  # fmt: skip
        case Unchanged():
            return Entry(key, "unchanged", source_digest=digest)
        case Skip():
            return Entry(
                key, "skipped", _short(outcome.code, 60), storable_text(outcome.detail) or None,
                _short(outcome.category, 30), _ratio(outcome.confidence),
                _warnings(outcome.warnings), digest,
            )  # fmt: skip
        case Review():
            json.dumps([dict(outcome.proposal), dict(outcome.evidence)])
            return Entry(
                key, "review", _short(outcome.code, 60), None, _short(outcome.category, 30),
                _ratio(outcome.confidence), _warnings(outcome.warnings), digest,
            )  # fmt: skip
        case Conflict():
            detail = storable_text(outcome.detail) or None
            return Entry(key, "conflict", _short(outcome.code, 60), detail, source_digest=digest)
    raise TypeError(f"transform answered {outcome!r}, which is no outcome")


def rejection_entry(key: str, digest: bytes | None, rejected: Reject) -> Entry:
    """The entry of a key that ``transform`` rejected."""
    code, detail = (
        storable_text(str(rejected.code))[:60],
        storable_text(str(rejected.detail)) or None,
    )
    return Entry(
        key, "quarantined", code, detail, _short(rejected.category, 30),
        _ratio(rejected.confidence), _warnings(rejected.warnings), digest,
    )  # fmt: skip


def changes_of(outcome: Outcome) -> tuple[Change, ...]:
    """The changes that ``outcome`` asks for; raises TypeError for what is no change."""
    if not isinstance(outcome, Apply):
        return ()
    changes = tuple(outcome.changes)
    for change in changes:
        if type(change) not in _CHANGES:
            raise TypeError(f"{change!r} is no change: use Insert, Update, Delete or Ensure")
    return changes


def _short(text: str, most: int) -> str:
    if not isinstance(text, str) or len(text) > most:
        raise ValueError(f"{text!r} is no text of at most {most} characters")
    return storable_text(text)


def _ratio(confidence: float | None) -> float | None:
    return None if confidence is None else float(confidence)


def _warnings(warnings: Sequence[str | Warning_]) -> str | None:
    if not warnings:
        return None
    pairs = [[item, ""] if isinstance(item, str) else [item.code, item.detail] for item in warnings]
    return json.dumps(
        [[storable_text(text) for text in pair] for pair in pairs], ensure_ascii=False
    )


def write_ledger(cursor: Any, batch: Batch, entries: Sequence[Entry]) -> None:
    """One entry for each key, at the attempt after the newest one of this run."""
    if not entries:
        return
    given = transfer(cursor, _COLUMNS, entries)
    attempt = "1"
    if batch.keys is not None:
        attempt = (
            f"(SELECT coalesce(max(p.attempt), 0) + 1 FROM {table_of(LedgerEntry)} p "
            "WHERE p.run_id = %(run)s AND p.step = %(step)s AND p.key = g.key)"
        )
    names = ", ".join(name for name, _ in _COLUMNS)
    cursor.execute(
        f"INSERT INTO {table_of(LedgerEntry)} "
        f"(run_id, batch_id, step, attempt, {names}, digest) "
        f"SELECT %(run)s, %(batch)s, e.step, e.attempt, {names}, {ledger_digest('e')} "
        f"FROM (SELECT %(step)s::smallint AS step, ({attempt})::smallint AS attempt, g.* "
        f"FROM {given} g) e",
        {"run": batch.run_id, "batch": batch.pk, "step": batch.step},
    )


def write_reviews(batch: Batch, reviews: Sequence[tuple[str, Review]], using: str) -> None:
    """Queue what a person has to decide."""
    ReviewItem.objects.using(using).bulk_create(
        [
            ReviewItem(
                run_id=batch.run_id,
                step=batch.step,
                key=key,
                proposal=dict(review.proposal),
                confidence=review.confidence,
                evidence=dict(review.evidence),
            )
            for key, review in reviews
        ],
        ignore_conflicts=True,
    )


def count_entries(entries: Sequence[Entry]) -> dict[str, dict[str, int]]:
    """Counts of a batch: outcomes, codes of problems, warnings over keys, categories."""
    warnings: Counter[str] = Counter()
    for entry in entries:
        if entry.warnings:
            warnings.update({pair[0] for pair in json.loads(entry.warnings)})
    return {
        "outcomes": dict(Counter(entry.outcome for entry in entries)),
        "codes": dict(Counter(entry.code for entry in entries if entry.code)),
        "warnings": dict(warnings),
        "categories": dict(Counter(entry.category for entry in entries if entry.category)),
    }
