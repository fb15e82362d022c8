"""Verifying: run every check, keep the results, and say whether all is as it should be."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final

import structlog
from django.contrib.auth.models import User
from django.db import connections, transaction
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from migrations_tools.definitions.base import DataMigration
from migrations_tools.definitions.registry import get_definition
from migrations_tools.doorbell import ring_for_verifications
from migrations_tools.engine.advisory import advisory_lock
from migrations_tools.engine.clock import database_clock
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.transitions import record_action
from migrations_tools.evidence_language import in_evidence_language
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Batch, Check, RetentionRecord, Run, Transition
from migrations_tools.services.actors import require
from migrations_tools.states import RunKind, RunState, Surface, VerificationState
from migrations_tools.verification.journal import journal_checks
from migrations_tools.verification.keys import Keys, key_checks
from migrations_tools.verification.progress import Progress, forget_progress
from migrations_tools.verification.ranges import batches_of
from migrations_tools.verification.references import reference_check
from migrations_tools.verification.results import MOST_NAMED, Result
from migrations_tools.verification.rows import row_checks, undo_checks
from migrations_tools.verification.sql_checks import run_check

log = structlog.get_logger(__name__)

#: The action by which somebody leaves a verification to the workers.
REQUEST: Final = "request_verification"


#: Some checks, and the results they give.
Job = Callable[[], list[Result]]


@in_evidence_language
def verify_run(run: Run, *, acting_user: User, surface: str, workers: int = 1) -> dict[str, Any]:
    """Check one apply or rollback run; the JSON object of SPEC §3.

    Of an apply run that stands, the definition's own checks are run too. ``workers`` connections
    share the checks. Raises PermissionRefused, and CarryoverError for runs that wrote nothing by
    their nature, or whose journal was purged.
    """
    require(acting_user, "run", surface=surface, run=run)
    run.refresh_from_db()
    _require_verifiable(run)
    definition = get_definition(run.definition)
    jobs: list[Job] = [partial(_engine_checks, run), partial(_references, definition)]
    if run.kind == RunKind.APPLY and run.state != RunState.ROLLED_BACK:
        jobs += _definition_jobs(definition)
    results = _side_by_side(jobs, workers)
    return _conclude(definition, [run], results, run, acting_user, surface)


def _require_verifiable(run: Run) -> None:
    if run.kind not in {RunKind.APPLY, RunKind.ROLLBACK}:
        raise CarryoverError(
            _("Run %(run)s is of the kind %(kind)s: it wrote nothing that could be verified.")
            % {"run": run.pk, "kind": run.get_kind_display()},
            code="not_verifiable",
            run=str(run.pk),
        )
    if _purged([run]):
        raise CarryoverError(
            _(
                "The journal of run %(run)s was purged; there is nothing left to verify "
                "it by. Verify the data instead: datamigrate verify %(definition)s"
            )
            % {"run": run.pk, "definition": run.definition},
            code="journal_purged",
            run=str(run.pk),
        )


def verify_definition(
    name: str, *, acting_user: User, surface: str, workers: int = 1
) -> dict[str, Any]:
    """Check all data of a definition, and every run of it that is not rolled back.

    Purged runs are left out: their data is looked at by the definition's checks alone. Raises
    PermissionRefused.
    """
    require(acting_user, "run", surface=surface)
    definition = get_definition(name)
    runs = standing_runs(definition)
    jobs: list[Job] = [partial(_engine_checks, run) for run in runs]
    jobs += [partial(_references, definition), *_definition_jobs(definition)]
    results = _side_by_side(jobs, workers)
    return _conclude(definition, runs, results, None, acting_user, surface)


def standing_runs(definition: type[DataMigration]) -> list[Run]:
    """Runs that began, are not rolled back, and whose journal is there, oldest first."""
    began = Batch.objects.filter(run=OuterRef("pk"))
    standing = list(
        Run.objects.standing()
        .filter(Exists(began), definition=definition.name)
        .order_by("created_at", "pk")
    )
    purged = _purged(standing)
    return [run for run in standing if run.pk not in purged]


def request_verification(run: Run, *, acting_user: User, surface: str) -> Run:
    """Leave the verification of ``run`` to the workers.

    Raises PermissionRefused, and CarryoverError as `verify_run`.
    """
    require(acting_user, "run", surface=surface, run=run)
    _require_verifiable(run)
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(verification_state=VerificationState.WAITING)
        record_action(run, action=REQUEST, acting_user=acting_user, surface=surface)
        ring_for_verifications()
    run.refresh_from_db()
    return run


def request_verifications(
    definition: type[DataMigration], *, acting_user: User, surface: str
) -> list[Run]:
    """The same of every run of a definition that stands, oldest first."""
    require(acting_user, "run", surface=surface)
    who: dict[str, Any] = {"acting_user": acting_user, "surface": surface}
    return [request_verification(run, **who) for run in standing_runs(definition)]


def verifications_wait() -> bool:
    """Whether a run waits to be verified."""
    return Run.objects.filter(verification_state=VerificationState.WAITING).exists()


@in_evidence_language
def verify_waiting() -> Run | None:
    """Verify the oldest run that waits and that no other worker is at; None where there is none."""
    waiting = Run.objects.filter(verification_state=VerificationState.WAITING)
    for run in waiting.order_by("created_at", "pk"):
        with advisory_lock(f"carryover verification {run.pk}") as taken:
            if not taken or not waiting.filter(pk=run.pk).exists():
                continue
            asked = Transition.objects.filter(run=run, action=REQUEST).latest("id")
            try:
                verify_run(run, acting_user=asked.actor, surface=Surface.WORKER)
            except CarryoverError as refusal:  # purged meanwhile, or its definition is gone
                log.warning("run not verified", run=str(run.pk), error=refusal.message)
                waiting.filter(pk=run.pk).update(verification_state=VerificationState.NONE)
            return run
    return None


def _references(definition: type[DataMigration]) -> list[Result]:
    return [reference_check(definition.written_models())]


def _definition_jobs(definition: type[DataMigration]) -> list[Job]:
    return [partial(run_check, check) for check in definition.checks]


def _side_by_side(jobs: Sequence[Job], workers: int) -> list[Result]:
    """The results of all jobs, in their order, worked on over as many connections as wanted."""
    if workers == 1:
        return [result for job in jobs for result in job()]
    with ThreadPoolExecutor(workers) as pool:
        return [result for found in pool.map(_apart, jobs) for result in found]


def _apart(job: Job) -> list[Result]:
    try:
        return job()
    finally:
        connections.close_all()  # this thread's


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
    guard = Result("nothing_examined", gettext_noop("The checks had something to look at"))
    # rows of a table may be anybody's: their references tell nothing of this migration
    guard.examined = sum(
        result.examined for result in results if result.code != "dangling_reference"
    )
    if guard.examined == 0:
        told = gettext_noop("No check found anything to look at: nothing is proven.")
        guard.fail("verification", told)
    for result in results:
        if result.looked_at_nothing:
            told = gettext_noop("The check “%(title)s” found nothing to look at.")
            guard.fail(result.code, told % {"title": result.title})
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
