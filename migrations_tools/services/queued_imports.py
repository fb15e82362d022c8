"""Imports in the background: queued with a copy of the file, carried out by any worker."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from migrations_tools.doorbell import ring_for_imports
from migrations_tools.engine.advisory import advisory_lock
from migrations_tools.engine.clock import database_time
from migrations_tools.engine.errors import is_connection_loss, sentence_of
from migrations_tools.engine.failpoints import IMPORT_FAILPOINT, failpoint
from migrations_tools.engine.side import side_connection
from migrations_tools.engine.sql import table_of
from migrations_tools.engine.throttle import standing_orders
from migrations_tools.engine.transitions import record_action
from migrations_tools.evidence_language import in_evidence_language
from migrations_tools.exceptions import CarryoverError, ImportRefused
from migrations_tools.imports.service import import_legacy, refuse_unreadable
from migrations_tools.imports.stored_files import (
    StoredFile,
    forget,
    store_copy,
    stored_path,
    told_by_name,
)
from migrations_tools.imports.tables import Progress
from migrations_tools.imports.upload_kinds import demands_of, own_upload_kind
from migrations_tools.models import ImportProgress, LegacyImport, QueuedImport
from migrations_tools.services.actors import require_permission
from migrations_tools.text import storable_text

log = structlog.get_logger(__name__)

#: Attempts after which an import is given up: those that failed, and those whose worker ended.
MOST_ATTEMPTS = 3
#: How long an upload waits for its owner to confirm it.
KEPT_UPLOADS: Final = timedelta(hours=24)
_TOLD_EVERY: Final = 1.0  # seconds between two notes of how far an import is
_LONGEST_NUMBER = 19  # digits of a bigint
_NEVER_QUEUED = (QueuedImport.State.UPLOADED, QueuedImport.State.DROPPED)


def queue_imports(
    kind: str,
    paths: Sequence[Path],
    *,
    table: str | None = None,
    acting_user: User,
    surface: str,
) -> list[QueuedImport]:
    """Copy files of one kind into ``uploads`` and queue their imports, in this order.

    What shows at once is refused at once, all files or none. Raises ImportRefused and
    PermissionRefused.
    """
    refuse_unreadable(kind, paths, table=table, acting_user=acting_user, surface=surface)
    stored: list[StoredFile] = []
    try:
        stored.extend(store_copy(path) for path in paths)
        with transaction.atomic():
            queued = [
                QueuedImport.objects.create(
                    kind=kind,
                    table=table or "",
                    file_name=storable_text(path.name)[:255],
                    stored=copy.folder,
                    size=copy.size,
                    sha256=copy.sha256,
                    surface=surface,
                    actor=acting_user,
                )
                for path, copy in zip(paths, stored, strict=True)
            ]
            for item in queued:
                record_action(
                    None,
                    action="queue_import",
                    acting_user=acting_user,
                    surface=surface,
                    details={"queued_import": item.pk, "kind": kind, "file": item.file_name},
                )
            ring_for_imports()
    except BaseException:
        for copy in stored:
            forget(copy.folder)
        raise
    return queued


def get_queued_import(reference: str) -> QueuedImport:
    """The queued import that a number, or ``last`` names; raises ImportRefused."""
    queued = QueuedImport.objects.select_related("legacy_import")
    if reference == "last":
        found = queued.exclude(state__in=_NEVER_QUEUED).order_by("id").last()
    else:
        known = reference.isascii() and reference.isdigit() and len(reference) < _LONGEST_NUMBER
        found = queued.filter(pk=int(reference)).first() if known else None
    if found is None:
        raise ImportRefused(
            _("There is no import %(reference)s in the queue.") % {"reference": reference},
            code="unknown_import",
        )
    return found


def imports_wait() -> bool:
    """Whether a worker has something to import now: a global stop holds imports up too."""
    waiting = QueuedImport.objects.filter(state=QueuedImport.State.QUEUED).exists()
    return waiting and not standing_orders()


@in_evidence_language
def work_on_import() -> QueuedImport | None:
    """Carry out the oldest import that no other worker is at; None where there is none.

    Import and new state are one transaction. A refused file leaves nothing behind; so does a
    killed worker, whose import another one takes up. The attempt is counted before: a file that
    its workers do not survive is given up too.
    """
    if not imports_wait():
        return None
    waiting = QueuedImport.objects.filter(state=QueuedImport.State.QUEUED)
    for number in waiting.order_by("attempts", "id").values_list("pk", flat=True):
        done = _work_on(number)
        if done is not None:
            return done
    return None


@in_evidence_language
def work_on_this(number: int) -> QueuedImport | None:
    """Carry out one queued import now, as a worker would; None where it has to wait for one."""
    return None if standing_orders() else _work_on(number)


def _work_on(number: int) -> QueuedImport | None:
    with advisory_lock(f"carryover import {number}") as taken:
        return _carry_out(number) if taken and _count_attempt(number) else None


def drop_expired_uploads() -> int:
    """Delete what was uploaded and not confirmed in time; how many."""
    late = QueuedImport.objects.filter(
        state=QueuedImport.State.UPLOADED, created_at__lt=database_time() - KEPT_UPLOADS
    )
    dropped = 0
    for number, folder in late.values_list("pk", "stored"):
        mine = QueuedImport.objects.filter(pk=number, state=QueuedImport.State.UPLOADED)
        if mine.update(state=QueuedImport.State.DROPPED, finished_at=database_time()):
            forget(folder)
            dropped += 1
    return dropped


def _count_attempt(number: int) -> bool:
    """Whether the import is still to be done."""
    queued = QueuedImport.objects.filter(pk=number, state=QueuedImport.State.QUEUED)
    if queued.update(attempts=F("attempts") + 1) != 1:
        return False
    now = database_time()
    ImportProgress.objects.update_or_create(
        queued_import_id=number,
        defaults={"table": "", "rows": 0, "share": 0.0, "started_at": now, "told_at": now},
    )
    return True


def _progress_of(number: int) -> Progress:
    """What tells others, once a second, how far the import is."""
    due = time.monotonic() + _TOLD_EVERY

    def tell(table: str, rows: int, share: float) -> None:
        nonlocal due
        if time.monotonic() < due:
            return
        due = time.monotonic() + _TOLD_EVERY
        with side_connection() as side, side.cursor() as cursor:
            cursor.execute(
                f'UPDATE {table_of(ImportProgress)} SET "table" = %s, rows = %s, share = %s, '
                "told_at = now() WHERE queued_import_id = %s",
                [table[:100], rows, share, number],
            )

    return tell


def _carry_out(number: int) -> QueuedImport:
    with transaction.atomic():
        queued = QueuedImport.objects.select_for_update(of=("self",)).get(pk=number)
        try:
            if queued.attempts > MOST_ATTEMPTS:
                raise ImportRefused(
                    _(
                        "Its worker ended %(most_attempts)s times before the import did: is the "
                        "file too large for the machine's memory?"
                    )
                    % {"most_attempts": MOST_ATTEMPTS},
                    code="import_failed",
                )
            # here, where its record is not undone with the file
            demands = demands_of(queued.kind)
            require_permission(
                queued.actor, demands.permission, deed=demands.deed, surface=queued.surface
            )
            with transaction.atomic():
                _import(queued)
                failpoint(IMPORT_FAILPOINT)
            queued.state = QueuedImport.State.DONE
            queued.code = queued.error = ""
        except CarryoverError as refusal:
            _give_up(queued, refusal.code, refusal.message)
        except Exception as error:
            if is_connection_loss(error):
                raise
            log.exception("import failed", queued_import=queued.pk)
            queued.error = sentence_of(error)
            if queued.attempts >= MOST_ATTEMPTS:
                told = _("It failed %(most_attempts)s times: %(error)s") % {
                    "most_attempts": MOST_ATTEMPTS,
                    "error": queued.error,
                }
                _give_up(queued, "import_failed", told)
        if queued.state != QueuedImport.State.QUEUED:
            queued.finished_at = database_time()
            transaction.on_commit(lambda: forget(queued.stored))
        queued.save()
    return queued


def _import(queued: QueuedImport) -> None:
    path, progress = stored_path(queued.stored), _progress_of(queued.pk)
    own = own_upload_kind(queued.kind)
    with told_by_name(path):
        if own is None:
            queued.legacy_import = _imported(queued, path, progress)
        else:
            queued.result = own.carry_out(queued, path, progress)


def _imported(queued: QueuedImport, path: Path, progress: Progress) -> LegacyImport:
    [legacy_import] = import_legacy(
        queued.kind,
        [path],
        table=queued.table or None,
        acting_user=queued.actor,
        surface=queued.surface,
        progress=progress,
    )
    return legacy_import


def _give_up(queued: QueuedImport, code: str, message: str) -> None:
    queued.state = QueuedImport.State.REFUSED
    queued.code, queued.error = code, message
