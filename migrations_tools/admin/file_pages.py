"""Files of one run: the evidence for auditors, and the backup of its journal."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponseBase, HttpResponseRedirect

from migrations_tools.admin.pages import refuse_deed, refuse_without, who
from migrations_tools.admin.run_page import run_address
from migrations_tools.evidence import evidence_of, write_bundle
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run
from migrations_tools.services import retention


class FilePages:
    """A part of the runs' admin."""

    if TYPE_CHECKING:
        run_or_404: Callable[[UUID | str], Run]

    def file_addresses(self) -> list[tuple[str, str, Callable[..., HttpResponseBase]]]:
        return [
            ("<uuid:run_id>/evidence/", "evidence", self.evidence_view),
            ("<uuid:run_id>/backup/", "backup", self.backup_view),
        ]

    def evidence_view(self, request: HttpRequest, run_id: UUID) -> HttpResponseBase:
        """The signed file for auditors."""
        refuse_without(request, "view_run", "view_transition", "view_check")
        run = self.run_or_404(run_id)
        return _downloaded(
            f"evidence-{run.pk}.zip", lambda file: write_bundle(evidence_of(run), file)
        )

    def backup_view(self, request: HttpRequest, run_id: UUID) -> HttpResponseBase:
        """Journal, ledger and transitions as a file."""
        refuse_without(request, "view_run")
        run = self.run_or_404(run_id)
        refuse_deed(request, "purge", run)
        address = run_address(run)
        if request.method != "POST":
            return HttpResponseRedirect(address)
        try:
            retention.refuse_large(run, f"datamigrate backup {run.pk} --out FILE")
            return _downloaded(
                f"backup-{run.pk}.jsonl.gz",
                lambda file: retention.backup_run(run, file, **who(request)),
            )
        except CarryoverError as refused_by:
            messages.error(request, refused_by.message)
            return HttpResponseRedirect(address)


def _downloaded(name: str, write: Callable[[Path], object]) -> FileResponse:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        write(file)
        opened = file.open("rb")  # stays readable when the folder goes
    return FileResponse(opened, as_attachment=True, filename=name)
