"""Health, and the global stop."""

from __future__ import annotations

import pytest

from migrations_tools.models import Governor, Transition
from migrations_tools.selectors.health import health
from tests.migrations_tools.api.requests import Caller, operator, problem
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db


def test_health_is_that_of_the_command():
    told = Caller(person("reader", "view_run")).get("health/").json()
    expected = health()
    assert set(told) == set(expected)
    assert told["migrations"] == expected["migrations"]
    assert "lock_waiters" in told["signals"] or told["signals"]


def test_all_runs_are_stopped_for_a_reason_and_let_go():
    caller = operator()
    assert caller.get("governor/").json()["stopped"] is False
    assert problem(caller.post("governor/stop/")) == (409, "reason_missing")
    stopped = caller.post("governor/stop/", {"reason": "the disk is full"}).json()
    assert (stopped["stopped"], stopped["reason"]) == (True, "the disk is full")
    assert caller.get("governor/").json() == stopped
    assert stopped["changed_by"] == "operator"
    assert caller.get("health/").json()["stopped"] == "the disk is full"
    assert caller.post("governor/go/").json()["stopped"] is False
    told = Transition.objects.filter(actor=caller.user, surface="api")
    assert [each.action for each in told] == ["stop_all", "let_go"]


def test_who_may_not_is_refused():
    guest, reader = Caller(person("guest")), Caller(person("reader", "view_run"))
    for path in ("health/", "governor/"):
        assert problem(guest.get(path)) == (403, "permission_denied")
        assert Caller(None).get(path).status_code == 401
    for path in ("governor/stop/", "governor/go/"):
        assert problem(reader.post(path, {"reason": "x"})) == (403, "permission_denied")
        assert Caller(None).post(path, {"reason": "x"}).status_code == 401
    assert not Governor.objects.filter(stopped=True).exists()
