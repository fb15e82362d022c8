"""Ctrl-C and termination: the run pauses with everything done so far kept."""

from __future__ import annotations

import json
import signal

import pytest

from migrations_tools.models import Batch, Run
from migrations_tools.testing import assert_sound
from tests.faults.processes import Processes, wait_until_stopped
from tests.faults.soundness import assert_carried_once
from tests.faults.test_kills_and_freezes import ORDERS, RUN, stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault_long]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_paused_and_resumes(
    number: signal.Signals, processes: Processes
) -> None:
    stage()
    process = processes.start(*RUN, "--json", failpoint="committed:stop:2")
    wait_until_stopped(process)
    process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    answer = json.loads(out)
    assert answer["state"] == "paused"
    assert answer["outcomes"]["applied"] == 20  # two batches
    code, answer, err = processes.run("resume", "last")
    assert code == 0, err
    assert answer["total"] == ORDERS
    assert_carried_once(ORDERS)
    assert_sound(Run.objects.get(kind="apply"))


def test_two_processes_share_one_run(processes: Processes) -> None:
    stage(2_000)
    code, answer, err = processes.run("run", "carry_orders", "--batch-size", "10", "--workers", "2")
    assert code == 0, err
    assert answer["outcomes"]["applied"] == 2_000
    run = Run.objects.get(kind="apply")
    assert Batch.objects.filter(run=run).order_by().values("owner").distinct().count() == 2
    assert_carried_once(2_000)
    assert_sound(run)
