"""Celery as the doorbell: real workers, a real Redis, messages lost, doubled and late."""

from __future__ import annotations

import datetime
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from celery import current_app
from django.db import transaction

from migrations_tools import tasks
from migrations_tools.doorbell import ring
from migrations_tools.models import Batch, Run
from migrations_tools.services import runs, slices, verification
from migrations_tools.services.actors import system_user
from tests.celery_processes import CeleryProcesses, RedisServer, redis_executable
from tests.faults.processes import wait_until_stopped
from tests.shop.models import LegacyOrder, Order

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        redis_executable() is None,
        reason="there is no redis-server on the PATH, and no wheel of it for this machine",
    ),
]

WHO: dict[str, Any] = {"surface": "command"}


@pytest.fixture(scope="module")
def only_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One server for all tests: Celery keeps the connections of this process."""
    server = RedisServer(str(redis_executable()), tmp_path_factory.mktemp("redis"))
    current_app.conf.update(broker_url=server.url)
    yield server
    server.stop()
    current_app.conf.update(broker_url=None)


@pytest.fixture
def redis_server(only_redis: RedisServer, settings: Any) -> RedisServer:
    """An empty Redis, to which this process sends."""
    settings.CELERY_BROKER_URL = only_redis.url
    only_redis.start()
    only_redis.client().flushall()
    return only_redis


@pytest.fixture
def celery(
    redis_server: RedisServer, process_environment: dict[str, str]
) -> Iterator[CeleryProcesses]:
    processes = CeleryProcesses(process_environment, redis_server.url)
    yield processes
    processes.close()


def stage(count: int) -> None:
    day = datetime.date(2025, 5, 1)
    there = LegacyOrder.objects.count()
    LegacyOrder.objects.bulk_create(
        LegacyOrder(number=f"C{n}", day=day + datetime.timedelta(days=n // 50), total="1")
        for n in range(there, there + count)
    )


def start(count: int, **tuning: Any) -> Run:
    stage(count)
    run = runs.start_run("carry_orders", acting_user=system_user(), tuning=tuning, **WHO)
    assert run is not None
    return run


def wait_for(done: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.1)


def completed(run: Run) -> bool:
    run.refresh_from_db()
    return run.state == "completed"


def prove(run: Run, count: int) -> None:
    assert Order.objects.count() == count
    assert run.ledger.filter(step=0).count() == count
    assert verification.verify_run(run, acting_user=system_user(), **WHO)["ok"]


def waiting_messages(server: RedisServer) -> int:
    return int(server.client().llen("celery"))


def test_nobody_is_called_before_the_run_is_committed(redis_server: RedisServer) -> None:
    run = start(3, workers=2)
    assert waiting_messages(redis_server) == 2
    with transaction.atomic():
        ring(run)
        transaction.set_rollback(True)
    assert waiting_messages(redis_server) == 2


def test_without_redis_the_run_is_queued_all_the_same(redis_server: RedisServer) -> None:
    redis_server.stop()
    run = start(3)
    assert run.state == "queued"


def test_a_worker_carries_a_run_over(celery: CeleryProcesses) -> None:
    celery.worker()
    run = start(120, batch_size=20)
    wait_for(lambda: completed(run))
    prove(run, 120)


@pytest.mark.slow
def test_two_workers_of_each_kind_share_a_run(celery: CeleryProcesses) -> None:
    started = [celery.worker(), celery.worker(), celery.polling_worker(), celery.polling_worker()]
    run = start(3_000, batch_size=5, workers=2)
    wait_for(lambda: completed(run), 180)
    prove(run, 3_000)
    owners = Batch.objects.filter(run=run, step=0).values_list("owner", flat=True)
    # host, process, and a number of its own
    assert {int(owner.split(":")[1]) for owner in owners} == {process.pid for process in started}


@pytest.mark.slow
def test_a_message_delivered_twice_and_again_afterwards_changes_nothing(
    celery: CeleryProcesses,
) -> None:
    run = start(200, batch_size=10)
    for _ in range(4):
        current_app.send_task("migrations_tools.work_slice", args=[str(run.pk), 1])
    celery.worker()
    celery.worker()
    wait_for(lambda: completed(run))
    tasks.work_slice(str(run.pk), 1)
    prove(run, 200)


@pytest.mark.slow
def test_a_killed_worker_and_a_flushed_redis_are_made_good_by_the_sweep(
    celery: CeleryProcesses, redis_server: RedisServer
) -> None:
    killed = celery.worker(failpoint="before_commit:kill:3")
    run = start(100, batch_size=20)
    wait_for(lambda: killed.poll() is not None)
    redis_server.client().flushall()
    celery.worker()
    time.sleep(1.0)
    assert not completed(run)
    current_app.send_task("migrations_tools.sweep")
    wait_for(lambda: completed(run))
    prove(run, 100)


@pytest.mark.fault_long
def test_a_worker_goes_on_while_redis_is_flushed_and_stopped_in_the_middle(
    celery: CeleryProcesses, redis_server: RedisServer
) -> None:
    worker = celery.worker(failpoint="before_commit:stop:3")
    run = start(100, batch_size=20)
    wait_until_stopped(worker)
    redis_server.client().flushall()
    redis_server.stop()
    worker.send_signal(signal.SIGCONT)
    wait_for(lambda: completed(run))
    prove(run, 100)
    late = start(20)
    assert late.state == "queued"  # nobody is called
    redis_server.start()
    wait_for(lambda: called_again(late))
    assert Order.objects.count() == 120


def called_again(run: Run) -> bool:
    """Whether the run is completed; rings as the sweep does, until the worker hears it again."""
    tasks.sweep()
    return completed(run)


def test_one_worker_sits_in_a_seat(redis_server: RedisServer) -> None:
    run = start(3)
    assert not slices.work_in_seat(str(run.pk), 2)
    run.refresh_from_db()
    assert run.state == "queued"
    assert not slices.work_in_seat(str(run.pk), 1)  # nothing more to do
    assert completed(run)


@pytest.mark.fault_long
def test_beat_finds_a_run_whose_messages_are_gone_within_a_minute(
    celery: CeleryProcesses, redis_server: RedisServer, tmp_path: Path
) -> None:
    run = start(30)
    redis_server.client().flushall()
    redis_server.stop()
    celery.worker()
    redis_server.start()
    began = time.monotonic()
    celery.beat(tmp_path)
    wait_for(lambda: completed(run), seconds=60)
    assert time.monotonic() - began < 60
    prove(run, 30)
