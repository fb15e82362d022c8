"""A run as it happens."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from knox.models import AuthToken

from migrations_tools.api import events
from migrations_tools.models import Run, Transition
from migrations_tools.services import runs
from tests.migrations_tools.api.requests import Caller, operator, problem
from tests.migrations_tools.engine.test_running import actor, carry, stage
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db(transaction=True)


def stream(caller: Caller, path: str, **more: Any) -> tuple[Any, list[tuple[str, Any, str]]]:
    """The answer, and its events: name, data, id."""
    answer: Any = caller.client.get(f"/api/v1/{path}", more.pop("query", {}), **more)
    assert answer.status_code == 200
    found = []
    for block in b"".join(answer.streaming_content).decode().strip().split("\n\n"):
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "event" in fields:
            found.append((fields["event"], json.loads(fields["data"]), fields.get("id", "")))
    return answer, found


def test_a_run_that_ended_is_told_at_once_and_what_was_missed_by_its_id():
    stage(2)
    run = Run.objects.get(pk=carry()["run"])
    answer, told = stream(operator(), f"runs/{run.pk}/events/", HTTP_ACCEPT="text/event-stream")
    assert answer["Content-Type"] == "text/event-stream; charset=utf-8"
    assert [name for name, _, _ in told] == ["transition"] * 3 + ["progress", "end"]
    assert [data["action"] for _, data, _ in told[:3]] == ["queue", "start", "complete"]
    assert told[3][1]["done"] == told[3][1]["total"] == 2
    assert told[-1][1] == {"state": "completed"}

    known = Transition.objects.get(run=run, action="start")
    reader = Caller(person("reader", "view_run"))
    _, missed = stream(reader, f"runs/{run.pk}/events/", HTTP_LAST_EVENT_ID=str(known.pk))
    assert [data["action"] for name, data, _ in missed if name == "transition"] == ["complete"]


def test_a_stream_follows_the_run_to_its_end(monkeypatch):
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.05)
    stage(4)
    run = runs.start_run("carry_orders", tuning={"batch_size": 1}, **actor())
    assert run is not None

    def work() -> None:
        try:
            runs.work_run(run)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    _, told = stream(operator(), f"runs/{run.pk}/events/")
    thread.join(30)
    assert told[-1][:2] == ("end", {"state": "completed"})
    assert [data["done"] for name, data, _ in told if name == "progress"][-1] == 4


def test_a_stream_ends_after_its_time_and_shows_that_it_is_alive(monkeypatch):
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.2)
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.3)
    stage(1)
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    answer = operator().get(f"runs/{run.pk}/events/", seconds=1)
    text = b"".join(answer.streaming_content).decode()
    assert ": still here" in text
    assert "event: end" not in text


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> Run:
    """A run that waits for a worker."""
    monkeypatch.setattr(events, "LOOK_SECONDS", 0.05)
    stage(1)
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    return run


@pytest.mark.parametrize("loss", ["right", "token", "account"])
def test_a_stream_ends_when_its_reader_may_no_longer_see_the_run(queued: Run, loss: str) -> None:
    reader = person("reader", "view_run")
    token, secret = AuthToken.objects.create(reader)
    answer: Any = Client(headers={"Authorization": f"Token {secret}"}).get(
        f"/api/v1/runs/{queued.pk}/events/"
    )
    lines = iter(answer.streaming_content)
    told = [next(lines) for _ in range(3)]
    assert b"event: progress" in told[-1]
    {
        "right": lambda: reader.user_permissions.clear(),
        "token": lambda: token.delete(),
        "account": lambda: User.objects.filter(pk=reader.pk).update(is_active=False),
    }[loss]()
    assert list(lines) == []


def test_streams_leave_room_for_others_and_tell_the_state_all_the_same(queued: Run) -> None:
    path = f"/api/v1/runs/{queued.pk}/events/"
    client = operator().client
    followers = [client.get(path) for _ in range(events.MOST_AT_ONCE)]
    for follower in followers:
        next(iter(follower.streaming_content))
    short = b"".join(client.get(path).streaming_content).decode()
    assert short.startswith("retry: 2000")
    assert '"action": "queue"' in short.replace('":"', '": "')
    assert "event: progress" in short
    followers.pop().close()
    followers.append(client.get(path))
    next(iter(followers[-1].streaming_content))
    assert not events._places.acquire(blocking=False)
    for follower in followers:
        follower.close()
    assert events._places.acquire(blocking=False)
    events._places.release()


def test_a_run_with_many_transitions_tells_all_of_them_before_its_end(monkeypatch) -> None:
    monkeypatch.setattr(events, "_MOST", 2)
    stage(1)
    _, told = stream(operator(), f"runs/{carry()['run']}/events/")
    assert [name for name, _, _ in told if name != "progress"] == ["transition"] * 3 + ["end"]


def test_errors_are_json_in_the_envelope_whatever_is_accepted():
    stage(1)
    run = carry()["run"]
    guest = Caller(person("guest"))
    for caller, path, expected in (
        (guest, f"runs/{run}/events/", (404, "not_found")),
        (Caller(None), f"runs/{run}/events/", (401, "not_authenticated")),
        (operator(), f"runs/{run}/events/?seconds=999", (422, "validation_failed")),
    ):
        answer: Any = caller.client.get(f"/api/v1/{path}", HTTP_ACCEPT="text/event-stream")
        assert answer["Content-Type"].startswith("application/json")
        assert problem(answer) == expected
