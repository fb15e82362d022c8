"""Writing a run's journal, ledger, batches and transitions to a file, line by line."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.db import connection

from migrations_tools.models import Batch, RetentionRecord, Run
from migrations_tools.retention.format import CHANGE_COLUMNS, FORMAT, LEDGER_COLUMNS, VERSION


def write_backup(run: Run, path: Path) -> dict[str, Any]:
    """Write the backup, complete or not at all; counts of its lines and its SHA-256.

    The file can be read by its owner only. Call it in a transaction that holds the run.
    """
    draft = path.with_name(f".{path.name}.part")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as raw:
            with gzip.GzipFile(
                fileobj=raw, mode="wb", compresslevel=6, filename="", mtime=0
            ) as file:
                counts = _write_lines(run, file)
            raw.flush()
            os.fsync(raw.fileno())
        draft.rename(path)
    except BaseException:
        with suppress(FileNotFoundError):
            draft.unlink()
        raise
    return counts


def _write_lines(run: Run, file: gzip.GzipFile) -> dict[str, Any]:
    digest = hashlib.sha256()
    counts: Counter[str] = Counter()
    for kind, line in _lines(run):
        data = line.encode() + b"\n"
        digest.update(data)
        file.write(data)
        counts[kind] += 1
    end = {
        "kind": "end",
        **{kind: counts[kind] for kind in ("batch", "ledger", "change", "transition")},
        "sha256": digest.hexdigest(),
    }
    file.write(json.dumps(end).encode() + b"\n")
    return end


def _lines(run: Run) -> Iterator[tuple[str, str]]:
    """Kind and text of every line but the last."""
    yield "header", json.dumps(_header(run), ensure_ascii=False, default=str)
    batches = Batch.objects.filter(run=run).order_by("step", "number")
    for pk in batches.values_list("pk", flat=True):
        for kind, select in _BATCH_LINES.items():
            for line in _copied(f"{select} = {pk} ORDER BY t.id"):
                yield kind, line
    for line in _copied(f"{_TRANSITIONS} = '{run.pk}' ORDER BY t.id"):
        yield "transition", line


def _header(run: Run) -> dict[str, Any]:
    erased = RetentionRecord.objects.filter(run=run, kind=RetentionRecord.Kind.ERASE)
    return {
        "kind": "header",
        "format": FORMAT,
        "version": VERSION,
        "run": str(run.pk),
        "migration": run.definition,
        "migration_version": run.version,
        "run_kind": run.kind,
        "parent": run.parent_id,
        "state": run.state,
        "options": run.options,
        "key_ranges": run.key_ranges,
        "columns": run.columns,
        "fingerprint": run.fingerprint,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "seal": None if run.seal is None else bytes(run.seal).hex(),
        "erased": erased.exists(),
    }


def _copied(select: str) -> Iterator[str]:
    """The only column of a query, streamed."""
    with connection.cursor() as cursor, cursor.copy(f"COPY ({select}) TO STDOUT") as copy:
        for (line,) in copy.rows():
            yield line


def _values(columns: tuple[str, ...]) -> str:
    """SQL: an object with the text forms that a digest is made of."""
    pairs = ", ".join(f"'{name}', t.{name}::text" for name in columns)
    return f"json_build_object({pairs})"


_BATCH_LINES = {
    "batch": "SELECT json_build_object('kind', 'batch', 'step', t.step, 'number', t.number, "
    "'sweep', t.sweep, 'after_key', t.after_key, 'last_key', t.last_key, 'keys', t.keys, "
    "'undoes', t.undoes_id, 'state', t.state, 'size', t.size, 'counts', t.counts, "
    "'finished_at', t.finished_at, 'id', t.id, 'digest', encode(t.digest, 'hex'))::text "
    "FROM migrations_tools_batch t WHERE t.id",
    "ledger": f"SELECT json_build_object('kind', 'ledger', 'values', {_values(LEDGER_COLUMNS)}, "
    "'digest', encode(t.digest, 'hex'))::text "
    "FROM migrations_tools_ledgerentry t WHERE t.batch_id",
    "change": f"SELECT json_build_object('kind', 'change', 'id', t.id, "
    f"'values', {_values(CHANGE_COLUMNS)}, 'transaction_id', t.transaction_id::text, "
    "'digest', encode(t.digest, 'hex'))::text "
    "FROM migrations_tools_rowchange t WHERE t.batch_id",
}

_TRANSITIONS = (
    "SELECT json_build_object('kind', 'transition', 'action', t.action, 'from', t.from_state, "
    "'to', t.to_state, 'actor', t.actor_id, 'surface', t.surface, 'reason', t.reason, "
    "'details', t.details, 'at', t.at)::text FROM migrations_tools_transition t WHERE t.run_id"
)
