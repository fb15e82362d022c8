"""Celery tasks: they carry ids, do one slice, and ring again while there is more."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import DatabaseError, close_old_connections

from migrations_tools.doorbell import (
    SEND_NOTICES,
    WORK_ON_IMPORT,
    WORK_ON_REQUEST,
    WORK_ON_VERIFICATION,
    WORK_SLICE,
    ring_for_imports,
    ring_for_notices,
    ring_for_requests,
    ring_for_verifications,
    ring_seat,
    ring_seats,
)
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run
from migrations_tools.services.notices import gather_notices, notices_wait, send_notice
from migrations_tools.services.queued_imports import drop_expired_uploads, imports_wait
from migrations_tools.services.queued_imports import work_on_import as carry_out_import
from migrations_tools.services.rehearsal import end_abandoned_rehearsals
from migrations_tools.services.requests import requests_wait
from migrations_tools.services.requests import work_on_request as take_up_request
from migrations_tools.services.schedules import carry_out
from migrations_tools.services.slices import work_in_seat
from migrations_tools.services.verification import verifications_wait, verify_waiting

log = structlog.get_logger(__name__)


@shared_task(name=WORK_SLICE)
def work_slice(run_id: str, seat: int = 1) -> None:
    """One slice of a run. Doubled, late and lost messages do no harm."""
    try:
        more = work_in_seat(run_id, seat)
    except (DatabaseError, CarryoverError) as error:  # the sweep rings again
        log.warning("slice failed", run=run_id, error=str(error))
        close_old_connections()
        return
    if more:
        ring_seat(run_id, seat)


@shared_task(name=WORK_ON_IMPORT)
def work_on_import() -> None:
    """One queued import; rings again while there are more."""
    try:
        done = carry_out_import()
    except (DatabaseError, CarryoverError) as error:  # the sweep rings again
        log.warning("import failed", error=str(error))
        close_old_connections()
        return
    if done is not None:
        ring_for_imports()


@shared_task(name=WORK_ON_REQUEST)
def work_on_request() -> None:
    """Take up one run that was asked for; rings again while there are more."""
    try:
        done = take_up_request()
    except (DatabaseError, CarryoverError) as error:  # the sweep rings again
        log.warning("request failed", error=str(error))
        close_old_connections()
        return
    if done is not None:
        ring_for_requests()


@shared_task(name=WORK_ON_VERIFICATION)
def work_on_verification() -> None:
    """Verify one run that waits for it; rings again while there are more."""
    try:
        done = verify_waiting()
    except (DatabaseError, CarryoverError) as error:  # the sweep rings again
        log.warning("verification failed", error=str(error))
        close_old_connections()
        return
    if done is not None:
        ring_for_verifications()


@shared_task(name=SEND_NOTICES)
def send_notices() -> None:
    """Everything that waits in the outbox."""
    while send_notice():
        pass


@shared_task(name="migrations_tools.sweep")
def sweep() -> None:
    """Ring for all that waits, every ten seconds: what was lost goes on."""
    end_abandoned_rehearsals()
    drop_expired_uploads()
    if gather_notices() or notices_wait():
        ring_for_notices()
    if imports_wait():
        ring_for_imports()
    if requests_wait():
        ring_for_requests()
    if verifications_wait():
        ring_for_verifications()
    for run in Run.objects.all().runnable():
        ring_seats(run)


@shared_task(name="migrations_tools.scheduled_run")
def scheduled_run(definition: str) -> None:
    """A delta run, by the clock (`services.schedules`)."""
    carry_out("migrations_tools.scheduled_run", definition)


@shared_task(name="migrations_tools.scheduled_verification")
def scheduled_verification(definition: str) -> None:
    """The newest run's verification is queued."""
    carry_out("migrations_tools.scheduled_verification", definition)


@shared_task(name="migrations_tools.scheduled_purge")
def scheduled_purge() -> None:
    """Journals whose time is over go."""
    carry_out("migrations_tools.scheduled_purge")
