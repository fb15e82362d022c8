"""Uploads: a file comes in, its owner looks at a preview, then confirms or drops it.

Between the steps the file lies in a private folder; only who sent it may go on with it. Confirmed
uploads are imports in the queue (`services.queued_imports`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from migrations_tools.doorbell import ring_for_imports
from migrations_tools.engine.clock import database_time
from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import CarryoverError
from migrations_tools.imports.service import Preview, preview_file, refuse_unreadable
from migrations_tools.imports.stored_files import forget, store, stored_path, told_by_name
from migrations_tools.imports.upload_kinds import demands_of, own_upload_kind
from migrations_tools.models import QueuedImport
from migrations_tools.services.actors import require_permission
from migrations_tools.services.queued_imports import KEPT_UPLOADS
from migrations_tools.text import storable_text
from migrations_tools.told import told

State = QueuedImport.State


class UnknownUpload(CarryoverError):
    """No upload of that number, or somebody else's."""

    code = "unknown_upload"
    http_status = 404


class UploadClosed(CarryoverError):
    """The upload was confirmed or dropped before, or has expired; ``state`` says which."""

    code = "upload_closed"


def receive_upload(
    kind: str,
    chunks: Iterable[bytes],
    *,
    file_name: str,
    table: str | None = None,
    options: Mapping[str, Any] | None = None,
    acting_user: User,
    surface: str,
) -> QueuedImport:
    """Keep a file that ``acting_user`` sent, and look at whether it can be of this kind at all.

    ``table`` says what a text file holds, ``options`` what else the kind asks. Raises
    ImportRefused – nothing is kept then – and PermissionRefused.
    """
    demands = demands_of(kind)
    require_permission(acting_user, demands.permission, deed=demands.deed, surface=surface)
    stored = store(chunks, name=file_name, max_bytes=demands.max_bytes)
    try:
        with told_by_name(stored.path):
            _look(kind, stored.path, table, options or {}, acting_user, surface)
        with transaction.atomic():
            upload = QueuedImport.objects.create(
                kind=kind,
                table=table or "",
                file_name=storable_text(stored.name),
                stored=stored.folder,
                size=stored.size,
                sha256=stored.sha256,
                options=dict(options or {}),
                state=State.UPLOADED,
                surface=surface,
                actor=acting_user,
            )
            _record(upload, "upload_import", acting_user, surface)
    except BaseException:
        forget(stored.folder)
        raise
    upload.refresh_from_db(fields=["created_at"])
    return upload


def get_upload(number: int, *, acting_user: User, kind: str | None = None) -> QueuedImport:
    """An upload of ``acting_user``, whatever became of it. Raises UnknownUpload."""
    mine = QueuedImport.objects.select_related("legacy_import", "progress")
    found = mine.filter(pk=number, actor=acting_user).first()
    if found is None or (kind is not None and found.kind != kind):
        raise _unknown(number)
    return found


def _unknown(number: int) -> UnknownUpload:
    return UnknownUpload(_("You have no upload %(number)s.") % {"number": number})


def _refuse_others(upload: QueuedImport, acting_user: User) -> None:
    """Raise UnknownUpload where ``acting_user`` did not send the file."""
    if upload.actor_id != acting_user.pk:
        raise _unknown(upload.pk)


def preview_upload(upload: QueuedImport, *, acting_user: User, surface: str) -> Preview:
    """What importing an upload of legacy data would do (`preview_file`).

    Raises UnknownUpload, UploadClosed, ImportRefused and PermissionRefused.
    """
    path = waiting_path(upload, acting_user=acting_user, surface=surface)
    with told_by_name(path):
        return preview_file(
            upload.kind, path, table=upload.table or None, acting_user=acting_user, surface=surface
        )


def waiting_path(upload: QueuedImport, *, acting_user: User, surface: str) -> Path:
    """The file of an upload that waits for ``acting_user`` to confirm it.

    Raises PermissionRefused, UnknownUpload, UploadClosed and ImportRefused.
    """
    demands = demands_of(upload.kind)
    require_permission(acting_user, demands.permission, deed=demands.deed, surface=surface)
    _refuse_others(upload, acting_user)
    upload.refresh_from_db(fields=["state", "error"])
    if upload.state != State.UPLOADED or upload.created_at < database_time() - KEPT_UPLOADS:
        raise _closed(upload)
    return stored_path(upload.stored)


def commit_upload(
    upload: QueuedImport,
    *,
    options: Mapping[str, Any] | None = None,
    acting_user: User,
    surface: str,
) -> QueuedImport:
    """Put a confirmed upload into the queue of imports; ``options`` add to those it came with.

    Only the first of several confirmations does it: the others are told by UploadClosed. Raises
    UnknownUpload where it is somebody else's, PermissionRefused and ImportRefused as well.
    """
    waiting_path(upload, acting_user=acting_user, surface=surface)
    with transaction.atomic():
        locked = _locked(upload)
        locked.state, locked.surface = State.QUEUED, surface
        locked.options = {**locked.options, **(options or {})}
        locked.save(update_fields=["state", "surface", "options"])
        _record(locked, "queue_import", acting_user, surface)
        ring_for_imports()
    return locked


def drop_upload(upload: QueuedImport, *, acting_user: User, surface: str) -> QueuedImport:
    """Delete a file that is not to be imported after all; whoever sent it may.

    Raises UploadClosed, or UnknownUpload where it is somebody else's.
    """
    _refuse_others(upload, acting_user)
    with transaction.atomic():
        locked = _locked(upload)
        locked.state, locked.finished_at = State.DROPPED, database_time()
        locked.save(update_fields=["state", "finished_at"])
        _record(locked, "drop_upload", acting_user, surface)
        transaction.on_commit(lambda: forget(locked.stored))
    return locked


def _look(
    kind: str,
    path: Path,
    table: str | None,
    options: Mapping[str, Any],
    acting_user: User,
    surface: str,
) -> None:
    own = own_upload_kind(kind)
    if own is not None:
        own.look(path, options, acting_user, surface)
    else:
        refuse_unreadable(kind, [path], table=table, acting_user=acting_user, surface=surface)


def _locked(upload: QueuedImport) -> QueuedImport:
    """The upload as it is stored now, its row locked. Raises UploadClosed."""
    locked = QueuedImport.objects.select_for_update(of=("self",)).get(pk=upload.pk)
    if locked.state != State.UPLOADED:
        raise _closed(locked)
    return locked


_CLOSED = {
    State.UPLOADED: gettext_noop(
        "%(name)s waited for more than 24 hours and is not kept any longer. Upload it again."
    ),
    State.DROPPED: gettext_noop(
        "%(name)s was dropped, or waited for too long; nothing of it was imported. Upload it again."
    ),
    State.QUEUED: gettext_noop("%(name)s was confirmed before and is being imported."),
    State.DONE: gettext_noop("%(name)s was confirmed before and is imported."),
    State.REFUSED: gettext_noop("%(name)s was confirmed before and refused: %(error)s"),
}


def _closed(upload: QueuedImport) -> UploadClosed:
    sentence = _(_CLOSED[State(upload.state)])
    values = {"name": upload.file_name, "error": told(upload.error)}
    return UploadClosed(sentence % values, upload=upload.pk, state=upload.state)


def _record(upload: QueuedImport, action: str, acting_user: User, surface: str) -> None:
    record_action(
        None,
        action=action,
        acting_user=acting_user,
        surface=surface,
        details={"queued_import": upload.pk, "kind": upload.kind, "file": upload.file_name},
    )
