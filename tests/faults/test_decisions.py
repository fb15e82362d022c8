"""Workers killed and frozen while they carry out what people decided."""

from __future__ import annotations

import signal
import time

import pytest

from migrations_tools.engine.failpoints import BATCH_FAILPOINTS, CLOSE_FAILPOINTS
from migrations_tools.models import ReviewItem, Run
from migrations_tools.services import runs
from migrations_tools.testing import assert_sound
from tests.faults.processes import Processes, wait_until_stopped
from tests.migrations_tools.engine.test_running import actor
from tests.migrations_tools.services.test_reviews import decide, decisions, unsure
from tests.shop.models import Order

ITEMS = 6


def accepted_once(run: Run) -> None:
    """Every item was applied by one run, and every order is there once."""
    assert set(decisions(run).values()) == {"accepted"}
    assert Order.objects.count() == Order.history.count() == ITEMS
    assert not ReviewItem.objects.filter(applied_by=None).exists()


@pytest.mark.fault_long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["claimed", "before_commit"])
def test_a_decision_that_was_killed_is_resumed_to_its_end(name: str, processes: Processes) -> None:
    run, _ = unsure(ITEMS)
    code, _, _ = processes.run("review", "last", "accept", failpoint=f"{name}:kill:1")
    assert code == -signal.SIGKILL
    assert not Order.objects.exists()
    assert set(decisions(run).values()) == {"accepted"}
    decision_run = Run.objects.get(reviewed=run)
    code, answer, err = processes.run("resume", str(decision_run.pk))
    assert code == 0, err
    assert answer["outcomes"]["applied"] == ITEMS
    accepted_once(run)
    decision_run.refresh_from_db()
    assert_sound(decision_run)


@pytest.mark.fault_long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", [*BATCH_FAILPOINTS, *CLOSE_FAILPOINTS])
def test_a_decision_killed_anywhere_is_carried_out_once(name: str, processes: Processes) -> None:
    run, _ = unsure(ITEMS)
    code, _, _ = processes.run("review", "last", "accept", failpoint=f"{name}:kill:1")
    assert code == -signal.SIGKILL
    decision_run = Run.objects.get(reviewed=run)
    if name != "closed":
        code, answer, err = processes.run("resume", str(decision_run.pk))
        assert code == 0, err
        assert answer["outcomes"]["applied"] == ITEMS
    accepted_once(run)
    decision_run.refresh_from_db()
    assert_sound(decision_run)


@pytest.mark.fault_long
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", ["claimed", "written", "before_commit"])
def test_a_frozen_decision_that_is_cancelled_writes_nothing_when_it_wakes(
    name: str, processes: Processes
) -> None:
    run, _ = unsure(ITEMS)
    decision_run = decide(run, "accepted")
    frozen = processes.start("resume", str(decision_run.pk), failpoint=f"{name}:stop:1")
    wait_until_stopped(frozen)
    time.sleep(1.5)
    runs.cancel_run(decision_run, **actor())
    decision_run.refresh_from_db()
    assert decision_run.state == "cancelled"
    assert set(decisions(run).values()) == {"open"}
    frozen.send_signal(signal.SIGCONT)
    frozen.communicate(timeout=60)
    assert not Order.objects.exists()
    assert set(decisions(run).values()) == {"open"}
    code, answer, err = processes.run("review", str(run.pk), "accept")
    assert (code, answer["outcomes"]["applied"]) == (0, ITEMS), err
    accepted_once(run)
