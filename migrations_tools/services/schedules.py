"""What happens by the clock: delta runs, verifications, purges (SPEC §6).

Schedules are rows of django-celery-beat, so they change without a restart. Celery beat carries them
out; where there is no broker, ``manage.py worker`` does. Whatever a service refuses – a run is
active, nothing is purgeable – is logged, and tried again next time.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from migrations_tools.definitions.registry import get_definition
from migrations_tools.engine.transitions import record_action
from migrations_tools.exceptions import CarryoverError
from migrations_tools.services.actors import require, system_user
from migrations_tools.services.retention import purge_run, purgeable_runs
from migrations_tools.services.runs import start_run
from migrations_tools.services.verification import request_verification, standing_runs
from migrations_tools.states import Surface

log = structlog.get_logger(__name__)

_FIELDS: Final = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_REASON: Final = "by schedule"

#: Looks at a locked schedule, and raises where it is not what somebody means to change.
Expected = Callable[[PeriodicTask], None]


class ScheduleRefused(CarryoverError):
    """A time that is none, or a schedule that is not there."""

    code = "schedule_refused"
    http_status = 422


class UnknownSchedule(CarryoverError):
    """No schedule of that number."""

    code = "unknown_schedule"
    http_status = 404


@dataclass(frozen=True, slots=True)
class Deed:
    """What can be scheduled. ``task`` is the name of its Celery task."""

    name: str
    task: str
    permission: str
    needs_definition: bool
    carry_out: Callable[..., None]


def run_delta(definition: str) -> None:
    """Carry over what is new or changed since the last run; nothing to do is no error."""
    start_run(definition, acting_user=system_user(), surface=Surface.WORKER, reason=_REASON)


def verify_newest(definition: str) -> None:
    """Have the newest run that stands verified, and with it all data of its definition."""
    runs = standing_runs(get_definition(definition))
    if runs:
        request_verification(runs[-1], acting_user=system_user(), surface=Surface.WORKER)


def purge_old() -> None:
    """Delete the journals of runs whose retention time is over and that nobody needs."""
    for run in purgeable_runs():
        purge_run(run, reason=_REASON, acting_user=system_user(), surface=Surface.WORKER)


DEEDS: Final = {
    deed.name: deed
    for deed in (
        Deed("run", "migrations_tools.scheduled_run", "run", True, run_delta),
        Deed("verify", "migrations_tools.scheduled_verification", "run", True, verify_newest),
        Deed("purge", "migrations_tools.scheduled_purge", "purge", False, purge_old),
    )
}


def schedule(
    deed: str, definition: str | None, *, at: str, acting_user: User, surface: str
) -> PeriodicTask:
    """Have a deed done at the times of a crontab line, such as ``0 2 * * *``, in ``TIME_ZONE``.

    A schedule for the same deed and definition is replaced. Raises ScheduleRefused,
    UnknownDefinition or PermissionRefused.
    """
    found = _deed(deed, definition)
    require(acting_user, found.permission, surface=surface)
    with transaction.atomic():
        times = _times(at)
        task, _ = PeriodicTask.objects.update_or_create(
            name=_name(found, definition),
            defaults={
                "task": found.task,
                "crontab": times,
                "args": json.dumps([definition] if definition else []),
                "enabled": True,
                "description": "Made by Carryover.",
            },
        )
        _record("schedule", task, acting_user, surface, at=at)
    return task


def reschedule(
    number: int, *, at: str, acting_user: User, surface: str, expected: Expected = lambda task: None
) -> PeriodicTask:
    """Have it done at other times. ``expected`` looks at the locked schedule, and raises where that
    is not what the person means to change. Raises UnknownSchedule, and as `schedule`.
    """
    found, definition = deed_of(get_schedule(number))
    require(acting_user, found.permission, surface=surface)
    with transaction.atomic():
        expected(_held(number))
        return schedule(found.name, definition, at=at, acting_user=acting_user, surface=surface)


def unschedule(deed: str, definition: str | None, *, acting_user: User, surface: str) -> None:
    """Do it by the clock no longer. Raises as `schedule`."""
    found = _deed(deed, definition)
    require(acting_user, found.permission, surface=surface)
    task = PeriodicTask.objects.filter(name=_name(found, definition), task=found.task).first()
    if task is None:
        raise ScheduleRefused(
            gettext("“%(name)s” is not scheduled.") % {"name": _name(found, definition)}
        )
    remove_schedule(task.pk, acting_user=acting_user, surface=surface)


def remove_schedule(
    number: int, *, acting_user: User, surface: str, expected: Expected = lambda task: None
) -> None:
    """The same by its number. ``expected`` as of `reschedule`. Raises UnknownSchedule."""
    found, _definition = deed_of(get_schedule(number))
    require(acting_user, found.permission, surface=surface)
    with transaction.atomic():
        task = _held(number)
        expected(task)
        _record("unschedule", task, acting_user, surface)
        task.delete()


def get_schedule(number: int) -> PeriodicTask:
    """Raises UnknownSchedule, for what is no schedule of ours too."""
    found = next((task for task in schedules() if task.pk == number), None)
    if found is None:
        raise UnknownSchedule(gettext("There is no schedule %(number)s.") % {"number": number})
    return found


def deed_of(task: PeriodicTask) -> tuple[Deed, str | None]:
    """What a schedule does, and to which data migration."""
    deed = next(deed for deed in DEEDS.values() if deed.task == task.task)
    arguments = json.loads(task.args)
    return deed, arguments[0] if arguments else None


def schedule_told(task: PeriodicTask) -> dict[str, Any]:
    """A schedule as JSON; ``at`` is its crontab line, in the time zone that follows it."""
    deed, definition = deed_of(task)
    times = task.crontab
    return {
        "id": task.pk,
        "name": task.name,
        "deed": deed.name,
        "migration": definition,
        "at": "" if times is None else " ".join(getattr(times, name) for name in _FIELDS),
        "time_zone": "" if times is None else str(times.timezone),
        "enabled": task.enabled,
        "last_run_at": task.last_run_at,
    }


def _held(number: int) -> PeriodicTask:
    """The schedule as it is now, its row locked until the transaction ends."""
    rows = PeriodicTask.objects.select_related("crontab").select_for_update(of=("self",))
    task = rows.filter(pk=number).first()
    if task is None:
        raise UnknownSchedule(gettext("There is no schedule %(number)s.") % {"number": number})
    return task


def schedules() -> list[PeriodicTask]:
    """What is scheduled, by name; one query."""
    tasks = [deed.task for deed in DEEDS.values()]
    found = PeriodicTask.objects.filter(task__in=tasks).select_related("crontab")
    return list(found.order_by("name"))


def carry_out(task: str, *arguments: Any) -> None:
    """Do what ``task`` names. A refusal is logged: the next time comes."""
    deed = next(deed for deed in DEEDS.values() if deed.task == task)
    try:
        deed.carry_out(*arguments)
    except CarryoverError as refusal:
        log.warning("not done by schedule", deed=deed.name, code=refusal.code, why=refusal.message)


def carry_out_due() -> None:
    """Do what is due, where no Celery beat does. Of several workers one does it."""
    if settings.CELERY_BROKER_URL:
        return
    for task in schedules():
        if not task.enabled or task.crontab is None:
            continue
        before = task.last_run_at
        is_due, _ = task.schedule.is_due(before or task.date_changed)
        if is_due and _is_mine(task, before):
            carry_out(task.task, *json.loads(task.args))


def _is_mine(task: PeriodicTask, before: Any) -> bool:
    """Whether no other worker has taken this time."""
    mine = PeriodicTask.objects.filter(pk=task.pk, last_run_at=before)
    taken: int = mine.update(last_run_at=timezone.now(), total_run_count=F("total_run_count") + 1)
    return taken == 1


def _deed(name: str, definition: str | None) -> Deed:
    deed = DEEDS.get(name)
    if deed is None:
        raise ScheduleRefused(
            gettext("“%(name)s” cannot be scheduled; %(deeds)s can.")
            % {"name": name, "deeds": ", ".join(DEEDS)}
        )
    if deed.needs_definition and definition is None:
        raise ScheduleRefused(gettext("Say which data migration to %(name)s.") % {"name": name})
    if not deed.needs_definition and definition is not None:
        raise ScheduleRefused(gettext("To %(name)s takes no data migration.") % {"name": name})
    if definition is not None:
        get_definition(definition)
    return deed


def _times(at: str) -> CrontabSchedule:
    parts = at.split()
    if len(parts) != len(_FIELDS):
        raise ScheduleRefused(
            gettext(
                "“%(at)s” is no time: write minute, hour, day of the month, month and "
                "day of the week, such as “0 2 * * *” for two o'clock every night."
            )
            % {"at": at}
        )
    values: dict[str, Any] = dict(zip(_FIELDS, parts, strict=True))
    values["timezone"] = settings.TIME_ZONE
    try:
        CrontabSchedule(**values).full_clean()
    except ValidationError as error:
        raise ScheduleRefused(
            gettext("“%(at)s” is no time: %(messages)s")
            % {"at": at, "messages": " ".join(error.messages)}
        ) from error
    known: CrontabSchedule | None = CrontabSchedule.objects.filter(**values).first()
    return known or CrontabSchedule.objects.create(**values)


def _name(deed: Deed, definition: str | None) -> str:
    return f"{deed.name} {definition}" if definition else deed.name


def _record(
    action: str, task: PeriodicTask, acting_user: User, surface: str, **details: str
) -> None:
    record_action(
        None,
        action=action,
        acting_user=acting_user,
        surface=surface,
        details={"schedule": task.name, **details},
    )
