"""The slice: claim, carry over, finish – until the time is up or nothing is left.

Whoever works – a foreground command, a worker process, a task – runs slices of this function.
Nothing here decides what a run may do; the database does (states, leases, fencing).
"""

from __future__ import annotations

import functools
import gc
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog
from django.db import connection
from django.db.models import F

from migrations_tools.engine import budget, execute, undo
from migrations_tools.engine.claim import (
    Owner,
    claim_batch,
    expired_batches,
    give_back,
    terminate_expired,
)
from migrations_tools.engine.close import close_run, shared_changes
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.cutting import Idle
from migrations_tools.engine.errors import ErrorClass, classify, is_connection_loss, sentence_of
from migrations_tools.engine.failpoints import failpoint
from migrations_tools.engine.lease import Heartbeat
from migrations_tools.engine.limits import short_transaction
from migrations_tools.engine.seal import run_seal
from migrations_tools.engine.side import close_side_connection
from migrations_tools.engine.sizing import DEFAULT_TARGET_SECONDS, BatchSizer
from migrations_tools.engine.throttle import LOOK_SECONDS, Throttle
from migrations_tools.engine.transitions import change_state
from migrations_tools.exceptions import LeaseLost, TransitionRefused
from migrations_tools.models import Batch, Run
from migrations_tools.states import WORKING_STATES, BatchState, RunKind, RunState, Surface

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.2
BACKOFF_SECONDS, MOST_BACKOFF_SECONDS = 0.5, 30.0

Progress = Callable[[Run, int], None]
T = TypeVar("T")


@dataclass
class Worker:
    """One worker on one run.

    ``progress`` is told after each batch how many keys it had, and 0 while the run has to wait.
    """

    run: Run
    progress: Progress = lambda run, keys: None
    stopping: Callable[[], bool] = lambda: False
    owner: Owner = field(default_factory=Owner.here)

    def work(self, seconds: float | None = None) -> Run:
        """Work until the run stands still, ``seconds`` are over, or ``stopping`` says so."""
        deadline = None if seconds is None else time.monotonic() + seconds
        context = RunContext.of(self.run)
        sizer = BatchSizer()
        spare_the_collector()
        heartbeat = Heartbeat()
        throttle = Throttle()
        try:
            while not self.stopping() and (deadline is None or time.monotonic() < deadline):
                if self._patiently(lambda: self._must_wait(context, throttle)):
                    self.progress(context.run, 0)
                    time.sleep(LOOK_SECONDS)
                    continue
                self._tune(context.run, sizer)
                claimed = self._claim(context, sizer)
                if claimed is Idle.WAIT or claimed is None:
                    time.sleep(POLL_SECONDS)
                elif claimed is Idle.FINISHED:
                    closed = self._patiently(lambda: close_run(context))
                    if closed is not None:
                        return closed
                elif claimed is Idle.STOPPED:
                    stopped = self._patiently(lambda: settle_stopped(context.run))
                    if stopped is not None:
                        return stopped
                    time.sleep(POLL_SECONDS)
                elif isinstance(claimed, Batch):
                    failpoint("claimed")
                    with heartbeat.for_batch(claimed):
                        self._carry(context, claimed, sizer)
            context.run.refresh_from_db()
            return context.run
        finally:
            heartbeat.close()
            close_side_connection()

    def _must_wait(self, context: RunContext, throttle: Throttle) -> bool:
        """Whether to begin no batch now; a run that was asked to stop is not kept waiting."""
        if not throttle.must_wait(context.run):
            return False
        context.run.refresh_from_db()
        return context.run.state in WORKING_STATES

    def _tune(self, run: Run, sizer: BatchSizer) -> None:
        """New settings apply at the next claim."""
        sizer.fixed = run.tuning.get("batch_size")
        sizer.target_seconds = run.tuning.get("target_seconds") or DEFAULT_TARGET_SECONDS

    def _claim(self, context: RunContext, sizer: BatchSizer) -> Batch | Idle | None:
        """Claim, and look after the error budget; None: try again."""
        claimed = self._patiently(lambda: claim_batch(context, self.owner, sizer.next_size))
        fresh = isinstance(claimed, Batch) and claimed.sweep == 0 and claimed.attempts == 1
        if claimed is Idle.WAIT or fresh:
            self._patiently(lambda: budget.pause_if_exceeded(context))
        return claimed

    def _patiently(self, deed: Callable[[], T]) -> T | None:
        """Do a piece of bookkeeping; an error that passes by itself means: not now.

        One that does not stops the run for a person, or is raised where the run is being stopped.
        """
        try:
            return deed()
        except (LeaseLost, TransitionRefused):
            return None
        except Exception as error:
            if classify(error) is not ErrorClass.TRANSIENT:
                if self._stop_for_attention(sentence_of(error)):
                    return None
                raise
            if is_connection_loss(error):
                connection.close()
            log.warning("trying again", run=str(self.run.pk), error=sentence_of(error))
            time.sleep(POLL_SECONDS)
            return None

    def _carry(self, context: RunContext, batch: Batch, sizer: BatchSizer) -> None:
        started = time.monotonic()
        context.forget_shared()
        ensured = dict(context.ensured)
        try:
            if context.run.kind == RunKind.ROLLBACK and batch.undoes_id is not None:
                carried = execute.execute_batch(context, batch, undo.undo_batch)
            else:
                carried = execute.execute_batch(context, batch)
        except LeaseLost as error:
            context.ensured = ensured
            log.warning("lease lost", batch=batch.pk, error=str(error))
        except KeyboardInterrupt:
            give_back(batch, "interrupted", 0)
            raise
        except Exception as error:  # noqa: BLE001 - classified at once
            context.ensured = ensured
            self._failed(context, batch, sizer, error)
        else:
            seconds = time.monotonic() - started
            sizer.observe(len(carried.entries), seconds)
            self.progress(context.run, len(carried.entries))

    def _failed(
        self, context: RunContext, batch: Batch, sizer: BatchSizer, error: Exception
    ) -> None:
        """Back off and try again, or stop the run for a person."""
        if is_connection_loss(error):
            connection.close()
            close_side_connection()
        sentence = sentence_of(error)
        if classify(error) is ErrorClass.TRANSIENT:
            sizer.halve()
            delay = min(MOST_BACKOFF_SECONDS, BACKOFF_SECONDS * 2 ** min(batch.attempts, 6))
            give_back(batch, sentence, delay * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            log.warning("batch given back", batch=batch.pk, error=sentence)
            return
        give_back(batch, sentence, 0)
        self._stop_for_attention(sentence)

    def _stop_for_attention(self, sentence: str) -> bool:
        """Stop the run until a person has removed the cause; whether it could be stopped so."""
        log.error("run needs attention", run=str(self.run.pk), error=sentence)
        with short_transaction():
            run = Run.objects.select_for_update(no_key=True).get(pk=self.run.pk)
            if run.state not in {RunState.RUNNING, RunState.THROTTLED, RunState.PAUSING}:
                return False
            change_state(
                run,
                RunState.NEEDS_ATTENTION,
                action="stop",
                acting_user=run.actor,
                surface=Surface.WORKER,
                reason=sentence,
            )
        return True


@functools.cache  # once in a process: what is frozen is never collected
def spare_the_collector() -> None:
    """Let Python look for garbage cycles seldom: a batch makes many objects and no cycles.

    Measured on the guarantee migration: a fifth of the worker's processor time.
    """
    gc.freeze()
    gc.set_threshold(200_000, 50, 100)


def sealed(run: Run, to_state: str) -> dict[str, Any]:
    """A cancelled run is sealed as far as it came, so that its rollback can trust the journal."""
    if to_state != RunState.CANCELLED:
        return {}
    return {"seal": run_seal(run), "report": {**run.report, "shared": shared_changes(run)}}


def settle_stopped(run: Run) -> Run | None:
    """Where a run was asked to stop: stopped now, if no batch is in hand; None: wait.

    Batches whose owner is dead (the lease ran out) are nobody's and are given back.
    """
    terminate_expired(run)
    with short_transaction():
        run = Run.objects.select_for_update(no_key=True).get(pk=run.pk)
        target: dict[str, Any] = {
            RunState.PAUSING: (RunState.PAUSED, "pause"),
            RunState.CANCELLING: (RunState.CANCELLED, "cancel"),
        }
        if run.state not in target:
            return run
        if Batch.objects.filter(run=run, state=BatchState.RUNNING).exists():
            expired = expired_batches(run)
            if not expired.exists():
                return None
            expired.update(
                state=BatchState.OPEN, owner="", lease_until=None, losses=F("losses") + 1
            )
            if Batch.objects.filter(run=run, state=BatchState.RUNNING).exists():
                return None
        to_state, action = target[run.state]
        return change_state(
            run,
            to_state,
            action=action,
            acting_user=run.actor,
            surface=Surface.WORKER,
            reason=run.state_reason,
            **sealed(run, to_state),
        )
