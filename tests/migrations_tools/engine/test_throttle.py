"""Runs wait: for the global stop, for their window, for a database under strain."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from migrations_tools.engine import signals
from migrations_tools.engine.signals import read_signals, strain, watched
from migrations_tools.engine.throttle import Throttle, in_window
from migrations_tools.exceptions import CarryoverError, PermissionRefused
from migrations_tools.models import Run, Transition
from migrations_tools.selectors.health import health
from migrations_tools.services import governor, runs
from tests.migrations_tools.engine.test_running import actor, stage
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db(transaction=True)


def begun() -> Run:
    stage(6)
    run = runs.start_run("carry_orders", **actor(), tuning={"batch_size": 2})
    assert run is not None
    runs.begin(run)
    return run


@contextmanager
def working(run: Run) -> Iterator[None]:
    """Another thread works on the run; it has come to its end afterwards."""

    def work() -> None:
        runs.work_run(Run.objects.get(pk=run.pk))
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    thread.join(timeout=60)
    assert not thread.is_alive()


def wait_for(run: Run, state: str) -> Run:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        run.refresh_from_db()
        if run.state == state:
            return run
        time.sleep(0.05)
    raise AssertionError(f"{run.state} instead of {state}")


def test_a_global_stop_holds_every_run_up_and_says_why() -> None:
    run = begun()
    governor.stop_all_runs(reason="month-end closing", **actor())
    with working(run):
        wait_for(run, "throttled")
        assert run.state_reason == "all runs are stopped: month-end closing"
        assert not run.batches.exists()
        assert health()["stopped"] == "month-end closing"
        governor.let_runs_go(**actor())
    wait_for(run, "completed")
    actions = list(Transition.objects.filter(run=None).values_list("action", flat=True))
    assert actions == ["stop_all", "let_go"]
    told = run.transitions.filter(action__in=["throttle", "go_on"])
    assert list(told.values_list("to_state", flat=True)) == ["throttled", "running"]


def test_a_run_that_waits_can_be_paused() -> None:
    run = begun()
    governor.stop_all_runs(reason="a test", **actor())
    with working(run):
        wait_for(run, "throttled")
        runs.pause_run(run, **actor())
        wait_for(run, "paused")


def test_a_stop_needs_a_reason_and_the_permission() -> None:
    with pytest.raises(CarryoverError, match="needs a reason"):
        governor.stop_all_runs(reason=" ", **actor())
    nobody = person("clerk")
    with pytest.raises(PermissionRefused):
        governor.stop_all_runs(reason="a test", acting_user=nobody, surface="command")
    assert health()["stopped"] == ""


@pytest.mark.parametrize(
    ("windows", "hour", "open_"),
    [
        ([], 12, True),
        (["22:00-05:00"], 23, True),
        (["22:00-05:00"], 4, True),
        (["22:00-05:00"], 5, False),
        (["22:00-05:00"], 12, False),
        (["08:00-09:00", "12:00-13:00"], 12, True),
    ],
)
def test_runs_work_in_their_windows(
    settings: Any, windows: list[str], hour: int, open_: bool
) -> None:
    settings.CARRYOVER_RUN_WINDOWS = windows
    assert in_window(datetime(2025, 5, 1, hour)) is open_  # noqa: DTZ001 - a local time of day


def test_outside_its_window_a_run_waits(settings: Any) -> None:
    run = begun()
    settings.CARRYOVER_RUN_WINDOWS = ["03:00-03:00"]
    assert Throttle().must_wait(run)
    assert (run.state, run.state_reason) == (
        "throttled",
        "runs work in their windows only: 03:00–03:00",
    )


def test_locks_that_others_wait_for_throttle_a_run(settings: Any) -> None:
    run = begun()
    settings.CARRYOVER_LIMITS = {"lock_waiters": 0}
    holder = connection.copy()
    holder.set_autocommit(False)
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE shop_order")

    def wait() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM shop_order")
        connection.close()

    thread = threading.Thread(target=wait)
    thread.start()
    try:
        until = time.monotonic() + 10
        look = Throttle()
        while not look.must_wait(run) and time.monotonic() < until:
            time.sleep(0.05)
        assert run.state_reason == "sessions that wait for locks: 1"
    finally:
        holder.rollback()
        holder.close()
        thread.join()


def test_a_long_transaction_of_the_application_throttles(settings: Any) -> None:
    settings.CARRYOVER_LIMITS = {"longest_transaction_seconds": 0.05}
    other = connection.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("SELECT 1")
    time.sleep(0.1)
    found = read_signals()
    other.rollback()
    other.close()
    assert strain(found, watched(found)).startswith("a transaction is open for")


def test_a_signal_that_is_there_no_longer_throttles_and_one_never_there_does_not() -> None:
    found = read_signals()
    assert found["replica_lag_seconds"] is None  # no replica: not watched
    assert "replica_lag_seconds" not in watched(found)
    assert strain(found, watched(found)) == ""
    assert strain({**found, "lock_waiters": None}, watched(found)) == (
        "the signal lock_waiters cannot be read any more"
    )


def test_signals_that_cannot_be_read_are_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signals, "_READ", "SELECT no_such_column")
    assert set(read_signals().values()) == {None}


def test_a_worker_looks_once_a_second() -> None:
    run = begun()
    look = Throttle()
    with CaptureQueriesContext(connection) as captured:
        for _ in range(50):
            look.must_wait(run)
    looks = [query for query in captured.captured_queries if "pg_stat_activity" in query["sql"]]
    assert len(looks) == 1


def test_a_run_is_tuned_while_it_works() -> None:
    run = begun()
    runs.tune_run(run, {"batch_size": 5}, **actor())
    runs.work_run(run)
    assert [batch.size for batch in run.batches.filter(step=0).order_by("number")] == [5, 1]
    with pytest.raises(CarryoverError, match="above 0"):
        runs.tune_run(run, {"batch_size": 0}, **actor())
    with pytest.raises(CarryoverError, match="tuned by"):
        runs.tune_run(run, {"colour": 1}, **actor())


def test_a_run_in_the_foreground_tells_why_it_waits_and_that_it_goes_on(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stage(6)
    governor.stop_all_runs(reason="month-end closing", **actor())
    thread = threading.Timer(1.5, _let_go)
    thread.start()
    call_command("datamigrate", "run", "carry_orders")
    thread.join()
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("apply")]
    assert told[:2] == [
        "apply carry_orders waits: all runs are stopped: month-end closing",
        "apply carry_orders goes on",
    ]


def _let_go() -> None:
    governor.let_runs_go(**actor())
    connections.close_all()
