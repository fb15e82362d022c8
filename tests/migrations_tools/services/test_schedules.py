"""What happens by the clock: scheduled by people, carried out once, refused in words."""

from __future__ import annotations

import json
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from migrations_tools import tasks
from migrations_tools.exceptions import CarryoverError, PermissionRefused
from migrations_tools.models import RetentionRecord, Run, Transition
from migrations_tools.services.schedules import DEEDS, carry_out_due, schedule, unschedule
from migrations_tools.states import RunKind, VerificationState
from tests.migrations_tools.people import person
from tests.migrations_tools.verification.shop import actor, carry, roll_back, stage

NAME = "carry_orders"


def due(name: str) -> PeriodicTask:
    """The schedule, due since yesterday."""
    PeriodicTask.objects.filter(name=name).update(last_run_at=timezone.now() - timedelta(days=1))
    return PeriodicTask.objects.get(name=name)


@pytest.mark.django_db
def test_a_schedule_is_made_replaced_and_removed():
    schedule("run", NAME, at="0 2 * * *", **actor())
    made = schedule("run", NAME, at="30 3 * * 5", **actor())
    assert PeriodicTask.objects.filter(name=f"run {NAME}").count() == 1
    assert (made.task, json.loads(made.args)) == ("migrations_tools.scheduled_run", [NAME])
    assert (made.crontab.hour, str(made.crontab.timezone)) == ("3", "Asia/Riyadh")
    unschedule("run", NAME, **actor())
    assert not PeriodicTask.objects.filter(name=f"run {NAME}").exists()
    told = Transition.objects.filter(action__in=["schedule", "unschedule"]).order_by("id")
    assert [(each.action, each.details["schedule"]) for each in told] == [
        ("schedule", f"run {NAME}"),
        ("schedule", f"run {NAME}"),
        ("unschedule", f"run {NAME}"),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("deed", "name", "at", "code"),
    [
        ("dance", None, "0 2 * * *", "schedule_refused"),
        ("run", None, "0 2 * * *", "schedule_refused"),
        ("purge", NAME, "0 2 * * *", "schedule_refused"),
        ("run", "nothing_known", "0 2 * * *", "unknown_migration"),
        ("run", NAME, "at night", "schedule_refused"),
        ("run", NAME, "0 25 * * *", "schedule_refused"),
        ("run", NAME, "\0 2 * * *", "schedule_refused"),
    ],
)
def test_what_cannot_be_scheduled_is_refused(deed, name, at, code):
    with pytest.raises(CarryoverError) as refused:
        schedule(deed, name, at=at, **actor())
    assert refused.value.code == code
    assert not PeriodicTask.objects.filter(task__startswith="migrations_tools.scheduled").exists()


@pytest.mark.django_db
def test_who_may_not_run_or_purge_does_not_schedule_it():
    runner: dict[str, Any] = {"acting_user": person("runner", "run"), "surface": "command"}
    schedule("run", NAME, at="0 2 * * *", **runner)
    with pytest.raises(PermissionRefused):
        schedule("purge", None, at="0 2 * * *", **runner)
    with pytest.raises(PermissionRefused):
        unschedule("run", NAME, acting_user=person("nobody"), surface="command")


def test_celery_knows_the_tasks():
    for deed in DEEDS.values():
        assert deed.task in current_app.tasks


@pytest.mark.django_db(transaction=True)
def test_a_delta_run_is_queued_once_when_it_is_due():
    stage(2)
    schedule("run", NAME, at="* * * * *", **actor())
    carry_out_due()
    assert not Run.objects.exists()  # not yet: it was scheduled a moment ago

    due(f"run {NAME}")
    carry_out_due()
    carry_out_due()
    (run,) = Run.objects.filter(kind=RunKind.APPLY)
    assert (run.state, run.reason, run.actor.username) == ("queued", "by schedule", "system")
    assert PeriodicTask.objects.get(name=f"run {NAME}").total_run_count == 1

    due(f"run {NAME}")  # the first one is still active: refused, and the worker goes on
    carry_out_due()
    assert Run.objects.filter(kind=RunKind.APPLY).count() == 1


@pytest.mark.django_db(transaction=True)
def test_where_a_broker_is_beat_does_it(settings):
    settings.CELERY_BROKER_URL = "redis://localhost:1/0"
    stage(1)
    schedule("run", NAME, at="* * * * *", **actor())
    due(f"run {NAME}")
    carry_out_due()
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_the_newest_run_is_verified_and_old_journals_are_purged(settings):
    stage(2)
    run = carry()
    tasks.scheduled_verification(NAME)
    run.refresh_from_db()
    assert run.verification_state == VerificationState.WAITING

    roll_back(run)
    tasks.scheduled_purge()
    assert not RetentionRecord.objects.exists()  # kept for its time
    settings.CARRYOVER_JOURNAL_RETENTION_DAYS = 0
    tasks.scheduled_purge()
    assert RetentionRecord.objects.filter(run=run, reason="by schedule").exists()


def answer(*arguments: str) -> str:
    out = StringIO()
    call_command("schedule", *arguments, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_schedules_and_lists():
    assert answer() == "Nothing is scheduled.\n"
    assert answer("purge", "--at", "0 5 * * 0") == "purge: 0 5 * * 0 (Asia/Riyadh)\n"
    (found,) = json.loads(answer("--json"))["schedules"]
    assert found == {
        "name": "purge",
        "at": "0 5 * * 0 (Asia/Riyadh)",
        "enabled": True,
        "last_run_at": None,
    }
    answer("verify", "all", "--at", "0 4 * * *")
    names = [each["name"] for each in json.loads(answer("--json"))["schedules"]]
    assert {"purge", "verify split_imported_records"} < set(names)
    with pytest.raises(SystemExit):
        answer("purge")
    assert "purge:" not in answer("purge", "--remove")
