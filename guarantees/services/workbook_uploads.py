"""Workbooks that come in by upload: received, looked at row by row, confirmed, imported.

The steps are those of every upload (`migrations_tools.services.uploads`); what is a workbook's own
is here. Small ones are imported when they are confirmed, large ones by a worker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from django.contrib.auth.models import User
from django.utils.translation import gettext_lazy as _

from guarantees.models import ImportBatch
from guarantees.services.import_reports import WorkbookReport
from guarantees.services.imports import already_imported, import_workbook, preview_workbook
from guarantees.workbooks import limits, open_workbook
from migrations_tools.imports.preview import LOOKED_AT
from migrations_tools.imports.stored_files import told_by_name
from migrations_tools.imports.tables import Progress
from migrations_tools.imports.upload_kinds import UploadKind, register_upload_kind
from migrations_tools.models import QueuedImport
from migrations_tools.services import uploads
from migrations_tools.services.queued_imports import work_on_this

WORKBOOK: Final = "guarantee_workbook"
#: Bytes of a workbook that is imported as soon as it is confirmed: some thousand rows.
AT_ONCE_BYTES: Final = 512 * 2**10


def receive_workbook(
    chunks: Iterable[bytes],
    *,
    file_name: str,
    sheet: str | None = None,
    acting_user: User,
    surface: str,
) -> QueuedImport:
    """Keep a workbook that ``acting_user`` sent until it is confirmed.

    Raises PermissionRefused, or ImportRefused for what is no workbook of guarantees.
    """
    return uploads.receive_upload(
        WORKBOOK,
        chunks,
        file_name=file_name,
        options={"sheet": sheet} if sheet else {},
        acting_user=acting_user,
        surface=surface,
    )


def get_workbook(number: int, *, acting_user: User) -> QueuedImport:
    """A workbook that ``acting_user`` sent. Raises UnknownUpload."""
    return uploads.get_upload(number, acting_user=acting_user, kind=WORKBOOK)


def preview_upload(upload: QueuedImport, *, acting_user: User, surface: str) -> WorkbookReport:
    """What confirming the workbook would do; nothing is written.

    Somebody waits for it, so it looks at the first `LOOKED_AT` rows. Raises UnknownUpload,
    UploadClosed, ImportRefused and PermissionRefused.
    """
    path = uploads.waiting_path(upload, acting_user=acting_user, surface=surface)
    with told_by_name(path):
        return preview_workbook(
            path,
            sheet=upload.options.get("sheet"),
            acting_user=acting_user,
            surface=surface,
            most=LOOKED_AT,
        )


def commit_workbook(
    upload: QueuedImport, *, confirm: bool = False, acting_user: User, surface: str
) -> QueuedImport:
    """Import the workbook: at once where it is small – it is done or refused then –, else queued.

    A file that was imported before needs ``confirm``. Raises AlreadyImported, UnknownUpload,
    UploadClosed, ImportRefused and PermissionRefused.
    """
    uploads.waiting_path(upload, acting_user=acting_user, surface=surface)
    if not confirm:
        before = ImportBatch.objects.filter(sha256=upload.sha256).order_by("pk").last()
        if before is not None:
            raise already_imported(upload.file_name, before.pk)
    queued = uploads.commit_upload(
        upload, options={"confirm": confirm}, acting_user=acting_user, surface=surface
    )
    done = work_on_this(queued.pk) if queued.size <= AT_ONCE_BYTES else None
    return done or queued


def batch_of(upload: QueuedImport) -> ImportBatch | None:
    """The batch that the workbook became; None before that, and where no row was good."""
    return ImportBatch.objects.filter(pk=upload.result.get("batch")).first()


def _look(path: Path, options: Mapping[str, Any], acting_user: User, surface: str) -> None:
    with open_workbook(path, sheet=options.get("sheet")):
        pass  # what shows at once is refused by opening it


def _carry_out(upload: QueuedImport, path: Path, progress: Progress) -> dict[str, Any]:
    report = import_workbook(
        path,
        sheet=upload.options.get("sheet"),
        confirm=bool(upload.options.get("confirm")),
        upload=upload,
        acting_user=upload.actor,
        surface=upload.surface,
        progress=lambda rows: progress("", rows, 0.0),
    )
    return {
        "batch": report.batch and report.batch.pk,
        "sheet": report.sheet,
        "read": report.read,
        "imported": report.accepted,
        "ready": report.ready,
        "needs_review": report.accepted - report.ready,
        "rejected_count": report.rejected_count,
        "flagged_count": report.flagged_count,
    }


register_upload_kind(
    UploadKind(
        name=WORKBOOK,
        title=_("New guarantees (Excel workbook)"),
        what=_("A list that a bank or a colleague sent; its rows become guarantees of one batch."),
        permission="guarantees.add_guarantee",
        deed="import guarantees",
        max_bytes=limits.FILE_BYTES,
        page="admin:guarantees_workbook",
        start="admin:guarantees_workbook_new",
        look=_look,
        carry_out=_carry_out,
    )
)
