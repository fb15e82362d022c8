"""Deadlocks and locks that the application holds: the migration gives way, every time."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection, transaction
from django.db.models import Model

from migrations_tools.models import Batch
from tests.faults.forks import Forks
from tests.faults.shop import ORDERS, assert_finished, queued, working
from tests.shop.models import DayBook, LegacyOrder

pytestmark = pytest.mark.fault_long

#: Locks of this database: tests of other processes use others on the same server. Not asked of
#: pg_stat_activity, which stays as it is within a transaction.
HERE = """(
    SELECT pid, granted FROM pg_locks WHERE pid IN (
        SELECT pid FROM pg_locks JOIN pg_database d ON d.oid = database
        WHERE datname = current_database()
    )
) AS here"""


class Application(threading.Thread):
    """A transaction of the application: it locks its rows one after the other, and commits."""

    def __init__(self, *rows: Model, between: Callable[[], object]) -> None:
        super().__init__(daemon=True)
        self.rows, self.between = rows, between
        self.error: BaseException | None = None
        self.holds_first = threading.Event()
        self.backend_pid = 0

    def run(self) -> None:
        try:
            with transaction.atomic():
                for row in self.rows:
                    locked = type(row).objects.select_for_update()  # type: ignore[attr-defined]
                    assert locked.get(pk=row.pk) == row
                    if not self.holds_first.is_set():
                        self.backend_pid = connection.connection.info.backend_pid
                        self.holds_first.set()
                        self.between()
        except BaseException as error:  # noqa: BLE001 - told to the test
            self.error = error
        finally:
            connection.close()

    def done(self) -> None:
        self.join(30)
        assert not self.is_alive()
        assert self.error is None


def somebody_waits_for_a_lock() -> None:
    """Until a backend waits for a row that another transaction holds."""
    until = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(f"SELECT count(*) FROM {HERE} WHERE NOT granted")
            if cursor.fetchone() != (0,):
                return
            time.sleep(0.005)
    raise AssertionError("nobody waits for a lock")


@pytest.mark.parametrize("late", [0.0, 0.9, 1.5])
def test_the_migration_is_the_victim_of_a_deadlock_that_the_application_closes(
    late: float, forks: Forks
) -> None:
    """The worker holds the first row and waits for the last; ``late`` s later the other way."""
    run = queued(batch_size=ORDERS)
    rows = list(LegacyOrder.objects.order_by("pk"))

    def let_the_worker_wait() -> None:
        somebody_waits_for_a_lock()
        time.sleep(late)

    application = Application(rows[-1], rows[0], between=let_the_worker_wait)
    application.start()
    application.holds_first.wait(10)
    worker = forks.start(working(run))
    application.done()
    assert worker.wait() == 0
    assert_finished(run)
    assert Batch.objects.get(run=run, step=0).attempts > 1


def test_the_migration_is_the_victim_of_a_deadlock_that_it_closes(forks: Forks) -> None:
    """The application waits for the first row already when the worker comes to the book."""
    run = queued(batch_size=ORDERS)
    rows = list(LegacyOrder.objects.order_by("pk"))
    worker = forks.stopped(working(run), "locked:1")
    book = DayBook.objects.create(day=datetime.date(2025, 5, 4))

    def begin_to_wait() -> None:
        threading.Timer(0.8, worker.go_on).start()  # the worker comes to wait while it waits

    application = Application(book, rows[0], between=begin_to_wait)
    application.start()
    application.done()
    assert worker.wait() == 0
    assert_finished(run)
    assert Batch.objects.get(run=run, step=0).attempts > 1


def test_rows_that_the_application_keeps_locked_are_carried_over_when_it_lets_go(
    forks: Forks,
) -> None:
    run = queued()
    rows = list(LegacyOrder.objects.order_by("pk"))
    release = threading.Event()
    application = Application(rows[4], between=lambda: release.wait(30))
    application.start()
    application.holds_first.wait(10)
    worker = forks.start(working(run))
    until = time.monotonic() + 20
    while not Batch.objects.filter(run=run, state="open", number=2).exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    batch = Batch.objects.get(run=run, step=0, number=2)
    assert "lock timeout" in batch.error
    with connection.cursor() as cursor:  # nobody is kept waiting by what the worker gave back
        cursor.execute(
            f"SELECT count(*) FROM {HERE}, unnest(pg_blocking_pids(pid)) AS by"
            " WHERE NOT granted AND by <> %s",
            [application.backend_pid],  # for whom the worker may wait again already
        )
        assert cursor.fetchone() == (0,)
    release.set()
    application.done()
    assert worker.wait() == 0
    assert_finished(run)
