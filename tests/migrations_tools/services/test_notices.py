"""Notices: told once, sent to a real receiver until it takes them, and never in a run's way."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from pytest_django import Settings

from migrations_tools import tasks
from migrations_tools.cutover.moving import move_stage
from migrations_tools.engine.transitions import change_state
from migrations_tools.models import Batch, Cutover, Notice, Run, Transition
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from migrations_tools.services.notices import (
    MOST_ATTEMPTS,
    gather_notices,
    notices_wait,
    send_notice,
)
from tests.migrations_tools.test_datamigrate import datamigrate
from tests.migrations_tools.verification.shop import actor, carry, roll_back, stage

pytestmark = pytest.mark.django_db(transaction=True)


class Receiver:
    """A webhook on the loopback."""

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.status = 200
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                text = self.rfile.read(int(self.headers["Content-Length"]))
                if receiver.status == 200:
                    receiver.taken.append(json.loads(text))
                self.send_response(receiver.status)
                self.end_headers()

            def log_message(self, *arguments: Any) -> None:
                """Nothing on standard error."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"json://127.0.0.1:{self.server.server_port}/"

    @property
    def titles(self) -> list[str]:
        return [taken["title"] for taken in self.taken]


@pytest.fixture
def receiver(settings: Settings) -> Iterator[Receiver]:
    found = Receiver()
    settings.CARRYOVER_NOTICE_URLS = [found.url]
    yield found
    found.server.shutdown()
    found.server.server_close()


def tell() -> None:
    gather_notices()
    while send_notice():
        pass


def test_completion_quarantine_and_rollback_are_told_once(receiver: Receiver) -> None:
    stage(4)
    stage(1, day=None)
    run = carry()
    tell()
    assert receiver.titles == [
        "carry_orders is completed",
        "carry_orders: 1 of 5 keys are quarantined",
    ]
    assert receiver.taken[0]["message"] == f"4 applied, 1 quarantined\ndatamigrate status {run.pk}"
    roll_back(run)
    tell()
    tell()
    assert receiver.titles[2:] == ["carry_orders rolled back"]
    assert Notice.objects.filter(sent_at=None).count() == 0


@pytest.mark.parametrize("state", ["needs_attention", "pausing"])
def test_a_worker_tells_of_a_run_that_stopped_and_why(receiver: Receiver, state: str) -> None:
    stage(1)
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    Run.objects.filter(pk=run.pk).update(state="running")
    run.refresh_from_db()
    who: dict[str, Any] = {"acting_user": system_user(), "surface": "worker"}
    change_state(run, state, action="stop", reason="the disk is full", **who)
    call_command("worker", "--once")
    assert receiver.titles == [f"carry_orders {state.replace('_', ' ')}"]
    assert receiver.taken[0]["message"] == f"the disk is full\ndatamigrate status {run.pk}"


def test_who_pauses_a_run_is_not_told_of_it(receiver: Receiver) -> None:
    stage(1)
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    Run.objects.filter(pk=run.pk).update(state="running")
    run.refresh_from_db()
    runs.pause_run(run, **actor())
    tell()
    assert receiver.taken == []


def test_what_is_not_taken_is_sent_again_and_given_up_in_the_end(receiver: Receiver) -> None:
    stage(1)
    carry()
    receiver.status = 503
    gather_notices()
    assert send_notice()
    notice = Notice.objects.get()
    assert (notice.attempts, notice.sent_at, notice.given_up) == (1, None, False)
    assert not notices_wait()  # a pause comes first
    Notice.objects.update(not_before=timezone.now())
    receiver.status = 200
    tasks.send_notices()
    assert receiver.titles == ["carry_orders is completed"]
    receiver.status = 503
    Notice.objects.update(sent_at=None, attempts=MOST_ATTEMPTS - 1, not_before=timezone.now())
    assert send_notice()
    assert Notice.objects.get().given_up
    assert not send_notice()


def test_nothing_is_kept_without_channels_and_no_address_is_stored(
    receiver: Receiver, settings: Settings
) -> None:
    address = receiver.url
    settings.CARRYOVER_NOTICE_URLS = []
    stage(1)
    carry()
    assert gather_notices() == 0
    assert not Notice.objects.exists()
    settings.CARRYOVER_NOTICE_URLS = [address]
    gather_notices()
    stored = Notice.objects.values().get()
    assert "127.0.0.1" not in str(stored)
    settings.CARRYOVER_NOTICE_URLS = ["json://127.0.0.1:1/"]
    assert send_notice()
    assert Notice.objects.get().given_up


def test_no_progress_is_told_once_and_old_news_never(receiver: Receiver) -> None:
    stage(3)
    datamigrate("run", "carry_orders", "--background")
    run = Run.objects.get(kind="apply")
    Run.objects.filter(pk=run.pk).update(state="running")
    long_ago = timezone.now() - timedelta(minutes=11)
    started = Transition.objects.create(
        run=run, action="start", from_state="queued", to_state="running", actor=system_user(),
        surface="worker", at=long_ago,
    )  # fmt: skip
    tell()
    tell()
    assert receiver.titles == ["carry_orders makes no progress"]
    assert Notice.objects.get().transition == started
    Batch.objects.create(run=run, step=0, number=1, finished_at=timezone.now())
    Notice.objects.all().delete()
    tell()
    assert len(receiver.taken) == 1


def test_an_automatic_step_back_is_told(receiver: Receiver) -> None:
    cutover = Cutover.objects.create(key="shop", stage="shadow")
    who: dict[str, Any] = {"acting_user": system_user(), "surface": "worker"}
    move_stage(cutover, "dual_write", reason="3 of 20 differ", action="step_back", **who)
    tell()
    assert receiver.titles == ["The cutover shop stepped back to dual_write"]
    assert receiver.taken[0]["message"].startswith("3 of 20 differ")
