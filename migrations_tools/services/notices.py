"""Telling people what became of runs, over the channels of the settings (SPEC §6).

Transitions are the source: what they tell of is put into the outbox once, in whatever process
comes by, and sent from there, again and again until the channel takes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import apprise
import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.clock import database_time
from migrations_tools.evidence_language import in_evidence_language
from migrations_tools.exceptions import UnknownDefinition
from migrations_tools.models import Batch, Notice, Run, Transition
from migrations_tools.selectors.summary import summarise
from migrations_tools.states import NoticeKind, Outcome, RunKind, RunState, Surface

log = structlog.get_logger(__name__)

#: Older transitions are news to nobody: they are not told once channels are configured.
FRESH: Final = timedelta(days=1)
#: A run at work that finished no batch for so long makes no progress.
STILL: Final = timedelta(minutes=10)
#: Share of quarantined keys above which a completed run is worth a notice of its own.
MOST_QUARANTINED: Final = 0.1
#: Attempts after which a notice is given up; the pauses between them double.
MOST_ATTEMPTS: Final = 8
FIRST_PAUSE: Final = timedelta(seconds=30)

_OF_STATE: Final = {
    RunState.NEEDS_ATTENTION: NoticeKind.FAILURE,
    RunState.PAUSING: NoticeKind.FAILURE,
    RunState.ROLLED_BACK: NoticeKind.ROLLBACK,
    RunState.PARTIALLY_ROLLED_BACK: NoticeKind.ROLLBACK,
}
_ALWAYS: Final = _OF_STATE.keys() - {RunState.PAUSING}  # people pause runs too
_AT_WORK: Final = (RunState.RUNNING, RunState.THROTTLED)

#: Kind, title and body of a notice.
Told = tuple[NoticeKind, str, str]


@in_evidence_language
def gather_notices() -> int:
    """Put what is new into the outbox; how many notices. Nothing without channels."""
    channels = [_name(url) for url in _urls()]
    if not channels:
        return 0
    found = [*_news(), *_still()]
    made = Notice.objects.bulk_create(
        [
            Notice(transition=about, kind=kind, channel=channel, title=title[:250], body=body)
            for about, (kind, title, body) in found
            for channel in channels
        ],
        ignore_conflicts=True,
    )
    return len(made)


def notices_wait() -> bool:
    """Whether a notice is to be sent now."""
    return _waiting().exists()


def send_notice() -> bool:
    """Send the oldest notice that waits; whether there was one.

    A notice that was taken by its channel but whose worker died then is sent again.
    """
    with transaction.atomic():
        notice = _waiting().select_for_update(skip_locked=True).order_by("not_before", "id").first()
        if notice is None:
            return False
        notice.attempts += 1
        if _deliver(notice):
            notice.sent_at = database_time()
        elif notice.attempts >= MOST_ATTEMPTS:
            notice.given_up = True
            log.error("notice given up", notice=notice.pk, title=notice.title)
        else:
            pause = FIRST_PAUSE * 2 ** (notice.attempts - 1)
            notice.not_before = database_time() + pause
            log.warning("notice not sent, trying again", notice=notice.pk, attempt=notice.attempts)
        notice.save()
    return True


def _waiting() -> QuerySet[Notice]:
    return Notice.objects.filter(sent_at=None, given_up=False, not_before__lte=Now())


def _deliver(notice: Notice) -> bool:
    url = next((url for url in _urls() if _name(url) == notice.channel), None)
    if url is None:  # taken out of the settings
        notice.attempts = MOST_ATTEMPTS
        return False
    sender = apprise.Apprise()
    return bool(sender.add(url) and sender.notify(title=notice.title, body=notice.body))


def _urls() -> list[str]:
    return list(getattr(settings, "CARRYOVER_NOTICE_URLS", ()))


def _name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


# ------------------------------------------------------------------------ what there is to tell


def _news() -> Iterator[tuple[Transition, Told]]:
    """Transitions of the last day that somebody should hear of and has not."""
    told = Notice.objects.filter(transition=OuterRef("pk")).exclude(kind=NoticeKind.NO_PROGRESS)
    completed = Q(to_state=RunState.COMPLETED, run__kind=RunKind.APPLY)
    by_itself = Q(to_state=RunState.PAUSING, surface=Surface.WORKER)
    fresh = Transition.objects.filter(
        completed | by_itself | Q(to_state__in=_ALWAYS) | Q(action="step_back"),
        ~Exists(told),
        at__gt=database_time() - FRESH,
    )
    for about in fresh.select_related("run").order_by("id"):
        for each in _told_of(about):
            yield about, each


def _told_of(about: Transition) -> Iterator[Told]:
    run = about.run
    if run is None:  # a cutover stepped back by itself
        name = about.details.get("cutover", "")
        title = f"The cutover {name} stepped back to {about.to_state}"
        yield NoticeKind.STEP_BACK, title, f"{about.reason}\ndatamigrate cutover {name}"
    elif about.to_state == RunState.COMPLETED:
        yield from _of_completed(run)
    else:
        what = f"{run.definition} {RunState(about.to_state).label}"
        body = f"{about.reason}\n{_where(run)}".strip()
        yield _OF_STATE[RunState(about.to_state)], what, body


def _of_completed(run: Run) -> Iterator[Told]:
    summary = summarise(run, problems=False)
    counts = {name: number for name, number in summary["outcomes"].items() if number}
    told = ", ".join(f"{number} {name}" for name, number in counts.items()) or "nothing to do"
    yield NoticeKind.COMPLETION, f"{run.definition} is completed", f"{told}\n{_where(run)}"
    quarantined, total = counts.get(Outcome.QUARANTINED, 0), summary["total"]
    if quarantined > MOST_QUARANTINED * total:
        title = f"{run.definition}: {quarantined} of {total} keys are quarantined"
        yield NoticeKind.QUARANTINE, title, f"datamigrate status {run.pk}"
    try:
        alerts = get_definition(run.definition).health().get("alerts", [])
    except UnknownDefinition:
        return
    if alerts:
        sentences = "\n".join(alert["message"] for alert in alerts)
        yield NoticeKind.ALERT, f"{run.definition}: look at this", f"{sentences}\n{_where(run)}"


def _still() -> Iterator[tuple[Transition, Told]]:
    """Runs at work that finish nothing; told once until their state changes."""
    newest = Batch.objects.filter(run=OuterRef("pk")).values("run")
    finished = newest.annotate(at=Max("finished_at")).values("at")
    at_work = Run.objects.filter(state__in=_AT_WORK).annotate(finished=finished)
    before = database_time() - STILL
    for run in at_work.filter(Q(finished__lt=before) | Q(finished=None)):
        about = Transition.objects.filter(run=run).exclude(to_state="").latest("id")
        if about.at < before:
            minutes = int(STILL.total_seconds() // 60)
            title = f"{run.definition} makes no progress"
            body = f"No batch was finished for {minutes} minutes. {run.state_reason}\n{_where(run)}"
            yield about, (NoticeKind.NO_PROGRESS, title, body)


def _where(run: Run) -> str:
    return f"datamigrate status {run.pk}"
