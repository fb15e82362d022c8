"""The buttons of a run: which state and which right allow each, and what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django import forms
from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as lazy

from migrations_tools.admin.deeds import allowing, sentences
from migrations_tools.admin.deeds.forms import ForceForm, ResumeForm, RetryForm, StartForm
from migrations_tools.admin.pages import NeededReasonForm, ReasonForm
from migrations_tools.models import Run
from migrations_tools.services import policies, requests, retention, runs, verification
from migrations_tools.states import ACTIVE_STATES, WRITING_KINDS, RunKind, RunState

Words = str | Promise
Who = Mapping[str, Any]


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


#: Every button, in the order of the page.
DEEDS: Final[tuple[Deed, ...]] = (
    Deed(
        "start",
        lazy("Run it"),
        "run",
        lambda run: run.kind == RunKind.PLAN and run.state == RunState.COMPLETED,
        sentences.forecast,
        _start,
        lazy("A worker starts it."),
        StartForm,
    ),
    Deed(
        "approve",
        lazy("Approve"),
        "approve",
        lambda run: run.state == RunState.AWAITING_APPROVAL,
        sentences.forecast_of_plan,
        lambda run, values, who: policies.approve_run(run, reason=values["reason"], **who),
        lazy("Approved; it starts as soon as a worker is free."),
    ),
    Deed(
        "pause",
        lazy("Pause"),
        "run",
        lambda run: allowing.is_writing(run, RunState.QUEUED, RunState.RUNNING, RunState.THROTTLED),
        sentences.standing(lazy("The batches in hand are finished, then the run stands still.")),
        lambda run, values, who: runs.pause_run(run, reason=values["reason"], **who),
        lazy("It pauses within one batch."),
    ),
    Deed(
        "resume",
        lazy("Resume"),
        "run",
        lambda run: allowing.is_writing(run, RunState.PAUSED, RunState.NEEDS_ATTENTION),
        sentences.standing(lazy("The run goes on with the others.")),
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
        allowing.can_retry,
        sentences.retried,
        _retry,
        lazy("The keys are driven again."),
        RetryForm,
    ),
    Deed(
        "verify",
        lazy("Verify"),
        "run",
        allowing.can_verify,
        sentences.verified,
        lambda run, values, who: verification.request_verification(run, **who),
        lazy("A worker verifies it."),
        forms.Form,
    ),
    Deed(
        "try-rollback",
        lazy("Try the rollback"),
        "rollback",
        allowing.can_try_rollback,
        sentences.taken_back,
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
        allowing.can_roll_back,
        sentences.taken_back,
        lambda run, values, who: requests.request_rollback(run, reason=values["reason"], **who),
        lazy("A worker rolls it back."),
        NeededReasonForm,
        danger=True,
    ),
    Deed(
        "force",
        lazy("Take conflicts back too"),
        "rollback",
        allowing.can_force,
        sentences.forced_back,
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
        lambda run: run.state in allowing.CANCELLABLE,
        sentences.standing(lazy("The run ends for good; what is left is for another one.")),
        lambda run, values, who: runs.cancel_run(run, reason=values["reason"], **who),
        lazy("It ends within one batch."),
        danger=True,
    ),
    Deed(
        "purge",
        lazy("Purge the journal"),
        "purge",
        allowing.can_purge,
        sentences.purged,
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
