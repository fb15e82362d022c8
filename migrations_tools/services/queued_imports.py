"""Imports in the background: queued with a copy of the file, carried out by any worker."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Sequence
from pathlib import Path

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F

from migrations_tools.doorbell import ring_for_imports
from migrations_tools.engine.advisory import advisory_lock
from migrations_tools.engine.clock import database_time
from migrations_tools.engine.errors import is_connection_loss, sentence_of
from migrations_tools.engine.failpoints import IMPORT_FAILPOINT, failpoint
from migrations_tools.engine.throttle import standing_orders
from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import CarryoverError, ImportRefused
from migrations_tools.imports.readers.files import open_regular
from migrations_tools.imports.service import import_legacy, refuse_unreadable
from migrations_tools.models import LegacyImport, QueuedImport
from migrations_tools.services.actors import require
from migrations_tools.text import storable_text

log = structlog.get_logger(__name__)

#: Attempts after which an import is given up: those that failed, and those whose worker ended.
MOST_ATTEMPTS = 3
_LONGEST_NUMBER = 19  # digits of a bigint


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
    stored: list[str] = []
    try:
        for path in paths:
            stored.append(uuid.uuid4().hex)
            _store(path, stored[-1])
        with transaction.atomic():
            queued = [
                QueuedImport.objects.create(
                    kind=kind,
                    table=table or "",
                    file_name=storable_text(path.name)[:255],
                    stored=folder,
                    surface=surface,
                    actor=acting_user,
                )
                for path, folder in zip(paths, stored, strict=True)
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
        for folder in stored:
            _forget(folder)
        raise
    return queued


def get_queued_import(reference: str) -> QueuedImport:
    """The queued import that a number, or ``last`` names; raises ImportRefused."""
    queued = QueuedImport.objects.select_related("legacy_import")
    if reference == "last":
        found = queued.order_by("id").last()
    else:
        known = reference.isascii() and reference.isdigit() and len(reference) < _LONGEST_NUMBER
        found = queued.filter(pk=int(reference)).first() if known else None
    if found is None:
        raise ImportRefused(f"There is no import {reference} in the queue.", code="unknown_import")
    return found


def imports_wait() -> bool:
    """Whether a worker has something to import now: a global stop holds imports up too."""
    waiting = QueuedImport.objects.filter(state=QueuedImport.State.QUEUED).exists()
    return waiting and not standing_orders()


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
        with advisory_lock(f"carryover import {number}") as taken:
            if taken and _count_attempt(number):
                return _carry_out(number)
    return None


def _count_attempt(number: int) -> bool:
    """Whether the import is still to be done."""
    queued = QueuedImport.objects.filter(pk=number, state=QueuedImport.State.QUEUED)
    return queued.update(attempts=F("attempts") + 1) == 1


def _carry_out(number: int) -> QueuedImport:
    with transaction.atomic():
        queued = QueuedImport.objects.select_for_update(of=("self",)).get(pk=number)
        try:
            if queued.attempts > MOST_ATTEMPTS:
                raise ImportRefused(
                    f"Its worker ended {MOST_ATTEMPTS} times before the import did: is the file "
                    "too large for the machine's memory?",
                    code="import_failed",
                )
            # here, where its record is not undone with the file
            require(queued.actor, "import", surface=queued.surface)
            with transaction.atomic():
                queued.legacy_import = _imported(queued)
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
                told = f"It failed {MOST_ATTEMPTS} times: {queued.error}"
                _give_up(queued, "import_failed", told)
        if queued.state != QueuedImport.State.QUEUED:
            queued.finished_at = database_time()
            transaction.on_commit(lambda: _forget(queued.stored))
        queued.save()
    return queued


def _imported(queued: QueuedImport) -> LegacyImport:
    path = uploads() / queued.stored / _name_of(queued.stored)
    [legacy_import] = import_legacy(
        queued.kind,
        [path],
        table=queued.table or None,
        acting_user=queued.actor,
        surface=queued.surface,
    )
    return legacy_import


def _give_up(queued: QueuedImport, code: str, message: str) -> None:
    queued.state = QueuedImport.State.REFUSED
    queued.code, queued.error = code, message


def uploads() -> Path:
    """The folder of stored files, CARRYOVER_HOME/uploads; workers of several machines share it."""
    return Path(getattr(settings, "CARRYOVER_HOME", "var")) / "uploads"


def _name_of(folder: str) -> str:
    """The one file of a folder, under the name it came with: it may say what table it holds."""
    found = sorted((uploads() / folder).iterdir()) if (uploads() / folder).is_dir() else []
    if not found:
        raise ImportRefused(
            "The stored file is not on this machine: workers of several machines have to share "
            "CARRYOVER_HOME/uploads. Import the file again.",
            code="file_not_found",
        )
    return found[0].name


def _store(path: Path, folder: str) -> None:
    """Copy a file to where only our own account can read it."""
    target = uploads() / folder
    uploads().mkdir(mode=0o700, parents=True, exist_ok=True)
    target.mkdir(mode=0o700)
    descriptor = os.open(target / path.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open_regular(path) as source, os.fdopen(descriptor, "wb") as copy:
        shutil.copyfileobj(source, copy)
        copy.flush()
        os.fsync(copy.fileno())


def _forget(folder: str) -> None:
    shutil.rmtree(uploads() / folder, ignore_errors=True)
