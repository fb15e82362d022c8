"""The lines of a backup, and the digests recomputed from them without a database."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

FORMAT = "carryover-journal"
VERSION = 1

#: Columns that an entry's digest is over, in that order; see engine.sql.
LEDGER_COLUMNS = (
    "step", "key", "attempt", "outcome", "code", "detail", "category", "confidence", "warnings",
    "source_digest",
)  # fmt: skip
CHANGE_COLUMNS = ("step", "key", "model", "pk_text", "operation", "before", "after", "image")

#: Columns that an erasure sets to null; the digest stays.
PERSONAL = {"ledger": ("detail", "warnings"), "change": ("before", "after")}

_NEEDS_QUOTES = re.compile(r'[",()\\ \t\n\r\v\f]')


def entry_digest(values: Mapping[str, str | None], columns: Iterable[str]) -> str:
    """The digest of an entry, in hex. ``values`` are the database's own text forms."""
    return hashlib.sha256(record_text([values[name] for name in columns]).encode()).hexdigest()


def record_text(values: Iterable[str | None]) -> str:
    """``ROW(…)::text`` as PostgreSQL writes it."""
    return f"({','.join(map(_field, values))})"


def _field(value: str | None) -> str:
    if value is None:
        return ""
    if value and not _NEEDS_QUOTES.search(value):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '""')
    return f'"{escaped}"'


def batch_digest(digests: Iterable[str]) -> str:
    """The digest of a batch over those of its entries, whatever their order."""
    return hashlib.sha256(b"".join(sorted(map(bytes.fromhex, digests)))).hexdigest()


def seal_link(seal: bytes, batch: Mapping[str, Any]) -> bytes:
    """The seal after one more batch; see engine.seal."""
    link = f"{batch['step']}.{batch['number']}".encode() + bytes.fromhex(batch["digest"] or "")
    return hashlib.sha256(seal + link).digest()
