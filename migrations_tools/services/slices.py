"""Slices of work on whatever is runnable, for Celery tasks and ``manage.py worker`` alike."""

from __future__ import annotations

from collections.abc import Callable

from migrations_tools.doorbell import seats_of
from migrations_tools.engine.advisory import advisory_lock
from migrations_tools.evidence_language import in_evidence_language
from migrations_tools.models import Run
from migrations_tools.services.runs import work_run

#: Seconds after which a slice ends between two batches; the run goes on with the next slice.
SLICE_SECONDS = 30.0


@in_evidence_language
def work_slice(run: Run, *, stopping: Callable[[], bool] = lambda: False) -> bool:
    """Work on ``run`` for one slice; whether it has more to do."""
    work_run(run, seconds=SLICE_SECONDS, stopping=stopping)
    return Run.objects.all().runnable().filter(pk=run.pk).exists()


@in_evidence_language
def work_in_seat(run_id: str, seat: int, *, stopping: Callable[[], bool] = lambda: False) -> bool:
    """One slice in one of the run's seats; whether the seat's holder should go on.

    However often a message is delivered, one worker sits in a seat: the others leave at once.
    """
    run = Run.objects.all().runnable().filter(pk=run_id).first()
    if run is None or seat > seats_of(run):
        return False
    with advisory_lock(f"carryover seat {run_id} {seat}") as taken:  # it only saves idle work
        return taken and work_slice(run, stopping=stopping)
