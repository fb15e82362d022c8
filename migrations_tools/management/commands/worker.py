"""``manage.py worker``: work on whatever is runnable, without a broker (SPEC §2.3)."""

from __future__ import annotations

import time
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError, close_old_connections

from migrations_tools.exceptions import CarryoverError
from migrations_tools.management.interruption import Interruption
from migrations_tools.models import Run
from migrations_tools.services.notices import gather_notices, send_notice
from migrations_tools.services.queued_imports import drop_expired_uploads, work_on_import
from migrations_tools.services.rehearsal import end_abandoned_rehearsals
from migrations_tools.services.requests import work_on_request
from migrations_tools.services.schedules import carry_out_due
from migrations_tools.services.slices import work_slice
from migrations_tools.services.verification import verify_waiting

log = structlog.get_logger(__name__)

POLL_SECONDS = 1.0


class Command(BaseCommand):
    help = "Work on imports, data migrations and verifications, until stopped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="End when nothing is runnable.")

    def handle(self, *args: Any, **options: Any) -> None:
        with Interruption() as interruption:
            while not interruption.asked:
                if self._sweep(interruption):
                    continue
                if options["once"]:
                    return
                time.sleep(POLL_SECONDS)

    def _sweep(self, interruption: Interruption) -> bool:
        """An import, a request, a verification, a notice, what is scheduled, then one slice of
        each runnable run, oldest first; whether there was one of them.
        """
        close_old_connections()
        try:
            found_one = work_on_import() is not None
            found_one |= work_on_request() is not None
            found_one |= verify_waiting() is not None
            gather_notices()
            found_one |= send_notice()
            carry_out_due()
            end_abandoned_rehearsals()
            drop_expired_uploads()
            found = list(Run.objects.all().runnable())
        except (DatabaseError, CarryoverError) as error:
            log.warning("sweep failed, trying again", error=str(error))
            close_old_connections()
            return False
        worked = [self._slice(run, interruption) for run in found if not interruption.asked]
        return found_one or any(worked)

    def _slice(self, run: Run, interruption: Interruption) -> bool:
        """Work on the run for a while; a run that cannot be worked on does not stop the others."""
        try:
            work_slice(run, stopping=lambda: interruption.asked)
        except (DatabaseError, CarryoverError) as error:
            log.warning("slice failed, trying again", run=str(run.pk), error=str(error))
            close_old_connections()
            return False
        except Exception:  # a mistake in one definition; the other runs go on
            log.exception("slice failed, trying again", run=str(run.pk))
            close_old_connections()
            return False
        return True
