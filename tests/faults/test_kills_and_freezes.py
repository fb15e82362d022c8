"""Workers killed at every fail-point of a batch, and frozen past their lease."""

from __future__ import annotations

import datetime
import signal
import time

import pytest
from django.core.management import call_command

from migrations_tools.engine.failpoints import BATCH_FAILPOINTS, CLOSE_FAILPOINTS
from migrations_tools.models import Batch, Run
from migrations_tools.services.actors import system_user
from migrations_tools.services.verification import verify_run
from migrations_tools.testing import assert_sound
from tests.faults.processes import Processes, wait_until_stopped
from tests.faults.soundness import assert_carried_once, state_of_data
from tests.shop.models import LegacyOrder, Order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault_long]

ORDERS = 60
RUN = ("run", "carry_orders", "--batch-size", "10")


def stage(count: int = ORDERS) -> None:
    day = datetime.date(2025, 5, 1)
    LegacyOrder.objects.bulk_create(
        LegacyOrder(number=f"A{n}", day=day + datetime.timedelta(days=n // 25), total="10.50")
        for n in range(count)
    )


def in_the_real_run(name: str) -> str:
    """The second batch of the real run: plans pass the same places, six batches and totals."""
    before = {"locked": 7, "transformed": 7, "ensured": 7, "written": 7}
    return f"{name}:kill:{before.get(name, 0) + (1 if name in CLOSE_FAILPOINTS else 2)}"


@pytest.mark.parametrize("name", [*BATCH_FAILPOINTS, *CLOSE_FAILPOINTS])
def test_a_worker_killed_anywhere_loses_and_doubles_nothing(
    name: str, processes: Processes
) -> None:
    stage()
    code, _, _ = processes.run(*RUN, failpoint=in_the_real_run(name))
    assert code == -signal.SIGKILL
    run = Run.objects.get(kind="apply")
    if name == "closed":
        assert run.state == "completed"
    else:
        code, answer, err = processes.run("resume", str(run.pk))
        assert code == 0, err
        assert answer["total"] == answer["outcomes"]["applied"] == ORDERS
    run.refresh_from_db()
    assert_carried_once(ORDERS)
    assert_sound(run)


@pytest.mark.parametrize("name", ["claimed", "locked", "written", "before_done", "before_commit"])
def test_a_frozen_worker_is_taken_over_and_writes_nothing_when_it_wakes(
    name: str, processes: Processes
) -> None:
    stage()
    point = in_the_real_run(name).replace("kill", "stop")
    frozen = processes.start(*RUN, "--json", failpoint=point)
    wait_until_stopped(frozen)
    run = Run.objects.get(kind="apply")
    (held,) = Batch.objects.filter(run=run, state="running")
    time.sleep(1.5)
    code, answer, err = processes.run("resume", str(run.pk))
    assert code == 0, err
    assert answer["outcomes"]["applied"] == ORDERS
    after = state_of_data()
    frozen.send_signal(signal.SIGCONT)
    frozen.communicate(timeout=60)
    assert state_of_data() == after
    taken = Batch.objects.get(pk=held.pk)
    assert taken.fencing > held.fencing
    assert taken.owner != held.owner
    run.refresh_from_db()
    assert_carried_once(ORDERS)
    assert_sound(run)


@pytest.mark.parametrize("name", ["claimed", "written", "before_commit"])
def test_a_run_is_cancelled_beside_a_frozen_worker(name: str, processes: Processes) -> None:
    stage()
    before = state_of_data()
    point = in_the_real_run(name).replace("kill", "stop")
    frozen = processes.start(*RUN, "--json", failpoint=point)
    wait_until_stopped(frozen)
    run = Run.objects.get(kind="apply")
    (held,) = Batch.objects.filter(run=run, state="running")
    _, answer, err = processes.run("cancel", str(run.pk), "--reason", "a test")
    assert answer["state"] in {"cancelling", "cancelled"}, err
    time.sleep(1.5)
    call_command("worker", "--once")
    run.refresh_from_db()
    assert run.state == "cancelled"
    assert run.seal
    carried = Order.objects.count()
    assert carried == 10
    frozen.send_signal(signal.SIGCONT)
    frozen.communicate(timeout=60)
    held.refresh_from_db()
    assert held.state == "open"
    assert Order.objects.count() == carried
    run.refresh_from_db()
    assert run.state == "cancelled"
    proof = verify_run(run, acting_user=system_user(), surface="command")
    assert proof["ok"], [check for check in proof["checks"] if not check["ok"]]
    code, answer, err = processes.run("rollback", str(run.pk), "--reason", "a test")
    assert code == 0, err
    assert answer["outcomes"]["restored"] == carried
    assert state_of_data() == before


@pytest.mark.parametrize(
    "name",
    [
        "claimed",
        "locked",
        "written",
        "ledger_written",
        "before_done",
        "before_commit",
        "committed",
        *CLOSE_FAILPOINTS,
    ],
)
def test_a_rollback_killed_anywhere_goes_on_to_its_end(name: str, processes: Processes) -> None:
    stage()
    before = state_of_data()
    code, answer, err = processes.run(*RUN)
    assert code == 0, err
    carried = Run.objects.get(pk=answer["run"])
    place = 1 if name in CLOSE_FAILPOINTS else 2
    code, _, _ = processes.run(
        "rollback", "last", "--reason", "a test", failpoint=f"{name}:kill:{place}"
    )
    assert code == -signal.SIGKILL
    rollback = Run.objects.get(kind="rollback")
    if name != "closed":
        code, answer, err = processes.run("resume", str(rollback.pk))
        assert code == 0, err
        assert answer["outcomes"]["restored"] == ORDERS
    assert state_of_data() == before
    assert Order.history.filter(history_type="-").count() == ORDERS
    carried.refresh_from_db()
    assert carried.state == "rolled_back"
    rollback.refresh_from_db()
    assert_sound(rollback)
