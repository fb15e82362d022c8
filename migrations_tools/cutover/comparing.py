"""Shadow reads: both sides are asked, the old one answers, differences are kept and counted."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from migrations_tools.models.cutover import Cutover, Mismatch

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Differences kept of each cutover; further ones are only counted.
MOST_MISMATCHES = 1_000
#: Comparisons that a process gathers, or seconds that it waits, before it tells the database.
FLUSH_COMPARISONS, FLUSH_SECONDS = 50, 1.0


@dataclass
class _Figures:
    compared: int = 0
    mismatched: int = 0
    legacy_ms: float = 0.0
    new_ms: float = 0.0
    since: float = 0.0


_figures: dict[str, _Figures] = {}
_lock = threading.Lock()


def compared(
    cutover: Cutover,
    operation: str,
    subject: str,
    legacy: Callable[[], T],
    new: Callable[[], T],
    clean: Callable[[T], Any],
) -> T:
    """The old side's answer. What the new side answers, or its error, is compared and stored."""
    started = time.perf_counter()
    answer = legacy()
    between = time.perf_counter()
    other: Any = None
    error = ""
    try:
        with _shielded():
            other = clean(new())
    except Exception as failure:  # noqa: BLE001 - whatever it is, nobody is to notice
        error = f"{type(failure).__name__}: {failure}"[:1_000]
    finished = time.perf_counter()
    expected = without(plain(clean(answer)), operation, cutover.ignored)
    found = without(plain(other), operation, cutover.ignored)
    differs = bool(error) or expected != found
    try:
        with _shielded():
            if differs:
                _keep(cutover, operation, subject, expected, found, error)
            _count(cutover.key, differs, 1_000 * (between - started), 1_000 * (finished - between))
    except DatabaseError as failure:
        log.warning("comparison not stored", cutover=cutover.key, error=str(failure))
    return answer


def _shielded() -> Any:
    """Within a transaction of the caller, a savepoint: an error must not spoil it."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()


def plain(value: Any) -> Any:
    """The value as JSON tells it."""
    return json.loads(json.dumps(value, cls=DjangoJSONEncoder, sort_keys=True))


def without(value: Any, operation: str, ignored: Iterable[Mapping[str, str]]) -> Any:
    """The value less the fields that may differ, at any depth."""
    fields = {rule["field"] for rule in ignored if rule.get("operation", "*") in ("*", operation)}
    return _less(value, fields) if fields else value


def _less(value: Any, fields: set[str]) -> Any:
    if isinstance(value, dict):
        return {name: _less(item, fields) for name, item in value.items() if name not in fields}
    if isinstance(value, list):
        return [_less(item, fields) for item in value]
    return value


def _keep(
    cutover: Cutover, operation: str, subject: str, expected: Any, found: Any, error: str
) -> None:
    text = json.dumps([subject, expected, found, error], sort_keys=True)
    digest = hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
    same = Mismatch.objects.filter(cutover=cutover, operation=operation, digest=digest)
    if same.update(times=F("times") + 1):
        return
    if Mismatch.objects.filter(cutover=cutover).count() >= MOST_MISMATCHES:
        return
    Mismatch.objects.bulk_create(
        [
            Mismatch(
                cutover=cutover,
                operation=operation,
                subject=subject,
                digest=digest,
                legacy=expected,
                new=found,
                error=error,
            )
        ],
        ignore_conflicts=True,
    )


def _count(key: str, differs: bool, legacy_ms: float, new_ms: float) -> None:
    now = time.monotonic()
    with _lock:
        figures = _figures.setdefault(key, _Figures(since=now))
        figures.compared += 1
        figures.mismatched += differs
        figures.legacy_ms += legacy_ms
        figures.new_ms += new_ms
        waiting = figures.compared < FLUSH_COMPARISONS and now - figures.since < FLUSH_SECONDS
    if not waiting:
        flush(key)


def flush(key: str) -> None:
    """Tell the database what this process compared, and step back where a budget is spent."""
    with _lock:
        figures = _figures.pop(key, None)
    if figures is None:
        return
    Cutover.objects.filter(key=key).update(
        compared=F("compared") + figures.compared,
        mismatched=F("mismatched") + figures.mismatched,
        legacy_ms=F("legacy_ms") + figures.legacy_ms,
        new_ms=F("new_ms") + figures.new_ms,
    )
    from migrations_tools.services.cutover import step_back_if_over_budget

    step_back_if_over_budget(key)
