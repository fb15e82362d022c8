"""The heartbeat: renews a lease on a connection of its own, outside the data transaction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db import DatabaseError, connection

from migrations_tools.engine.claim import renew_lease
from migrations_tools.engine.limits import lease_seconds
from migrations_tools.models import Batch

log = structlog.get_logger(__name__)


class Heartbeat:
    """One thread per worker; it beats for the batch in hand, three times per lease."""

    def __init__(self) -> None:
        self._batch: Batch | None = None
        self._wake = threading.Event()
        self._closing = False
        self._thread: threading.Thread | None = None

    @contextmanager
    def for_batch(self, batch: Batch) -> Iterator[None]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)
            self._thread.start()
        self._batch = batch
        try:
            yield
        finally:
            self._batch = None

    def close(self) -> None:
        self._closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)

    def _beat(self) -> None:
        try:
            while not self._closing:
                self._wake.wait(lease_seconds() / 3)
                batch = self._batch
                if batch is None or self._closing:
                    continue
                try:
                    renew_lease(batch)
                except DatabaseError as error:
                    log.warning("lease not renewed", batch=batch.pk, error=str(error))
                    connection.close()
        finally:
            connection.close()
