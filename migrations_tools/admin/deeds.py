"""What can be done with a run: which state and which right allow it, and what will happen."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from migrations_tools.admin.pages import NeededReasonForm, ReasonForm
from migrations_tools.models import RetentionRecord, Run
from migrations_tools.selectors.progress import progress_of
from migrations_tools.selectors.summary import counts_of
from migrations_tools.services import policies, requests, retention, runs, verification
from migrations_tools.services.retry import quarantined_keys
from migrations_tools.states import (
    ACTIVE_STATES,
    WRITING_KINDS,
    Outcome,
    RunKind,
    RunState,
    VerificationState,
)

Words = str | Promise
Who = Mapping[str, Any]


class StartForm(ReasonForm):
    workers = forms.IntegerField(
        label=lazy("Workers"), required=False, min_value=1, max_value=64, initial=1
    )
    accept_drift = forms.CharField(
        label=lazy("Accept drift because"),
        required=False,
        max_length=500,
        help_text=lazy("Only where code, options or data changed since the plan was made."),
    )


class ResumeForm(ReasonForm):
    accept_drift = forms.CharField(
        label=lazy("Accept drift because"),
        required=False,
        max_length=500,
        help_text=lazy("Only where code, options or schema changed since the run began."),
    )


class RetryForm(forms.Form):
    key = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)
    code = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)


class ForceForm(NeededReasonForm):
    """For taking back what people changed meanwhile."""

    sure = forms.BooleanField(
        label=lazy("Take back what people changed since, too"),
        help_text=lazy("What they entered is written to a file of the server first."),
    )
    key = forms.CharField(required=False, max_length=2_000, widget=forms.HiddenInput)


class TuneForm(forms.Form):
    """Live settings: workers read them with the next batch."""

    batch_size = forms.IntegerField(
        label=lazy("Rows of a batch"), required=False, min_value=1, max_value=runs.MOST_TUNED
    )
    target_seconds = forms.FloatField(
        label=lazy("Seconds of a batch"), required=False, min_value=0.01, max_value=600
    )
    workers = forms.IntegerField(label=lazy("Workers"), required=False, min_value=1, max_value=64)


@dataclass(frozen=True)
class Deed:
    """A button of the run page. ``do`` answers the run to show next; None: nothing was to do."""

    name: str
    label: Words
    permission: str
    allowed: Callable[[Run], bool]
    sentence: Callable[[Run], str]
    do: Callable[[Run, Mapping[str, Any], Who], Run | None]
    done: Words
    form: type[forms.Form] = ReasonForm
    danger: bool = False
    warning: Words = ""


# ------------------------------------------------------------------------------- what will happen


def _forecast(run: Run) -> str:
    report = run.report
    outcomes = report.get("outcomes", {})
    return _(
        "%(total)s keys will be looked at. By the plan %(applied)s are carried over, %(review)s "
        "are left to a person and %(aside)s are set aside."
    ) % {
        "total": f"{report.get('total', 0):,}",
        "applied": f"{outcomes.get(Outcome.APPLIED, 0):,}",
        "review": f"{outcomes.get(Outcome.REVIEW, 0):,}",
        "aside": f"{outcomes.get(Outcome.QUARANTINED, 0) + outcomes.get(Outcome.CONFLICT, 0):,}",
    }


def _forecast_of_plan(run: Run) -> str:
    return _forecast(run.plan) if run.plan is not None else ""


def _standing(then: Words) -> Callable[[Run], str]:
    def sentence(run: Run) -> str:
        progress = progress_of(run)
        return _("%(done)s of %(total)s keys are done, and stay as they are. %(then)s") % {
            "done": f"{progress.done:,}",
            "total": f"{progress.total or 0:,}",
            "then": then,
        }

    return sentence


def _retried(run: Run) -> str:
    return _("%(n)s keys are quarantined. They are driven again; the others stay as they are.") % {
        "n": f"{len(quarantined_keys(run)):,}"
    }


def _verified(run: Run) -> str:
    counts = counts_of(run)
    return _("A worker compares every row that was written – of %(n)s keys – with the journal.") % {
        "n": f"{sum(counts['outcomes'].values()):,}"
    }


def _taken_back(run: Run) -> str:
    counts = counts_of(run)
    rows = {
        name: sum(operations[name] for operations in counts["changes"].values())
        for name in ("insert", "update", "delete")
    }
    return _(
        "Of %(keys)s keys are taken back: %(insert)s inserted rows are deleted, %(update)s updates "
        "undone, %(delete)s deleted rows put back. What people changed since stays, and is listed "
        "as a conflict."
    ) % {
        "keys": f"{counts['outcomes'][Outcome.APPLIED]:,}",
        **{name: f"{number:,}" for name, number in rows.items()},
    }


def _forced_back(run: Run) -> str:
    rollback = run.children.filter(kind=RunKind.ROLLBACK).order_by("-created_at").first()
    conflicts = 0 if rollback is None else counts_of(rollback)["outcomes"][Outcome.CONFLICT]
    return _(
        "%(n)s keys stayed because people changed them. They are taken back too: what people "
        "entered is lost, but for the file it is written to."
    ) % {"n": f"{conflicts:,}"}


def _purged(run: Run) -> str:
    return _(
        "Journal and ledger of this run are deleted: %(keys)s keys. It can no longer be rolled "
        "back or verified; its record stays."
    ) % {"keys": f"{sum(counts_of(run)['outcomes'].values()):,}"}


# ----------------------------------------------------------------------------------- what is done


def _start(run: Run, values: Mapping[str, Any], who: Who) -> Run | None:
    return requests.request_run(
        run.definition,
        RunKind.APPLY,
        planned=run,
        tuning={"workers": values.get("workers")} if values.get("workers") else None,
        accept_drift=values.get("accept_drift", ""),
        reason=values["reason"],
        **who,
    )


def _retry(run: Run, values: Mapping[str, Any], who: Who) -> Run | None:
    keys = [values["key"]] if values.get("key") else []
    return runs.retry_run(run, keys, code=values.get("code", ""), **who)


def _force(run: Run, values: Mapping[str, Any], who: Who) -> Run | None:
    keys = [values["key"]] if values.get("key") else []
    return requests.request_rollback(run, reason=values["reason"], force=True, keys=keys, **who)


def _purge(run: Run, values: Mapping[str, Any], who: Who) -> Run:
    retention.purge_while_waiting(run, reason=values["reason"], **who)
    return run


# ------------------------------------------------------------------------------- what allows it


def _is_writing(run: Run, *states: str) -> bool:
    return run.kind in WRITING_KINDS and run.state in states


def _can_retry(run: Run) -> bool:
    completed = run.kind == RunKind.APPLY and run.state == RunState.COMPLETED
    if not completed or run.reviewed_id is not None:
        return False
    return bool(counts_of(run)["outcomes"][Outcome.QUARANTINED])


def _is_purged(run: Run) -> bool:
    return run.retention_records.filter(kind=RetentionRecord.Kind.PURGE).exists()


def _can_verify(run: Run) -> bool:
    ended = run.started_at is not None and run.state not in ACTIVE_STATES | {RunState.PLANNED}
    waits = run.verification_state == VerificationState.WAITING
    return run.kind in WRITING_KINDS and ended and not waits and not _is_purged(run)


def _can_roll_back(run: Run) -> bool:
    begun = ACTIVE_STATES | {RunState.COMPLETED, RunState.CANCELLED}
    if run.kind != RunKind.APPLY or run.state not in begun or run.started_at is None:
        return False
    return not _is_purged(run)


def _can_try_rollback(run: Run) -> bool:
    return _can_roll_back(run) and run.state not in ACTIVE_STATES


def _can_force(run: Run) -> bool:
    partly = run.kind == RunKind.APPLY and run.state == RunState.PARTIALLY_ROLLED_BACK
    return partly and not _is_purged(run)


def _can_purge(run: Run) -> bool:
    ended = {
        RunState.COMPLETED,
        RunState.CANCELLED,
        RunState.ROLLED_BACK,
        RunState.PARTIALLY_ROLLED_BACK,
    }
    return run.started_at is not None and run.state in ended and not _is_purged(run)


_CANCELLABLE = ACTIVE_STATES - {RunState.CANCELLING} | {
    RunState.PLANNED,
    RunState.AWAITING_APPROVAL,
}

#: Every button, in the order of the page.
DEEDS: Final[tuple[Deed, ...]] = (
    Deed(
        "start",
        lazy("Run it"),
        "run",
        lambda run: run.kind == RunKind.PLAN and run.state == RunState.COMPLETED,
        _forecast,
        _start,
        lazy("A worker starts it."),
        StartForm,
    ),
    Deed(
        "approve",
        lazy("Approve"),
        "approve",
        lambda run: run.state == RunState.AWAITING_APPROVAL,
        _forecast_of_plan,
        lambda run, values, who: policies.approve_run(run, reason=values["reason"], **who),
        lazy("Approved; it starts as soon as a worker is free."),
    ),
    Deed(
        "pause",
        lazy("Pause"),
        "run",
        lambda run: _is_writing(run, RunState.QUEUED, RunState.RUNNING, RunState.THROTTLED),
        _standing(lazy("The batches in hand are finished, then the run stands still.")),
        lambda run, values, who: runs.pause_run(run, reason=values["reason"], **who),
        lazy("It pauses within one batch."),
    ),
    Deed(
        "resume",
        lazy("Resume"),
        "run",
        lambda run: _is_writing(run, RunState.PAUSED, RunState.NEEDS_ATTENTION),
        _standing(lazy("The run goes on with the others.")),
        lambda run, values, who: runs.resume_run(
            run, reason=values["reason"], accept_drift=values["accept_drift"], **who
        ),
        lazy("It goes on."),
        ResumeForm,
    ),
    Deed(
        "retry",
        lazy("Retry quarantined keys"),
        "run",
        _can_retry,
        _retried,
        _retry,
        lazy("The keys are driven again."),
        RetryForm,
    ),
    Deed(
        "verify",
        lazy("Verify"),
        "run",
        _can_verify,
        _verified,
        lambda run, values, who: verification.request_verification(run, **who),
        lazy("A worker verifies it."),
        forms.Form,
    ),
    Deed(
        "try-rollback",
        lazy("Try the rollback"),
        "rollback",
        _can_try_rollback,
        _taken_back,
        lambda run, values, who: requests.request_rollback(
            run, dry_run=True, reason=values["reason"], **who
        ),
        lazy("A worker tries it; nothing of it is kept."),
        warning=lazy("This only tries: everything is counted, and nothing is written."),
    ),
    Deed(
        "rollback",
        lazy("Roll back"),
        "rollback",
        _can_roll_back,
        _taken_back,
        lambda run, values, who: requests.request_rollback(run, reason=values["reason"], **who),
        lazy("A worker rolls it back."),
        NeededReasonForm,
        danger=True,
    ),
    Deed(
        "force",
        lazy("Take conflicts back too"),
        "rollback",
        _can_force,
        _forced_back,
        _force,
        lazy("A worker takes the conflicts back."),
        ForceForm,
        danger=True,
        warning=lazy("This overwrites what people entered since."),
    ),
    Deed(
        "cancel",
        lazy("Cancel the run"),
        "run",
        lambda run: run.state in _CANCELLABLE,
        _standing(lazy("The run ends for good; what is left is for another one.")),
        lambda run, values, who: runs.cancel_run(run, reason=values["reason"], **who),
        lazy("It ends within one batch."),
        danger=True,
    ),
    Deed(
        "purge",
        lazy("Purge the journal"),
        "purge",
        _can_purge,
        _purged,
        _purge,
        lazy("Journal and ledger are deleted."),
        NeededReasonForm,
        danger=True,
        warning=lazy("This cannot be undone."),
    ),
)


def deeds_of(run: Run, user: User) -> list[Deed]:
    """The buttons that the state of the run and the rights of the person allow."""
    rights = {
        permission
        for permission in {deed.permission for deed in DEEDS}
        if user.has_perm(f"migrations_tools.{permission}")
    }
    return [deed for deed in DEEDS if deed.permission in rights and deed.allowed(run)]


def deed_called(name: str) -> Deed | None:
    return next((deed for deed in DEEDS if deed.name == name), None)


def can_be_tuned(run: Run) -> bool:
    """Whether workers will read the settings of the run again."""
    return run.kind in WRITING_KINDS and run.state in ACTIVE_STATES
