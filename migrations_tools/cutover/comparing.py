"""Shadow reads: both sides are asked, the old one answers, differences are kept and counted."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

import structlog
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Now

from migrations_tools.cutover.moving import step_back_if_over_budget
from migrations_tools.models.cutover import Cutover, Mismatch
from migrations_tools.text import storable_text

log = structlog.get_logger(__name__)

T = TypeVar("T")

#: Differences kept of each cutover; further ones are only counted.
MOST_MISMATCHES = 1_000
#: Comparisons that a process gathers, or seconds that it waits, before it tells the database.
FLUSH_COMPARISONS, FLUSH_SECONDS = 50, 1.0


@dataclass
class _Figures:
    """What this process compared in a stage that began at ``stage_since``, since ``began``."""

    stage_since: datetime | None
    began: float
    compared: int = 0
    mismatched: int = 0
    legacy_ms: float = 0.0
    new_ms: float = 0.0


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
    """The old side's answer. What the new side answers, or its error, is compared and stored.

    Nothing that goes wrong with the new side, with comparing or with storing reaches the caller.
    """
    started = time.perf_counter()
    answer = legacy()
    between = time.perf_counter()
    found: Any = None
    error = ""
    try:
        with _shielded():
            found = new()
    except Exception as failure:  # noqa: BLE001 - whatever it is, nobody is to notice
        error = f"{type(failure).__name__}: {failure}"[:1_000]
    finished = time.perf_counter()
    try:
        with _shielded():
            expected = without(plain(clean(answer)), operation, cutover.ignored)
            other = None if error else without(plain(clean(found)), operation, cutover.ignored)
            counts = (bool(error) or expected != other) and _keep(
                cutover, operation, subject, expected, other, error
            )
            _count(cutover, counts, 1_000 * (between - started), 1_000 * (finished - between))
    except Exception as failure:  # noqa: BLE001 - likewise
        log.warning("comparison not stored", cutover=cutover.key, error=str(failure))
    return answer


def _shielded() -> AbstractContextManager[Any]:
    """Within a transaction of the caller, a savepoint: an error must not spoil it."""
    return transaction.atomic() if connection.in_atomic_block else nullcontext()


def plain(value: Any) -> Any:
    """The value as JSON tells it, in signs that the database can hold."""
    return _storable(json.loads(json.dumps(value, cls=DjangoJSONEncoder, sort_keys=True)))


def _storable(value: Any) -> Any:
    if isinstance(value, dict):
        return {storable_text(name): _storable(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_storable(item) for item in value]
    return storable_text(value) if isinstance(value, str) else value


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
) -> bool:
    """Store a difference, once; whether it counts: one that somebody explained does not."""
    subject, error = storable_text(subject), storable_text(error)
    text = json.dumps([subject, expected, found, error], sort_keys=True)
    digest = hashlib.sha256(text.encode()).hexdigest()
    same = Mismatch.objects.filter(cutover=cutover, operation=operation, digest=digest)
    if same.update(times=F("times") + 1, last_seen=Now()):
        return same.filter(explained_by=None).exists()
    if Mismatch.objects.filter(cutover=cutover).count() < MOST_MISMATCHES:
        mismatch = Mismatch(
            cutover=cutover,
            operation=operation,
            subject=subject,
            digest=digest,
            legacy=expected,
            new=found,
            error=error,
        )
        Mismatch.objects.bulk_create([mismatch], ignore_conflicts=True)
    return True


def _count(cutover: Cutover, differs: bool, legacy_ms: float, new_ms: float) -> None:
    now = time.monotonic()
    with _lock:
        figures = _figures.get(cutover.key)
        if figures is None or figures.stage_since != cutover.since:
            figures = _figures[cutover.key] = _Figures(stage_since=cutover.since, began=now)
        figures.compared += 1
        figures.mismatched += differs
        figures.legacy_ms += legacy_ms
        figures.new_ms += new_ms
        waiting = figures.compared < FLUSH_COMPARISONS and now - figures.began < FLUSH_SECONDS
    if not waiting:
        flush(cutover.key)


def flush(key: str) -> None:
    """Tell the database what this process compared, and step back where a budget is spent.

    Comparisons of a stage that is over count no more.
    """
    with _lock:
        figures = _figures.pop(key, None)
    if figures is None:
        return
    counted = Cutover.objects.filter(key=key, since=figures.stage_since).update(
        compared=F("compared") + figures.compared,
        mismatched=F("mismatched") + figures.mismatched,
        legacy_ms=F("legacy_ms") + figures.legacy_ms,
        new_ms=F("new_ms") + figures.new_ms,
    )
    if counted:
        step_back_if_over_budget(key)
