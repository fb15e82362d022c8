"""Celery tasks: they carry ids, do one slice, and ring again while there is more."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import DatabaseError, close_old_connections

from migrations_tools.doorbell import WORK_SLICE, ring_seat, ring_seats
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import Run
from migrations_tools.services.rehearsal import end_abandoned_rehearsals
from migrations_tools.services.slices import work_in_seat

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


@shared_task(name="migrations_tools.sweep")
def sweep() -> None:
    """Ring for every runnable run, every ten seconds: whatever was lost goes on."""
    end_abandoned_rehearsals()
    for run in Run.objects.all().runnable():
        ring_seats(run)
