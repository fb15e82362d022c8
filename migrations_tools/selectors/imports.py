"""What is told of imports: how far one is, and the lines that were rejected."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from migrations_tools.engine.clock import database_time
from migrations_tools.imports.kinds import ImportKind, all_kinds
from migrations_tools.models import ImportProgress, LegacyImport, QueuedImport, RejectedLine

#: Headings of the file of rejected lines.
REJECTED_HEADINGS: Final = ("table", "line", "code", "reason", "text")


@dataclass(frozen=True)
class ImportStatus:
    """How far a queued import is. ``share`` is 0–1, None where it is not known; so is ``left``."""

    waiting: bool  # for a worker
    table: str
    rows: int
    share: float | None
    seconds: float  # since a worker began
    left: float | None  # seconds, at this speed, of the table that is being read

    @property
    def per_mille(self) -> str:
        """The share for a bar: browsers read plain digits in every language."""
        return str(round(1_000 * (self.share or 0)))


def import_status(queued: QueuedImport) -> ImportStatus:
    """How far a queued import is, as its worker last told."""
    progress = ImportProgress.objects.filter(queued_import=queued).first()
    if progress is None:
        return ImportStatus(True, "", 0, None, 0.0, None)
    seconds = max(0.0, (database_time() - progress.started_at).total_seconds())
    told = max(0.0, (progress.told_at - progress.started_at).total_seconds())
    known = progress.share > 0
    left = told * (1 - progress.share) / progress.share if known else None
    return ImportStatus(
        False, progress.table, progress.rows, progress.share if known else None, seconds, left
    )


def kinds_by_group() -> list[tuple[str, list[ImportKind]]]:
    """The kinds of legacy files, those of one legacy system together."""
    groups: dict[str, list[ImportKind]] = {}
    for kind in all_kinds():
        groups.setdefault(str(kind.group), []).append(kind)
    return list(groups.items())


def waiting_uploads(user_id: int) -> QuerySet[QueuedImport]:
    """What a person has sent and not confirmed, the newest first."""
    return QueuedImport.objects.filter(actor=user_id, state=QueuedImport.State.UPLOADED)


def rejected_rows(legacy_import: LegacyImport) -> Iterator[Sequence[object]]:
    """Rejected lines with their reasons, as rows under `REJECTED_HEADINGS`."""
    lines = RejectedLine.objects.filter(legacy_import=legacy_import).order_by("id")
    fields = ("table", "line", "code", "detail", "text")
    for table, line, code, detail, text in lines.values_list(*fields).iterator():
        yield table, line, code, detail, text.rstrip("\r\n")


def rejected_text(legacy_import: LegacyImport) -> Iterator[str]:
    """Rejected lines as they stood in the file, so that they can be mended and imported again."""
    if legacy_import.heading:
        yield f"{legacy_import.heading}\n"
    lines = RejectedLine.objects.filter(legacy_import=legacy_import).exclude(text="")
    for text in lines.order_by("id").values_list("text", flat=True).iterator():
        yield text if text.endswith("\n") else f"{text}\n"
