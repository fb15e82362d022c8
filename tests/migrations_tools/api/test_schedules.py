"""What is done by the clock."""

from __future__ import annotations

import pytest
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from migrations_tools.models import Transition
from tests.migrations_tools.api.requests import Caller, operator, problem
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db

NEW = {"deed": "run", "migration": "carry_orders", "at": "0 2 * * *"}


def test_schedules_are_made_listed_changed_and_removed():
    caller = operator("view_run")
    answer = caller.post("schedules/", NEW, key="k")
    assert answer.status_code == 201
    task = PeriodicTask.objects.get(name="run carry_orders")
    path = f"schedules/{task.pk}/"
    assert answer["Location"].endswith(f"/api/v1/{path}")
    assert answer.json() == {
        "id": task.pk, "name": "run carry_orders", **NEW, "time_zone": "Asia/Riyadh",
        "enabled": True, "last_run_at": None,
    }  # fmt: skip
    assert caller.post("schedules/", NEW, key="k").json() == answer.json()
    seen = caller.get(path)
    assert (seen.json(), seen["ETag"]) == (answer.json(), answer["ETag"])
    changed = caller.patch(path, {"at": "30 3 * * 5"}, **{"If-Match": seen["ETag"]})
    assert (changed.status_code, changed.json()["at"]) == (200, "30 3 * * 5")
    stale = caller.patch(path, {"at": "0 0 * * *"}, **{"If-Match": seen["ETag"]})
    assert problem(stale) == (412, "precondition_failed")
    replaced = caller.post("schedules/", {**NEW, "at": "0 4 * * *"})
    assert (replaced.json()["id"], replaced.json()["at"]) == (task.pk, "0 4 * * *")
    caller.post("schedules/", {"deed": "purge", "at": "0 5 * * 0"})
    listed = caller.get("schedules/").json()
    assert [found["name"] for found in listed["results"]] == ["purge", "run carry_orders"]
    assert problem(caller.client.delete(f"/api/v1/{path}", headers={"If-Match": '"x"'})) == (
        412, "precondition_failed",
    )  # fmt: skip
    assert caller.client.delete(f"/api/v1/{path}").status_code == 204
    assert problem(caller.get(path)) == (404, "unknown_schedule")
    assert problem(caller.client.delete(f"/api/v1/{path}")) == (404, "unknown_schedule")
    told = Transition.objects.filter(surface="api", actor=caller.user).order_by("id")
    assert [each.action for each in told] == ["schedule"] * 4 + ["unschedule"]


def test_what_cannot_be_scheduled_is_refused():
    caller = operator()
    for values, status, code in (
        ({"at": "at night"}, 422, "schedule_refused"),
        ({"at": "\ud800"}, 422, "validation_failed"),
        ({"deed": "dance"}, 422, "validation_failed"),
        ({"migration": None}, 422, "schedule_refused"),
        ({"migration": "nothing_known"}, 404, "unknown_migration"),
        ({"deed": "purge"}, 422, "schedule_refused"),
    ):
        assert problem(caller.post("schedules/", {**NEW, **values})) == (status, code)
    assert not PeriodicTask.objects.filter(task__startswith="migrations_tools.scheduled").exists()


def test_schedules_are_for_those_who_may_do_the_deed():
    made = operator().post("schedules/", {"deed": "purge", "at": "0 5 * * 0"}).json()
    runner, viewer = Caller(person("runner", "run")), Caller(person("viewer", "view_run"))
    path = f"schedules/{made['id']}/"
    assert viewer.get(path).json() == made
    for caller in (runner, viewer):
        assert problem(caller.patch(path, {"at": "0 1 * * *"})) == (403, "permission_denied")
        assert caller.client.delete(f"/api/v1/{path}").status_code == 403
    assert problem(viewer.post("schedules/", NEW)) == (403, "permission_denied")
    guest = Caller(person("guest"))
    assert (guest.get("schedules/").status_code, guest.get(path).status_code) == (403, 404)


def test_other_tasks_of_the_clock_are_not_there():
    other = PeriodicTask.objects.create(
        name="other", task="elsewhere.clean_up", crontab=CrontabSchedule.objects.create()
    )
    caller = operator()
    assert caller.get("schedules/").json()["count"] == 0
    assert caller.client.delete(f"/api/v1/schedules/{other.pk}/").status_code == 404
    assert caller.patch(f"schedules/{10**30}/", {"at": "0 1 * * *"}).status_code == 404
    assert PeriodicTask.objects.filter(pk=other.pk).exists()
