"""How long journals are kept, and what ends their time: backup, purge, erasure (SPEC §2.7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from migrations_tools.cutover.keys import all_cutovers
from migrations_tools.cutover.stages import Stage
from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.clock import database_time
from migrations_tools.engine.selection import Selection
from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import CarryoverError, UnknownDefinition
from migrations_tools.models import (
    Batch,
    Check,
    LedgerEntry,
    RetentionRecord,
    ReviewItem,
    RowChange,
    Run,
    Transition,
)
from migrations_tools.models.cutover import Cutover
from migrations_tools.retention.backup import write_backup
from migrations_tools.retention.check import BackupReader
from migrations_tools.selectors.summary import counts_of
from migrations_tools.services.actors import require
from migrations_tools.states import (
    ACTIVE_STATES,
    DECIDED_OUTCOMES,
    RunKind,
    RunState,
)

DEFAULT_RETENTION_DAYS = 90
#: Keys of a run whose journal is deleted, or written to a file, while somebody waits.
MOST_IN_A_REQUEST: Final = 100_000

_UNFINISHED = ACTIVE_STATES | {RunState.PLANNED, RunState.AWAITING_APPROVAL}


def backup_run(run: Run, path: Path, *, acting_user: User, surface: str) -> dict[str, Any]:
    """Write journal, ledger, batches and transitions of a run that stands still to ``path``.

    Refuses to overwrite a file. The answer holds the counts and the SHA-256 of the lines.
    """
    require(acting_user, "purge", surface=surface, run=run)
    path = Path(path)
    if path.exists():
        raise CarryoverError(
            _("%(path)s is there already; choose another name.") % {"path": path},
            code="file_exists",
            file=str(path),
        )
    if not path.parent.is_dir():
        raise CarryoverError(
            _("There is no folder %(parent)s.") % {"parent": path.parent},
            code="folder_missing",
            file=str(path),
        )
    with transaction.atomic():
        # purge and erasure wait until the file is written
        held = _hold(run, "KEY SHARE")
        _refuse_unfinished(held)
        _refuse_purged(held)
        written = write_backup(held, path)
        counts = {kind: written[kind] for kind in ("batch", "ledger", "change", "transition")}
        record_action(
            held,
            action="backup",
            acting_user=acting_user,
            surface=surface,
            details={"file": path.name, "sha256": written["sha256"], **counts},
        )
    return {"run": str(run.pk), "file": str(path), "sha256": written["sha256"], **counts}


def check_backup(path: Path) -> dict[str, Any]:
    """Whether a backup is whole and unchanged: every digest, the seal and the end are recomputed.

    Needs no run in the database. Raises CarryoverError where there is no such file.
    """
    path = Path(path)
    if not path.is_file():
        raise CarryoverError(
            _("There is no file %(path)s.") % {"path": path}, code="file_missing", file=str(path)
        )
    reader = BackupReader()
    reader.read(path)
    return {
        "file": str(path),
        "run": reader.header.get("run"),
        "migration": reader.header.get("migration"),
        "ok": reader.failures == 0,
        **{kind: reader.counts[kind] for kind in ("batch", "ledger", "change", "transition")},
        "sha256": reader.sha256.hexdigest() if not reader.failures else None,
        "failures": reader.failures,
        "faults": reader.faults,
    }


class RunTooLarge(CarryoverError):
    """What is asked takes longer than somebody waits; a command does it."""

    code = "too_large"


def refuse_large(run: Run, command: str) -> None:
    """Refuse what is done while somebody waits for its answer; ``command`` does it."""
    if sum(counts_of(run)["outcomes"].values()) > MOST_IN_A_REQUEST:
        raise RunTooLarge(
            _("Run %(run)s is too large for this while you wait: %(command)s")
            % {"run": run.pk, "command": command},
            run=str(run.pk),
        )


def purge_while_waiting(
    run: Run, *, reason: str, acting_user: User, surface: str
) -> dict[str, Any]:
    """`purge_run` for surfaces that wait for the answer. Raises RunTooLarge."""
    require(acting_user, "purge", surface=surface, run=run)
    refuse_large(run, f"datamigrate purge {run.pk}")
    return purge_run(run, reason=reason, acting_user=acting_user, surface=surface)


def purge_run(run: Run, *, reason: str, acting_user: User, surface: str) -> dict[str, Any]:
    """Delete ledger and journal of a run that nobody needs any more; its record stays.

    Raises CarryoverError naming what still needs them.
    """
    require(acting_user, "purge", surface=surface, run=run)
    _require_reason(reason)
    with transaction.atomic():
        held = _hold(run, "UPDATE")
        _refuse_purged(held)
        needed = still_needed(held)
        if needed:
            raise CarryoverError(
                _("Run %(run)s cannot be purged: %(needed)s") % {"run": run.pk, "needed": needed},
                code="still_needed",
                run=str(run.pk),
            )
        batches = Batch.objects.filter(run=held)
        ledger = LedgerEntry.objects.filter(batch__in=batches)
        journal = RowChange.objects.filter(batch__in=batches)
        counts = {"ledger": ledger.count(), "change": journal.count()}
        _record(held, RetentionRecord.Kind.PURGE, sum(counts.values()), reason, acting_user)
        journal.delete()
        ledger.delete()
        record_action(
            held,
            action="purge",
            acting_user=acting_user,
            surface=surface,
            reason=reason,
            details=counts,
        )
    return {"run": str(run.pk), **counts}


def still_needed(run: Run) -> str | None:
    """Why ledger and journal of ``run`` must stay, as a sentence; None: they may go."""
    if run.state in _UNFINISHED:
        return _("it is %(state)s.") % {"state": run.get_state_display()}
    active = Run.objects.all().active().filter(definition=run.definition).first()
    if active is not None:
        return _("run %(active)s of the same data migration is %(state)s.") % {
            "active": active.pk,
            "state": active.get_state_display(),
        }
    parent = run.parent
    if run.kind == RunKind.ROLLBACK and parent and parent.state != RunState.ROLLED_BACK:
        return _(
            "it tells which keys of run %(parent)s were restored, and that run was "
            "only partly rolled back."
        ) % {"parent": parent.pk}
    if run in Run.objects.standing() and _decides_about_source(run):
        return _(
            "its ledger tells which source rows are carried over; without it the "
            "next run would carry them over again. Roll it back, or remove the "
            "source rows first."
        )
    for key in _cutovers_of(run):
        if key.stage != Stage.COMPLETE and not _was_backed_up(run):
            return _(
                "the cutover %(key)s is at %(stage)s, and journals are kept until some "
                "time after it is complete. To let it go earlier, export it first: "
                "datamigrate backup %(run)s --out FILE"
            ) % {"key": key.key, "stage": key.stage, "run": run.pk}
    until = kept_until(run)
    if until > database_time() and not _was_backed_up(run):
        return _(
            "it is kept until %(until)s. To let it go earlier, export it first: "
            "datamigrate backup %(run)s --out FILE"
        ) % {"until": f"{until:%Y-%m-%d}", "run": run.pk}
    return None


def kept_until(run: Run) -> datetime:
    """The end of the retention time: CARRYOVER_JOURNAL_RETENTION_DAYS after the run ended, or after
    its definition's cutover was complete.
    """
    days = getattr(settings, "CARRYOVER_JOURNAL_RETENTION_DAYS", DEFAULT_RETENTION_DAYS)
    began = [run.finished_at or run.created_at]
    began += [found.since for found in _cutovers_of(run) if found.since is not None]
    return max(began) + timedelta(days=days)


def _cutovers_of(run: Run) -> list[Cutover]:
    """Cutovers that somebody began, of the data migration of ``run``."""
    names = [key.name for key in all_cutovers() if key.definition == run.definition]
    return list(Cutover.objects.filter(key__in=names).exclude(stage=Stage.OFF))


def purgeable_runs() -> list[Run]:
    """Runs whose ledger and journal a schedule may purge: their time is over and nobody asks."""
    purged = RetentionRecord.objects.filter(kind=RetentionRecord.Kind.PURGE).values("run")
    old = Run.objects.exclude(pk__in=purged).exclude(state__in=_UNFINISHED)
    return [
        run
        for run in old.order_by("created_at")
        if kept_until(run) <= database_time() and still_needed(run) is None
    ]


def erase_personal(
    run: Run, keys: Sequence[str], *, reason: str, acting_user: User, surface: str
) -> dict[str, Any]:
    """Set to null what the records of ``run`` say of the people behind ``keys``.

    Before and after in the journal, details and warnings in the ledger, proposals and evidence of
    reviews – of the run, its plan and its rollbacks. The digests stay, so that the journal still
    proves itself. Erased rows can no longer be rolled back.
    """
    require(acting_user, "purge", surface=surface, run=run)
    _require_reason(reason)
    with transaction.atomic():
        runs = Run.objects.filter(Q(pk__in=[run.pk, run.plan_id or run.pk]) | Q(parent=run))
        erased = 0
        for held in [_hold(found, "UPDATE") for found in runs.order_by("created_at", "pk")]:
            _refuse_unfinished(held)
            erased += _erase(held, keys, reason, acting_user)
        if not erased and not LedgerEntry.objects.filter(run=run, key__in=keys).exists():
            raise CarryoverError(
                _("Run %(run)s has none of these keys.") % {"run": run.pk},
                code="unknown_key",
                run=str(run.pk),
            )
        _forget_samples(run, keys)
        for told in runs:
            _forget_samples_of_plan(told, keys)
        record_action(
            run,
            action="erase",
            acting_user=acting_user,
            surface=surface,
            reason=reason,
            details={"keys": len(keys), "rows": erased},
        )
    return {"run": str(run.pk), "rows": erased}


def _erase(run: Run, keys: Sequence[str], reason: str, acting_user: User) -> int:
    """Erase the keys in the records of one run; the number of rows."""
    batches = Batch.objects.filter(run=run)
    ledger = LedgerEntry.objects.filter(batch__in=batches, key__in=keys).filter(
        Q(detail__isnull=False) | Q(warnings__isnull=False)
    )
    journal = RowChange.objects.filter(batch__in=batches, key__in=keys).filter(
        Q(before__isnull=False) | Q(after__isnull=False)
    )
    number = ledger.count() + journal.count()
    if number:
        _record(run, RetentionRecord.Kind.ERASE, number, reason, acting_user)
        ledger.update(detail=None, warnings=None)
        journal.update(before=None, after=None)
    reviews = ReviewItem.objects.filter(run=run, key__in=keys)
    reviews.update(proposal={}, evidence={}, choice=None)
    return number


def _forget_samples(run: Run, keys: Sequence[str]) -> None:
    """Take the keys out of the samples of the definition's checks, which may quote values."""
    for check in Check.objects.filter(definition=run.definition, ok=False).iterator():
        kept = [named for named in check.sample if named["key"] not in set(keys)]
        if len(kept) < len(check.sample):
            check.sample = kept
            check.save(update_fields=["sample"])


def _forget_samples_of_plan(run: Run, keys: Sequence[str]) -> None:
    """Take the keys out of the before and after that a plan shows."""
    held = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
    samples = held.report.get("samples", [])
    kept = [sample for sample in samples if sample["key"] not in set(keys)]
    if len(kept) < len(samples):
        held.report["samples"] = kept
        held.save(update_fields=["report"])


def _decides_about_source(run: Run) -> bool:
    """Whether source rows exist that only this run's ledger keeps from being carried over again."""
    try:
        definition = get_definition(run.definition)
    except UnknownDefinition:
        return False
    with connection.cursor() as cursor:
        for index, step in enumerate(definition.steps):
            if not step.counted or not step.source.remembers:
                continue
            rows = step.source.queryset(Selection(index)).values(k=F(step.source.key_name))
            sql, parameters = rows.query.sql_with_params()
            cursor.execute(
                f"SELECT EXISTS (SELECT 1 FROM ({sql}) k JOIN migrations_tools_ledgerentry l "
                'ON l.key = k.k::text COLLATE "C" '
                "WHERE l.run_id = %s AND l.step = %s AND l.outcome = ANY(%s))",
                [*parameters, run.pk, index, sorted(DECIDED_OUTCOMES)],
            )
            if cursor.fetchone()[0]:
                return True
    return False


def _was_backed_up(run: Run) -> bool:
    """Whether a backup was written after the run's last change."""
    backups = Transition.objects.filter(run=run, action="backup")
    if run.finished_at is not None:
        backups = backups.filter(at__gte=run.finished_at)
    return backups.exists()


def _hold(run: Run, strength: str) -> Run:
    """The run as stored, its row locked until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM migrations_tools_run WHERE id = %s FOR {strength}", [run.pk])
    return Run.objects.get(pk=run.pk)


def _record(run: Run, kind: str, rows: int, reason: str, acting_user: User) -> None:
    """Write the record that lets the append-only triggers make way in this transaction."""
    RetentionRecord.objects.create(run=run, kind=kind, rows=rows, reason=reason, actor=acting_user)


def _refuse_unfinished(run: Run) -> None:
    if run.state in _UNFINISHED:
        raise CarryoverError(
            _("Run %(run)s is %(state)s; wait until it stands still.")
            % {"run": run.pk, "state": run.get_state_display()},
            code="run_active",
            run=str(run.pk),
        )


def _refuse_purged(run: Run) -> None:
    if RetentionRecord.objects.filter(run=run, kind=RetentionRecord.Kind.PURGE).exists():
        raise CarryoverError(
            _("The journal of run %(run)s was purged already.") % {"run": run.pk},
            code="journal_purged",
            run=str(run.pk),
        )


def _require_reason(reason: str) -> None:
    if not reason.strip():
        raise CarryoverError(
            _("This needs a reason: it stays in the history."), code="reason_missing"
        )
