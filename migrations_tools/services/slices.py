"""Slices of work on whatever is runnable, for Celery tasks and ``manage.py worker`` alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, connection

from migrations_tools.doorbell import seats_of
from migrations_tools.models import Run
from migrations_tools.services.runs import work_run

#: Seconds after which a slice ends between two batches; the run goes on with the next slice.
SLICE_SECONDS = 30.0


def work_slice(run: Run, *, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Work on ``run`` for one slice; whether it has more to do."""
    work_run(run, seconds=SLICE_SECONDS, stopping=stopping)
    return Run.objects.all().runnable().filter(pk=run.pk).exists()


def work_in_seat(run_id: str, seat: int, *, stopping: Callable[[], bool] = lambda: False) -> bool:
    """One slice in one of the run's seats; whether the seat's holder should go on.

    However often a message is delivered, one worker sits in a seat: the others leave at once.
    """
    run = Run.objects.all().runnable().filter(pk=run_id).first()
    if run is None or seat > seats_of(run):
        return False
    with _seat(run_id, seat) as taken:
        return taken and work_slice(run, stopping=stopping)


@contextmanager
def _seat(run_id: str, seat: int) -> Iterator[bool]:
    """An advisory lock of this session, gone with its connection; it only saves idle work."""
    name = [f"carryover seat {run_id} {seat}"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", name)
        taken = bool(cursor.fetchone()[0])
    try:
        yield taken
    finally:
        if taken:
            try:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", name)
            except DatabaseError:
                connection.close()  # the lock goes with it
