"""What a forced rollback takes away from people is exported first."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from migrations_tools.models import Run


def export_path(run: Run) -> Path:
    """The file with the rows that a forced rollback changed or deleted against later edits."""
    home = Path(getattr(settings, "CARRYOVER_HOME", "var"))
    return home / "exports" / f"rollback-{run.pk}.jsonl"


def export_rows(run: Run, rows: Iterable[tuple[str, str, str, str]]) -> int:
    """Append (source key, model, primary key, row as JSON text) as lines, before the commit.

    A batch that is repeated after a crash appends its rows again.
    """
    path = export_path(run)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    written = 0
    with path.open("a", encoding="utf-8") as file:
        path.chmod(0o600)
        for key, label, pk, row in rows:
            line = {"key": key, "model": label, "pk": pk, "row": json.loads(row)}
            file.write(json.dumps(line, ensure_ascii=False, default=str) + "\n")
            written += 1
        file.flush()
        os.fsync(file.fileno())
    return written
