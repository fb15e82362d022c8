"""Verifying: run every check, keep the results, and say whether all is as it should be."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.clock import database_clock
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Batch, Check, RetentionRecord, Run
from migrations_tools.states import RunKind, RunState, VerificationState
from migrations_tools.verification.journal import journal_checks
from migrations_tools.verification.keys import Keys, key_checks
from migrations_tools.verification.progress import Progress, forget_progress
from migrations_tools.verification.ranges import batches_of
from migrations_tools.verification.references import reference_check
from migrations_tools.verification.results import MOST_NAMED, Result
from migrations_tools.verification.rows import row_checks, undo_checks
from migrations_tools.verification.sql_checks import definition_checks


def verify_run(run: Run, *, acting_user: User, surface: str) -> dict[str, Any]:
    """Check one apply or rollback run; the JSON object of SPEC §3.

    Of an apply run that stands, the definition's own checks are run too. Raises CarryoverError
    for runs that wrote nothing by their nature, or whose journal was purged.
    """
    run.refresh_from_db()
    if run.kind not in {RunKind.APPLY, RunKind.ROLLBACK}:
        raise CarryoverError(
            f"Run {run.pk} is of the kind {run.get_kind_display()}: it wrote nothing that could "
            "be verified.",
            code="not_verifiable",
            run=str(run.pk),
        )
    if _purged([run]):
        raise CarryoverError(
            f"The journal of run {run.pk} was purged; there is nothing left to verify it by. "
            f"Verify the data instead: datamigrate verify {run.definition}",
            code="journal_purged",
            run=str(run.pk),
        )
    definition = get_definition(run.definition)
    results = _engine_checks(run)
    results.append(reference_check(definition.written_models()))
    if run.kind == RunKind.APPLY and run.state != RunState.ROLLED_BACK:
        results += definition_checks(definition)
    return _conclude(definition, [run], results, run, acting_user, surface)


def verify_definition(name: str, *, acting_user: User, surface: str) -> dict[str, Any]:
    """Check all data of a definition, and every run of it that is not rolled back.

    Purged runs are left out: their data is looked at by the definition's checks alone.
    """
    definition = get_definition(name)
    began = Batch.objects.filter(run=OuterRef("pk"))
    standing = list(
        Run.objects.standing()
        .filter(Exists(began), definition=definition.name)
        .order_by("created_at", "pk")
    )
    purged = _purged(standing)
    runs = [run for run in standing if run.pk not in purged]
    results = [result for run in runs for result in _engine_checks(run)]
    results.append(reference_check(definition.written_models()))
    results += definition_checks(definition)
    return _conclude(definition, runs, results, None, acting_user, surface)


def _engine_checks(run: Run) -> list[Result]:
    """The engine's checks of one run; they go on where an interrupted verification stopped."""
    batches = batches_of(run)
    progress = Progress(run, batches)
    results, inspection = journal_checks(run, batches, progress)
    results += key_checks(RunContext.of(run), Keys(batches, inspection))
    results += row_checks(run, batches, inspection, progress)
    if run.kind == RunKind.ROLLBACK:
        results += undo_checks(run, progress)
    return results


def _purged(runs: Sequence[Run]) -> set[uuid.UUID]:
    records = RetentionRecord.objects.filter(run__in=runs, kind=RetentionRecord.Kind.PURGE)
    return set(records.values_list("run_id", flat=True))


def _conclude(
    definition: type[DataMigration],
    runs: Sequence[Run],
    results: list[Result],
    subject: Run | None,
    acting_user: User,
    surface: str,
) -> dict[str, Any]:
    """Keep the results, mark the runs, and answer.

    A run is marked only if nothing changed its state while it was looked at.
    """
    results.insert(0, _nothing_examined(results))
    ok = all(result.ok for result in results)
    verification = uuid.uuid4()
    state = VerificationState.PASSED if ok else VerificationState.FAILED
    failed = sorted({result.code for result in results if not result.ok})
    with transaction.atomic():
        Check.objects.bulk_create(_stored(result, definition, verification) for result in results)
        for run in runs:
            forget_progress(run)
            Run.objects.filter(pk=run.pk, state=run.state).update(
                verification_state=state, verified_at=database_clock()
            )
        subjects: Sequence[Run | None] = runs or [None]
        for about in subjects:
            record_action(
                about,
                action="verify",
                acting_user=acting_user,
                surface=surface,
                details={
                    "definition": definition.name,
                    "verification": str(verification),
                    "ok": ok,
                    "failed": failed,
                },
            )
    return {
        "run": None if subject is None else str(subject.pk),
        "migration": definition.name,
        "verification": str(verification),
        "ok": ok,
        "checks": [result.as_dict() for result in _by_code(results)],
    }


def _nothing_examined(results: Sequence[Result]) -> Result:
    """A verification that looked at nothing proves nothing, nor does a check that had to look."""
    guard = Result("nothing_examined", "The checks had something to look at")
    # rows of a table may be anybody's: their references tell nothing of this migration
    guard.examined = sum(
        result.examined for result in results if result.code != "dangling_reference"
    )
    if guard.examined == 0:
        guard.fail("verification", "No check found anything to look at: nothing is proven.")
    for result in results:
        if result.looked_at_nothing:
            guard.fail(result.code, f"The check “{result.title}” found nothing to look at.")
    return guard


def _stored(result: Result, definition: type[DataMigration], verification: uuid.UUID) -> Check:
    return Check(
        verification=verification,
        definition=definition.name,
        run=result.run,
        code=result.code,
        title=result.title,
        ok=result.ok,
        examined=result.examined,
        failures=result.failures,
        edited_since=result.edited_since,
        sample=result.sample,
        seconds=result.seconds,
    )


def _by_code(results: Iterable[Result]) -> list[Result]:
    """One result per code: those of several runs are added up."""
    merged: dict[str, Result] = {}
    for result in results:
        known = merged.get(result.code)
        if known is None:
            merged[result.code] = Result(**{**vars(result), "sample": list(result.sample)})
            continue
        known.examined += result.examined
        known.failures += result.failures
        known.edited_since += result.edited_since
        known.seconds += result.seconds
        known.may_be_empty = known.may_be_empty and result.may_be_empty
        known.sample = (known.sample + result.sample)[:MOST_NAMED]
    return list(merged.values())
