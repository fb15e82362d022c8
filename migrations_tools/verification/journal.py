"""Whether journal and ledger are as they were written: no entry changed, none missing, none added.

Every entry holds a digest of its values, every batch one of its entries', every closed run the
chain of its batches' (SPEC §2.2).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from migrations_tools.engine.seal import run_seal
from migrations_tools.engine.sql import journal_digest, ledger_digest
from migrations_tools.models import Batch, RetentionRecord, Run
from migrations_tools.states import ACTIVE_STATES, BatchState, RunState
from migrations_tools.verification.progress import Progress
from migrations_tools.verification.ranges import batches_of, place_of, portions
from migrations_tools.verification.results import Result, rows_of, timed

#: States in which a run has no seal yet.
UNSEALED_STATES = ACTIVE_STATES | {RunState.PLANNED, RunState.AWAITING_APPROVAL}


@dataclass
class Inspection:
    """What journal and ledger hold, which batches are damaged and why, whether the seal fits."""

    entries: int = 0
    journal: Counter[tuple[str, str]] = field(default_factory=Counter)  # model, operation
    shared: Counter[tuple[str, str]] = field(default_factory=Counter)  # those of no source key
    ledger: Counter[tuple[int, str]] = field(default_factory=Counter)  # step, outcome
    damaged: dict[int, str] = field(default_factory=dict)  # batch id → sentence
    missing_batches: list[str] = field(default_factory=list)
    seal_broken: bool = False

    def as_kept(self) -> dict[str, Any]:
        """What the portions have shown so far, as JSON."""
        return {
            "entries": self.entries,
            "journal": [[*place, n] for place, n in self.journal.items()],
            "shared": [[*place, n] for place, n in self.shared.items()],
            "ledger": [[*place, n] for place, n in self.ledger.items()],
            "damaged": list(self.damaged.items()),
        }

    @classmethod
    def of_kept(cls, kept: Mapping[str, Any]) -> Inspection:
        """Go on from what ``as_kept`` gave."""
        found = cls(entries=kept["entries"], damaged=dict(kept["damaged"]))
        found.journal.update({(label, operation): n for label, operation, n in kept["journal"]})
        found.shared.update({(label, operation): n for label, operation, n in kept["shared"]})
        found.ledger.update({(step, outcome): n for step, outcome, n in kept["ledger"]})
        return found

    def sentences(self) -> list[str]:
        found = [*self.missing_batches, *self.damaged.values()]
        if self.seal_broken:
            found.append(
                "The seal of the run does not fit its batches: one was added, removed or rewritten."
            )
        return found


def journal_damage(run: Run) -> list[str]:
    """What is damaged in the run's journal and ledger, one sentence each, naming the ranges.

    Empty where all is as it was written. Reads every entry once.
    """
    return inspect(run, batches_of(run)).sentences()


def inspect(run: Run, batches: Sequence[Batch], progress: Progress | None = None) -> Inspection:
    """Recompute every digest of the run, from the entries up to the seal.

    With ``progress``, what was inspected before an interruption is not inspected again.
    """
    kept = progress.found("journal") if progress else None
    found = Inspection.of_kept(kept) if kept else Inspection()
    erased = RetentionRecord.objects.filter(run=run, kind=RetentionRecord.Kind.ERASE).exists()
    waiting = (
        progress.portions("journal", batches, found.as_kept) if progress else portions(batches)
    )
    for portion in waiting:
        _inspect_portion(run, portion, erased, found)
    found.missing_batches = _missing_numbers(batches)
    found.seal_broken = run.state not in UNSEALED_STATES and bytes(run.seal or b"") != run_seal(run)
    return found


def journal_checks(
    run: Run, batches: Sequence[Batch], progress: Progress
) -> tuple[list[Result], Inspection]:
    """The checks of journal, ledger and seal, and the batches not to be trusted any further."""
    entries = Result(
        "journal_damaged", gettext_noop("Journal and ledger are as they were written"), run
    )
    seal = Result("seal_broken", gettext_noop("The seal fits the chain of batches"), run)
    with timed(entries, seal):
        found = inspect(run, batches, progress)
    entries.examined, seal.examined = found.entries, len(batches)
    for batch in batches:
        if batch.pk in found.damaged:
            entries.fail(place_of(batch), found.damaged[batch.pk])
    for sentence in found.missing_batches:
        entries.fail(str(run.pk), sentence)
    if found.seal_broken:
        seal.fail(str(run.pk), found.sentences()[-1])
    return [entries, seal], found


def _inspect_portion(run: Run, batches: Sequence[Batch], erased: bool, found: Inspection) -> None:
    parameters = {"batches": [batch.pk for batch in batches], "run": run.pk}
    by_pk = {batch.pk: batch for batch in batches}
    entries, ledger, changed = Counter[int](), Counter[int](), Counter[int]()
    for pk, label, operation, shared, number, wrong in rows_of(
        "SELECT c.batch_id, c.model, c.operation, c.key IS NULL, count(*), "
        f"count(*) FILTER (WHERE {_journal_changed(erased)}) FROM migrations_tools_rowchange c "
        "WHERE c.batch_id = ANY(%(batches)s) GROUP BY 1, 2, 3, 4",
        parameters,
    ):
        (found.shared if shared else found.journal)[label, operation] += number
        entries[pk] += number
        changed[pk] += wrong
    for pk, outcome, number, wrong in rows_of(
        "SELECT l.batch_id, l.outcome, count(*), "
        f"count(*) FILTER (WHERE {_ledger_changed(erased)}) FROM migrations_tools_ledgerentry l "
        "WHERE l.batch_id = ANY(%(batches)s) GROUP BY 1, 2",
        parameters,
    ):
        found.ledger[by_pk[pk].step, outcome] += number
        ledger[pk] += number
        changed[pk] += wrong
    digests = dict(rows_of(_DIGESTS, parameters))
    found.entries += entries.total() + ledger.total()
    for pk, batch in by_pk.items():
        done = batch.state == BatchState.DONE
        expected = batch.size if done else 0
        faults = []
        if changed[pk]:
            faults.append(f"{changed[pk]} entries were changed: {_changed_names(batch, erased)}")
        if ledger[pk] != expected:
            faults.append(f"{expected} keys were recorded, {ledger[pk]} are left in the ledger")
        elif done and not faults and bytes(batch.digest or b"") != bytes(digests.get(pk, _NOTHING)):
            faults.append("journal entries are missing, or others were added")
        if faults:
            found.damaged[pk] = f"{_capital(place_of(batch))}: {'; '.join(faults)}."


# As engine.sql.BATCH_DIGEST, for many batches.
_DIGESTS = """
    SELECT batch_id, sha256(string_agg(digest, ''::bytea ORDER BY digest))
    FROM (
        SELECT batch_id, digest FROM migrations_tools_rowchange
        WHERE batch_id = ANY(%(batches)s)
        UNION ALL
        SELECT batch_id, digest FROM migrations_tools_ledgerentry
        WHERE batch_id = ANY(%(batches)s)
    ) entries
    GROUP BY batch_id
"""

#: SHA-256 of nothing: the digest of a batch without entries.
_NOTHING = bytes.fromhex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")


def _journal_changed(erased: bool) -> str:
    """SQL: the journal entry ``c`` is not what it was."""
    return _changed("c", journal_digest("c"), "c.before IS NULL AND c.after IS NULL", erased)


def _ledger_changed(erased: bool) -> str:
    """SQL: the ledger entry ``l`` is not what it was."""
    return _changed("l", ledger_digest("l"), "l.detail IS NULL AND l.warnings IS NULL", erased)


def _changed(alias: str, digest: str, nothing_left: str, erased: bool) -> str:
    """Erased values leave the digest they had behind, which nothing can be compared with."""
    wrong = f"{alias}.digest <> {digest}"
    if erased:
        wrong = f"({wrong} AND NOT ({nothing_left}))"
    return f"({wrong} OR {alias}.run_id <> %(run)s)"


def _changed_names(batch: Batch, erased: bool) -> str:
    """The first changed entries of a batch."""
    names = rows_of(
        "(SELECT c.operation || ' of ' || c.model || ' ' || c.pk_text "
        "FROM migrations_tools_rowchange c WHERE c.batch_id = %(batch)s "
        f"AND {_journal_changed(erased)} ORDER BY c.id LIMIT 5) UNION ALL "
        "(SELECT 'key ' || l.key FROM migrations_tools_ledgerentry l "
        f"WHERE l.batch_id = %(batch)s AND {_ledger_changed(erased)} ORDER BY l.id LIMIT 5)",
        {"batch": batch.pk, "run": batch.run_id},
    )
    return ", ".join(name for (name,) in names[:5])


def _missing_numbers(batches: Sequence[Batch]) -> list[str]:
    """Batches are numbered from one without a gap."""
    numbers: dict[int, set[int]] = {}
    for batch in batches:
        numbers.setdefault(batch.step, set()).add(batch.number)
    return [
        f"Step {step}, batch {number} is missing."
        for step, present in numbers.items()
        for number in range(1, max(present) + 1)
        if number not in present
    ]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
