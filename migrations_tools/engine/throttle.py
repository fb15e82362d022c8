"""Whether a worker may begin a batch now: the global stop, run windows, the database's health.

Asked at most once a second by each worker. A run that has to wait is ``throttled``, with the reason
shown; it goes on by itself.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from datetime import time as clock_time

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_noop

from migrations_tools.engine.clock import database_time
from migrations_tools.engine.limits import short_transaction
from migrations_tools.engine.signals import read_signals, strain, watched
from migrations_tools.engine.transitions import change_state
from migrations_tools.models import Governor, Run
from migrations_tools.states import RunState, Surface

#: Seconds between two looks.
LOOK_SECONDS = 1.0


@dataclass
class Throttle:
    """The looks of one worker at one run. ``watching`` are the signals readable at its start."""

    watching: list[str] | None = None
    _reason: str = ""
    _looked: float = field(default=-LOOK_SECONDS)

    def must_wait(self, run: Run) -> bool:
        """Look, and keep the run's state in step with what was seen."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._reason = self._look()
            self._tell(run)
        return bool(self._reason)

    def _look(self) -> str:
        orders = standing_orders()
        if orders:
            return orders
        signals = read_signals()
        if self.watching is None:
            self.watching = watched(signals)
        return strain(signals, self.watching)

    def _tell(self, run: Run) -> None:
        """RUNNING ⇄ THROTTLED; other states are for others to change."""
        wanted = RunState.THROTTLED if self._reason else RunState.RUNNING
        if run.state == wanted and (not self._reason or run.state_reason == self._reason):
            return
        with short_transaction():
            locked = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
            if locked.state == RunState.THROTTLED == wanted:
                Run.objects.filter(pk=locked.pk).update(state_reason=self._reason)
            elif {locked.state, wanted} == {RunState.RUNNING, RunState.THROTTLED}:
                change_state(
                    locked,
                    wanted,
                    action="throttle" if self._reason else "go_on",
                    acting_user=locked.actor,
                    surface=Surface.WORKER,
                    reason=self._reason,
                )
        run.refresh_from_db()


def standing_orders() -> str:
    """Why no run may work at all now, stop or window, in words; empty where they may."""
    governor = Governor.objects.filter(stopped=True).first()
    if governor is not None:
        return gettext_noop("all runs are stopped: %(reason)s") % {"reason": governor.reason}
    if windows() and not in_window(timezone.localtime(database_time())):
        return gettext_noop("runs work in their windows only: %(windows_in_words)s") % {
            "windows_in_words": windows_in_words()
        }
    return ""


def windows() -> list[tuple[clock_time, clock_time]]:
    """Local times of day between which runs may work; none: always (CARRYOVER_RUN_WINDOWS)."""
    found = []
    for text in getattr(settings, "CARRYOVER_RUN_WINDOWS", ()):
        start, _, end = text.partition("-")
        found.append((clock_time.fromisoformat(start), clock_time.fromisoformat(end)))
    return found


def in_window(now: datetime) -> bool:
    """Whether runs may work at this local time; a window may go over midnight."""
    times = windows()
    at = now.time()
    return not times or any(
        start <= at < end if start <= end else (at >= start or at < end) for start, end in times
    )


def windows_in_words() -> str:
    return ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in windows())
