"""Whether every planned key has its outcome, and the counters say what the ledger says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils.translation import gettext_noop

from migrations_tools.definitions.sources import GroupSource, KeyRange
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.cutting import FIRST_PASS
from migrations_tools.engine.selection import Selection
from migrations_tools.models import Batch, RetentionRecord, Run, StagedRow
from migrations_tools.states import (
    ACTIVE_STATES,
    STATE_SENTENCES,
    BatchState,
    Operation,
    Outcome,
    RunKind,
    RunState,
)
from migrations_tools.verification.journal import Inspection
from migrations_tools.verification.ranges import place_of, portions
from migrations_tools.verification.results import (
    MOST_NAMED,
    Result,
    add_named,
    rows_of,
    timed,
)


@dataclass(frozen=True)
class Keys:
    """A run's batches, and what was found in their journal and ledger."""

    batches: Sequence[Batch]
    inspection: Inspection


def key_checks(context: RunContext, keys: Keys) -> list[Result]:
    """The checks of one run's keys, batches and counters."""
    checks = {
        "run_unfinished": (gettext_noop("The run has come to its end"), _unfinished),
        "batch_gap": (gettext_noop("The batches cover the key range without a gap"), _gaps),
        "key_without_outcome": (
            gettext_noop("Every planned key has one outcome"),
            _without_outcome,
        ),
        "counts_differ": (gettext_noop("The counters say what ledger and journal say"), _counts),
    }
    results = []
    for code, (title, check) in checks.items():
        result = Result(code, title, context.run)
        with timed(result):
            check(context, keys, result)
        results.append(result)
    return results


def _unfinished(context: RunContext, keys: Keys, result: Result) -> None:
    """A cancelled run may leave batches that nobody will take up; any other may not."""
    run, batches = context.run, keys.batches
    result.examined = len(batches)
    if run.state in ACTIVE_STATES or run.state in {RunState.PLANNED, RunState.AWAITING_APPROVAL}:
        result.fail(str(run.pk), STATE_SENTENCES[run.state])
    elif run.state != RunState.CANCELLED and not _was_cancelled(context):
        for batch in batches:
            if batch.state != BatchState.DONE:
                result.fail(place_of(batch), "The batch is not done.")


def _was_cancelled(context: RunContext) -> bool:
    """Whether a run that was rolled back since had been cancelled before its end."""
    steps = range(len(context.steps))
    ranges = context.run.key_ranges
    return any(not ranges.get(str(step), {}).get("closed") for step in steps)


def _gaps(context: RunContext, keys: Keys, result: Result) -> None:
    """Each pass starts at the beginning, and each batch where the one before it ended."""
    if context.run.kind == RunKind.ROLLBACK:
        _undo_gaps(context, keys.batches, result)
        return
    ends: dict[tuple[int, int], str | None] = {}
    for batch in keys.batches:
        if batch.last_key is None:
            continue
        result.examined += 1
        expected = ends.get((batch.step, batch.sweep))
        if batch.after_key != expected:
            start = "the beginning" if expected is None else f"key {expected}"
            result.fail(place_of(batch), f"The batch should have started after {start}.")
        ends[batch.step, batch.sweep] = batch.last_key
    for index, step in enumerate(context.steps):
        upper = (context.run.key_ranges.get(str(index)) or {}).get("upper")
        last = ends.get((index, FIRST_PASS))
        if upper is None or last is None:
            continue
        if step.source.to_key(last) > step.source.to_key(upper):
            result.fail(f"step {index}", f"Batches reach key {last}, beyond the range's {upper}.")


def _undo_gaps(context: RunContext, batches: Sequence[Batch], result: Result) -> None:
    """Every batch of the parent run is taken back by one of the rollback's."""
    undone = {batch.undoes_id for batch in batches}
    last = len(context.steps)
    for batch in Batch.objects.filter(run=context.run.parent, state=BatchState.DONE):
        if batch.step == last or context.steps[batch.step].recomputed:
            continue
        result.examined += 1
        if batch.pk not in undone:
            result.fail(place_of(batch), "No batch of the rollback takes this one back.")


def bound_of(context: RunContext, index: int, batches: Sequence[Batch]) -> str | None:
    """The key up to which the run has looked at a step's source; None: at nothing."""
    frozen = context.run.key_ranges.get(str(index))
    if not frozen or frozen["upper"] is None:
        return None
    first_pass = [batch for batch in batches if batch.step == index and batch.sweep == FIRST_PASS]
    all_done = all(batch.state == BatchState.DONE for batch in first_pass)
    if frozen["closed"] and all_done and not context.run.tuning.get("limit"):
        return str(frozen["upper"])
    reached = None
    for batch in first_pass:
        if batch.state != BatchState.DONE:
            break
        reached = batch.last_key
    return reached


def _without_outcome(context: RunContext, keys: Keys, result: Result) -> None:
    result.examined = keys.inspection.ledger.total()
    if context.run.kind == RunKind.ROLLBACK:
        _undo_without_outcome(context, result)
        return
    add_named(result, _listed_without_entry(context.run))
    standing = Run.objects.standing().filter(definition=context.run.definition)
    records = RetentionRecord.objects.filter(run__in=standing, kind=RetentionRecord.Kind.PURGE)
    if records.exists():
        return  # keys that a purged run decided have no entry any more
    # what a run had decided that was rolled back since was not this one's to look at
    others = Run.objects.filter(definition=context.run.definition, kind=RunKind.APPLY)
    known = [context.run.pk, *others.values_list("pk", flat=True)]
    for index, step in enumerate(context.steps):
        bound = bound_of(context, index, keys.batches)
        if step.counted and bound is not None:
            add_named(result, _planned_without_entry(context, index, bound))
            if step.source.remembers:  # of others, the queryset may hold new rows at any time
                add_named(result, _keys_without_entry(context, index, bound, known))
    result.examined += result.failures


def _planned_without_entry(
    context: RunContext, index: int, bound: str
) -> list[tuple[str, str, int]]:
    """Planned keys up to ``bound`` that neither this run nor one made since has in its ledger."""
    plan = context.planned(index)
    if plan is None:
        return []
    answering = Run.objects.all().made_since(plan.plan).values_list("pk", flat=True)
    detail = f"The plan of the run saw this key of step {index}, and it has no outcome."
    missing = plan.without_outcome(bound, list(answering), MOST_NAMED)
    return [(key, detail, number) for key, number in missing]


def _listed_without_entry(run: Run) -> list[tuple[str, str, int]]:
    """Keys that a finished batch was to look at by name, and that it has no entry of."""
    missing = rows_of(
        "SELECT k.key, b.step, count(*) OVER () FROM migrations_tools_batch b "
        "CROSS JOIN LATERAL jsonb_array_elements_text(b.keys) k(key) "
        "WHERE b.run_id = %s AND b.state = %s AND b.keys IS NOT NULL "
        "AND NOT EXISTS (SELECT 1 FROM migrations_tools_ledgerentry l "
        'WHERE l.run_id = b.run_id AND l.step = b.step AND l.key = k.key COLLATE "C") '
        f"ORDER BY 1 LIMIT {MOST_NAMED}",
        [run.pk, BatchState.DONE],
    )
    detail = "A batch of step {} was to look at this key, and the run has no outcome of it."
    return [(key, detail.format(step), number) for key, step, number in missing]


def _keys_without_entry(
    context: RunContext, index: int, bound: str, known: Sequence[Any]
) -> list[tuple[str, str, int]]:
    """Source keys up to ``bound`` that no run in ``known`` has in its ledger, nor the plan.

    Rows staged after the run began are not planned ones; the next run takes them up.
    """
    source = context.steps[index].source
    rows = source.queryset(Selection(index))
    if issubclass(source.model, StagedRow) and context.run.started_at is not None:
        rows = rows.filter(staged_at__lte=context.run.started_at)
    keys = source.within(rows, KeyRange(None, bound), source.key_name).values(k=F(source.key_name))
    if isinstance(source, GroupSource):
        keys = keys.distinct()
    sql, parameters = keys.query.sql_with_params()
    missing = rows_of(
        "SELECT k.k::text, count(*) OVER () FROM "
        f"({sql}) k WHERE NOT EXISTS (SELECT 1 FROM migrations_tools_ledgerentry l "
        'WHERE l.run_id = ANY(%s) AND l.step = %s AND l.key = k.k::text COLLATE "C") '
        f"ORDER BY k.k LIMIT {MOST_NAMED}",
        [*parameters, [*known, *filter(None, [context.run.plan_id])], index],
    )
    detail = f"A key of step {index} lies in the range of the run and has no outcome; run again."
    return [(key, detail, number) for key, number in missing]


def _undo_without_outcome(context: RunContext, result: Result) -> None:
    """Keys whose rows the parent run wrote and the rollback neither restored nor reported."""
    run = context.run
    recomputed = [index for index, step in enumerate(context.steps) if step.recomputed]
    others = list(
        Run.objects.filter(parent=run.parent, kind=RunKind.ROLLBACK)
        .exclude(pk=run.pk)
        .values_list("pk", flat=True)
    )
    written = Batch.objects.filter(run=run.parent, state=BatchState.DONE).order_by("pk")
    for portion in portions(written.exclude(step__in=recomputed)):
        missing = rows_of(
            "SELECT k.key, k.step, count(*) OVER () FROM (SELECT DISTINCT c.step, c.key "
            "FROM migrations_tools_rowchange c WHERE c.batch_id = ANY(%s) AND c.key IS NOT NULL) k "
            "WHERE NOT EXISTS (SELECT 1 FROM migrations_tools_ledgerentry l WHERE l.step = k.step "
            "AND l.key = k.key AND l.run_id = ANY(%s) AND (l.run_id = %s OR l.outcome = %s)) "
            f"ORDER BY 1 LIMIT {MOST_NAMED}",
            [[batch.pk for batch in portion], [run.pk, *others], run.pk, Outcome.RESTORED],
        )
        detail = "The parent run wrote rows of this key of step {}; the rollback has no outcome."
        add_named(result, [(key, detail.format(step), number) for key, step, number in missing])
    result.examined += result.failures


def _counts(context: RunContext, keys: Keys, result: Result) -> None:
    """Sums over batches against the ledger's newest attempts, and against the journal.

    What the batches share is counted once, as the run closes.
    """
    expected: Counter[str] = Counter()
    actual: Counter[str] = Counter()
    for batch in keys.batches:
        for outcome, number in batch.counts.get("outcomes", {}).items():
            expected[f"step {batch.step} {outcome}"] += number
        expected.update(_by_operation(batch.counts.get("changes", {}), ""))
    for (step, outcome), number in _newest(context.run, keys).items():
        actual[f"step {step} {outcome}"] += number
    actual.update(_by_operation(_nested(keys.inspection.journal), ""))
    if "shared" in context.run.report:
        expected.update(_by_operation(context.run.report["shared"], "shared "))
        actual.update(_by_operation(_nested(keys.inspection.shared), "shared "))
    result.examined = actual.total()
    for name in sorted(expected.keys() | actual.keys()):
        if expected[name] != actual[name]:
            result.fail(
                name,
                f"The batches count {expected[name]}, ledger and journal hold {actual[name]}.",
                abs(expected[name] - actual[name]),
            )


def _nested(journal: Mapping[tuple[str, str], int]) -> dict[str, dict[str, int]]:
    """Counts by model and operation; uses are no changes."""
    nested: dict[str, dict[str, int]] = {}
    for (label, operation), number in journal.items():
        if operation != Operation.USE:
            nested.setdefault(label, {})[operation] = number
    return nested


def _by_operation(changes: Mapping[str, Mapping[str, int]], prefix: str) -> dict[str, int]:
    return {
        f"{prefix}{label} {operation}": number
        for label, operations in changes.items()
        for operation, number in operations.items()
    }


def _newest(run: Run, keys: Keys) -> Counter[tuple[int, str]]:
    """Ledger entries by step and outcome, the newest attempt of each key only."""
    if all(batch.keys is None for batch in keys.batches):
        return keys.inspection.ledger
    return Counter(
        {
            (step, outcome): number
            for step, outcome, number in rows_of(
                "SELECT l.step, l.outcome, count(*) FROM migrations_tools_ledgerentry l "
                "WHERE l.run_id = %s AND NOT EXISTS (SELECT 1 FROM migrations_tools_ledgerentry n "
                "WHERE n.run_id = l.run_id AND n.step = l.step AND n.key = l.key "
                "AND n.attempt > l.attempt) GROUP BY 1, 2",
                [run.pk],
            )
        }
    )
