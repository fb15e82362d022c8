"""Plans and dry runs whose process was killed are ended by whoever comes next."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from django.core.management import call_command
from django.db import connection

from migrations_tools.models import Batch, Run, Transition
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from tests.faults.processes import Processes, wait_until_stopped
from tests.faults.test_kills_and_freezes import stage
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


def wait_until_its_session_ended() -> None:
    """The server notices that a client is gone a moment after it went."""
    until = time.monotonic() + 30
    with connection.cursor() as cursor:
        while time.monotonic() < until:
            cursor.execute(
                "SELECT count(*) FROM pg_locks JOIN pg_database d ON d.oid = database "
                "WHERE locktype = 'advisory' AND datname = current_database()"
            )
            if cursor.fetchone() == (0,):
                return
            time.sleep(0.05)
    raise AssertionError("the session of the killed process did not end")


def a_worker_sweeps() -> None:
    call_command("worker", "--once")


def somebody_plans() -> None:
    assert runs.plan_run("carry_orders", acting_user=system_user(), surface="command") is not None


@pytest.mark.fault_long
@pytest.mark.parametrize("sweep", [a_worker_sweeps, somebody_plans])
def test_a_killed_plan_is_cancelled_and_a_living_one_is_left_alone(
    sweep: Callable[[], None], processes: Processes
) -> None:
    stage(3)
    process = processes.start("plan", "carry_orders", failpoint="transformed:stop")
    wait_until_stopped(process)
    plan = Run.objects.get()
    a_worker_sweeps()
    plan.refresh_from_db()
    assert plan.state == "running"
    process.kill()
    process.communicate()
    wait_until_its_session_ended()
    sweep()
    plan.refresh_from_db()
    assert plan.state == "cancelled"
    assert plan.state_reason == "Its process ended before it did; make it anew."
    assert not Batch.objects.filter(run=plan, state="running").exists()
    assert list(Transition.objects.filter(run=plan).values_list("to_state", flat=True))[-2:] == [
        "cancelling",
        "cancelled",
    ]
    assert not Order.objects.exists()


@pytest.mark.fault_long
def test_a_killed_dry_run_can_be_cancelled_by_hand(processes: Processes) -> None:
    stage(3)
    processes.run("run", "carry_orders", "--dry-run", failpoint="transformed:kill")
    wait_until_its_session_ended()
    run = Run.objects.get(kind="dry_run")
    assert run.state == "running"
    cancelled = runs.cancel_run(run, acting_user=system_user(), surface="command", reason="dead")
    assert (cancelled.state, cancelled.state_reason) == ("cancelled", "dead")
