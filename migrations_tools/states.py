"""States of runs and batches, kinds, outcomes, and the one table of allowed transitions."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _


class RunKind(models.TextChoices):
    PLAN = "plan", _("plan")  # forecast; writes nothing but its own record
    DRY_RUN = "dry_run", _("dry run")  # the real thing, rolled back
    APPLY = "apply", _("apply")
    ROLLBACK = "rollback", _("rollback")


class RunState(models.TextChoices):
    PLANNED = "planned", _("planned")
    AWAITING_APPROVAL = "awaiting_approval", _("awaiting approval")
    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    THROTTLED = "throttled", _("throttled")
    PAUSING = "pausing", _("pausing")
    PAUSED = "paused", _("paused")
    CANCELLING = "cancelling", _("cancelling")
    CANCELLED = "cancelled", _("cancelled")
    NEEDS_ATTENTION = "needs_attention", _("needs attention")
    COMPLETED = "completed", _("completed")
    ROLLED_BACK = "rolled_back", _("rolled back")
    PARTIALLY_ROLLED_BACK = "partially_rolled_back", _("partially rolled back")


#: What a state means, what happens next, what can be done. One sentence each (SPEC §2.4).
STATE_SENTENCES: dict[str, str] = {
    RunState.PLANNED: "Asked for; a worker takes it up, or tells why it cannot be done.",
    RunState.AWAITING_APPROVAL: "Waits for a second person; it starts when approved.",
    RunState.QUEUED: "Waits for a worker; it starts as soon as one is free.",
    RunState.RUNNING: "Batches are being worked on; it can be paused or cancelled.",
    RunState.THROTTLED: "Slowed down to spare the database; it goes on by itself.",
    RunState.PAUSING: "Finishes the batches in hand, then pauses.",
    RunState.PAUSED: "Stands still with everything done so far kept; resume or cancel it.",
    RunState.CANCELLING: "Finishes the batches in hand, then stops for good.",
    RunState.CANCELLED: "Stopped for good; what it wrote stays until it is rolled back.",
    RunState.NEEDS_ATTENTION: "Stopped by an error a person must remove; then resume it.",
    RunState.COMPLETED: "All keys have an outcome; verify it, retry problems, or roll it back.",
    RunState.ROLLED_BACK: "Everything it wrote was taken back.",
    RunState.PARTIALLY_ROLLED_BACK: "Taken back but for listed conflicts; "
    "roll back with force to take those back too.",
}

#: Plans, dry runs and rollbacks end in words of their own.
COMPLETED_SENTENCES: dict[str, str] = {
    RunKind.PLAN: "The forecast is made and nothing was kept; run it, or let it be.",
    RunKind.DRY_RUN: "Everything was tried and nothing was kept; do it for real, or let it be.",
    RunKind.ROLLBACK: "What could be taken back was; verify it, or take the rest back by force.",
}


def state_sentence(kind: str, state: str) -> str:
    """What the state of a run of this kind means, and what can be done; in the page's language."""
    if state == RunState.COMPLETED and kind in COMPLETED_SENTENCES:
        return gettext(COMPLETED_SENTENCES[kind])
    return gettext(STATE_SENTENCES[state])


#: States in which a run may still write. One such run per definition and per written table.
ACTIVE_STATES: frozenset[str] = frozenset(
    {
        RunState.QUEUED,
        RunState.RUNNING,
        RunState.THROTTLED,
        RunState.PAUSING,
        RunState.PAUSED,
        RunState.CANCELLING,
        RunState.NEEDS_ATTENTION,
    }
)

#: Kinds of runs that workers claim batches of; the others only keep a record.
WRITING_KINDS: frozenset[str] = frozenset({RunKind.APPLY, RunKind.ROLLBACK})

#: States in which a worker has something to do, if only to let go.
RUNNABLE_STATES: frozenset[str] = frozenset(
    {
        RunState.QUEUED,
        RunState.RUNNING,
        RunState.THROTTLED,
        RunState.PAUSING,
        RunState.CANCELLING,
    }
)

#: States in which workers claim batches.
WORKING_STATES: frozenset[str] = frozenset({RunState.RUNNING, RunState.THROTTLED})

#: Every allowed change of a run's state. Nothing else changes one.
RUN_TRANSITIONS: dict[str, frozenset[str]] = {
    RunState.PLANNED: frozenset(
        {
            RunState.AWAITING_APPROVAL,  # a policy asks for a second person
            RunState.QUEUED,  # nothing stands in the way
            RunState.CANCELLED,  # thought better of, or refused by the worker that took it up
        }
    ),
    RunState.AWAITING_APPROVAL: frozenset(
        {
            RunState.QUEUED,  # approved
            RunState.CANCELLED,  # refused
        }
    ),
    RunState.QUEUED: frozenset(
        {
            RunState.RUNNING,  # a worker took the first batch
            RunState.PAUSED,  # paused before any batch: nothing to finish
            RunState.CANCELLED,  # cancelled before any batch
            RunState.NEEDS_ATTENTION,  # drift found before the first batch
        }
    ),
    RunState.RUNNING: frozenset(
        {
            RunState.THROTTLED,  # a health signal asks for less
            RunState.PAUSING,  # a person, Ctrl-C or the error budget
            RunState.CANCELLING,  # a person
            RunState.NEEDS_ATTENTION,  # a systemic error
            RunState.COMPLETED,  # every key has an outcome
        }
    ),
    RunState.THROTTLED: frozenset(
        {
            RunState.RUNNING,  # the signal is well again
            RunState.PAUSING,
            RunState.CANCELLING,
            RunState.NEEDS_ATTENTION,
        }
    ),
    RunState.PAUSING: frozenset(
        {
            RunState.PAUSED,  # no batch in hand any more
            RunState.CANCELLING,  # a person, while waiting
            RunState.NEEDS_ATTENTION,  # the batch in hand met a systemic error
            RunState.COMPLETED,  # the batch in hand was the last one
        }
    ),
    RunState.PAUSED: frozenset(
        {
            RunState.RUNNING,  # resumed
            RunState.CANCELLED,  # nothing in hand
        }
    ),
    RunState.CANCELLING: frozenset(
        {
            RunState.CANCELLED,  # no batch in hand any more
            RunState.COMPLETED,  # the batch in hand was the last one
        }
    ),
    RunState.NEEDS_ATTENTION: frozenset(
        {
            RunState.RUNNING,  # resumed after the cause was removed
            RunState.CANCELLING,  # another worker still has a batch in hand
            RunState.CANCELLED,
        }
    ),
    RunState.COMPLETED: frozenset(
        {
            RunState.RUNNING,  # quarantined keys are driven again
            RunState.ROLLED_BACK,  # by its rollback
            RunState.PARTIALLY_ROLLED_BACK,
        }
    ),
    RunState.CANCELLED: frozenset(
        {
            RunState.ROLLED_BACK,  # what it wrote before it was cancelled
            RunState.PARTIALLY_ROLLED_BACK,
        }
    ),
    RunState.PARTIALLY_ROLLED_BACK: frozenset(
        {
            RunState.ROLLED_BACK,  # the conflicts were taken back with force
            RunState.PARTIALLY_ROLLED_BACK,  # some of them were
        }
    ),
    RunState.ROLLED_BACK: frozenset(),
}


class BatchState(models.TextChoices):
    OPEN = "open", _("open")  # cut, and waits for a worker (also after a transient error)
    RUNNING = "running", _("running")  # owned under a lease
    DONE = "done", _("done")


class Outcome(models.TextChoices):
    APPLIED = "applied", _("applied")
    UNCHANGED = "unchanged", _("unchanged")  # looked at; nothing to write
    SKIPPED = "skipped", _("skipped")  # decided not to carry over
    REVIEW = "review", _("review")  # a person decides
    CONFLICT = "conflict", _("conflict")  # another value stands there and stays
    GONE = "gone", _("gone")  # deleted meanwhile
    QUARANTINED = "quarantined", _("quarantined")  # could not be carried over; others went on
    RESTORED = "restored", _("restored")  # rollbacks: taken back


#: Outcomes after which a key is not selected again while its content stays the same.
DECIDED_OUTCOMES: frozenset[str] = frozenset(
    {Outcome.APPLIED, Outcome.UNCHANGED, Outcome.SKIPPED, Outcome.REVIEW}
)


class Operation(models.TextChoices):
    INSERT = "insert", _("insert")
    UPDATE = "update", _("update")
    DELETE = "delete", _("delete")
    USE = "use", _("use")  # refers to a shared object that another batch or run made


class VerificationState(models.TextChoices):
    NONE = "none", _("not verified")
    WAITING = "waiting", _("waits to be verified")
    PASSED = "passed", _("passed")
    FAILED = "failed", _("failed")


class NoticeKind(models.TextChoices):
    """What people are told of without asking."""

    COMPLETION = "completion", _("completion")
    FAILURE = "failure", _("needs attention")
    NO_PROGRESS = "no_progress", _("no progress")
    QUARANTINE = "quarantine", _("many quarantined keys")
    ALERT = "alert", _("alert of a data migration")
    ROLLBACK = "rollback", _("rollback")
    STEP_BACK = "step_back", _("a cutover stepped back")


class Surface(models.TextChoices):
    """Where a person, or nobody, acted."""

    COMMAND = "command", _("command line")
    ADMIN = "admin", _("admin")
    API = "api", _("API")
    WORKER = "worker", _("worker")
    MIGRATE = "migrate", _("schema migration")


class ReviewDecision(models.TextChoices):
    OPEN = "open", _("open")
    ACCEPTED = "accepted", _("accepted")
    CHOSEN = "chosen", _("another target chosen")
    PARKED = "parked", _("parked")
    SKIPPED = "skipped", _("skipped")
