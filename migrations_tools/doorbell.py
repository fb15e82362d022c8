"""Ringing for workers. The database is the queue: a message carries ids only, may be lost, doubled
or late, and costs time at most. Without a broker nothing rings; ``manage.py worker`` polls.
"""

from __future__ import annotations

import structlog
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from migrations_tools.models import Run

log = structlog.get_logger(__name__)

#: The task that does one slice (`migrations_tools.tasks`), by name: a sender needs no task code.
WORK_SLICE = "migrations_tools.work_slice"

#: The task that carries out one queued import, by name.
WORK_ON_IMPORT = "migrations_tools.work_on_import"

#: The task that takes up one run that somebody left to the workers, by name.
WORK_ON_REQUEST = "migrations_tools.work_on_request"

#: The task that verifies one run that waits for it, by name.
WORK_ON_VERIFICATION = "migrations_tools.work_on_verification"

#: The task that sends what waits in the outbox, by name.
SEND_NOTICES = "migrations_tools.send_notices"


def seats_of(run: Run) -> int:
    """How many workers the run asked for (``--workers``)."""
    return int(run.tuning.get("workers") or 1)


def ring(run: Run) -> None:
    """Call workers to ``run`` as soon as the transaction is committed."""
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(lambda: ring_seats(run))


def ring_seats(run: Run) -> None:
    """Send one message for each seat at once."""
    for seat in range(1, seats_of(run) + 1):
        ring_seat(str(run.pk), seat)


def ring_seat(run_id: str, seat: int) -> None:
    """Send one message at once."""
    _send(WORK_SLICE, run_id, seat)


def ring_for_imports() -> None:
    """Call a worker to the queued imports as soon as the transaction is committed."""
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(lambda: _send(WORK_ON_IMPORT))


def ring_for_requests() -> None:
    """Call a worker to the runs that were asked for, once the transaction is committed."""
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(lambda: _send(WORK_ON_REQUEST))


def ring_for_verifications() -> None:
    """Call a worker to the runs that wait to be verified, once the transaction is committed."""
    if settings.CELERY_BROKER_URL:
        transaction.on_commit(lambda: _send(WORK_ON_VERIFICATION))


def ring_for_notices() -> None:
    """Call a worker to the outbox at once."""
    _send(SEND_NOTICES)


def _send(task: str, *arguments: object) -> None:
    """A broker that is away is no error: the sweep rings again."""
    try:
        current_app.send_task(task, args=list(arguments), retry=False)
    except OperationalError as error:
        log.warning("nobody called", task=task, arguments=arguments, error=str(error))
