"""Rows of a workbook that were not imported: kept, so that a clerk can mend and send them again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from guarantees.models import ImportBatch, RejectedRow
from guarantees.services.import_reports import JudgedRow
from guarantees.workbooks.cells import Unreadable
from migrations_tools.models import QueuedImport
from migrations_tools.text import storable_text

_LONGEST_CELL = 10_000  # characters that are kept of a cell


class RejectedRows:
    """Keeps the rejected rows of one workbook, chunk by chunk, in the caller's transaction.

    They belong to the batch, and to the upload where there is one. With neither nothing is kept.
    """

    def __init__(self, upload: QueuedImport | None) -> None:
        self._upload = upload
        self._waiting: list[JudgedRow] = []  # until the first good row makes a batch

    def keep(self, rows: Sequence[JudgedRow], batch: ImportBatch | None) -> None:
        self._waiting += rows
        if batch is not None or self._upload is not None:
            self._write(batch)

    def close(self, batch: ImportBatch | None) -> None:
        """Tie rows that came before the batch was made to it."""
        if batch is None:
            return
        self._write(batch)
        if self._upload is not None:
            RejectedRow.objects.filter(upload=self._upload, batch=None).update(batch=batch)

    def _write(self, batch: ImportBatch | None) -> None:
        RejectedRow.objects.bulk_create(
            RejectedRow(
                batch=batch,
                upload=self._upload,
                row=row.number,
                cells={column.value: written(cell) for column, cell in row.cells.items()},
                problems=[problem.as_json() for problem in row.judged.problems],
            )
            for row in self._waiting
        )
        self._waiting.clear()


def written(cell: Any) -> str:
    """A cell as a person would write it; what Excel could not tell is empty."""
    if isinstance(cell, Unreadable):
        return ""
    if isinstance(cell, datetime) and cell.time() == datetime.min.time():
        cell = cell.date()
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return storable_text(str(cell))[:_LONGEST_CELL]
