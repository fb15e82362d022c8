"""Progress of a run on standard error: a bar with rate and ETA on a terminal, else plain lines."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from django.db.models import Sum
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from migrations_tools.models import Batch, Run
from migrations_tools.selectors.summary import counted_steps
from migrations_tools.states import BatchState, RunState

REFRESH_SECONDS = 0.5
LINE_SECONDS = 5.0


class RunProgress:
    """Shows keys done of keys selected, over all workers of the run."""

    def __init__(self, title: str, total: int | None = None) -> None:
        self.title, self.total = title, total
        self.started = time.monotonic()
        self._shown = 0.0
        self._done = 0
        self._waiting = ""
        self._terminal = sys.stderr.isatty()
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.0f}/s"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            disable=not self._terminal,
            transient=True,
        )
        self._task = self._bar.add_task(title, total=total, rate=0.0)

    def __enter__(self) -> RunProgress:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, t: TracebackType | None
    ) -> None:
        self._bar.stop()

    def add(self, keys: int) -> None:
        """For rehearsals, which know only their own keys."""
        self._done += keys
        self._show(self._done)

    def of_run(self, run: Run, keys: int) -> None:
        """After a batch: what all workers have done. While the run waits: why."""
        self._tell_waiting(run)
        if self._waiting or time.monotonic() - self._shown < REFRESH_SECONDS:
            return
        done = Batch.objects.filter(run=run, state=BatchState.DONE)
        counted = counted_steps(run)
        if counted is not None:
            done = done.filter(step__in=counted)
        known = [int(frozen.get("selected", 0)) for frozen in run.key_ranges.values()]
        self.total = max(self.total or 0, sum(known)) or None
        self._show(done.aggregate(n=Sum("size"))["n"] or 0)

    def _tell_waiting(self, run: Run) -> None:
        """The reason for which a throttled run waits, and that it goes on; each once."""
        waiting = run.state_reason if run.state == RunState.THROTTLED else ""
        if waiting == self._waiting:
            return
        self._waiting = waiting
        told = f"{self.title} waits: {waiting}" if waiting else f"{self.title} goes on"
        if self._terminal:
            self._bar.update(self._task, description=told if waiting else self.title)
        else:
            sys.stderr.write(f"{told}\n")

    def _show(self, done: int) -> None:
        now = time.monotonic()
        rate = done / max(now - self.started, 0.001)
        if self._terminal:
            self._bar.update(self._task, completed=done, total=self.total, rate=rate)
        elif now - self._shown < LINE_SECONDS:
            return
        else:
            of = f" of {self.total}" if self.total else ""
            left = f", {max(0, self.total - done) / rate:.0f} s left" if self.total and rate else ""
            sys.stderr.write(f"{self.title}: {done}{of} keys, {rate:.0f}/s{left}\n")
        self._shown = now
