"""Ctrl-C and termination: the run pauses with everything done so far kept."""

from __future__ import annotations

import json
import signal
import time

import pytest

from migrations_tools.models import Batch, Run
from migrations_tools.testing import assert_sound
from tests.faults.processes import Processes
from tests.faults.soundness import assert_carried_once
from tests.faults.test_kills_and_freezes import stage

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault_long]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_paused_and_resumes(
    number: signal.Signals, processes: Processes
) -> None:
    stage(3_000)
    process = processes.start("run", "carry_orders", "--batch-size", "10", "--json")
    until = time.monotonic() + 60
    while not Batch.objects.filter(run__kind="apply", state="done").exists():
        assert time.monotonic() < until, process.communicate()
        time.sleep(0.05)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    answer = json.loads(out)
    assert answer["state"] == "paused"
    assert 0 < answer["outcomes"]["applied"] < 3_000
    code, answer, err = processes.run("resume", "last")
    assert code == 0, err
    assert answer["total"] == 3_000
    assert_carried_once(3_000)
    assert_sound(Run.objects.get(kind="apply"))


def test_two_processes_share_one_run(processes: Processes) -> None:
    stage(4_000)
    code, answer, err = processes.run("run", "carry_orders", "--batch-size", "10", "--workers", "2")
    assert code == 0, err
    assert answer["outcomes"]["applied"] == 4_000
    run = Run.objects.get(kind="apply")
    assert Batch.objects.filter(run=run).order_by().values("owner").distinct().count() == 2
    assert_carried_once(4_000)
    assert_sound(run)
