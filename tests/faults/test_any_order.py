"""Run, kill, freeze, duplicate, pause, resume, cancel, edit, retry, roll back, in any order.

Beside the engine goes a model: which rows are staged, which run carried each over, and whose order
a person edited since. It knows nothing of batches, leases or journals.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TypeVar

import pytest
from django.core.management import call_command
from django.db.models import F
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from migrations_tools import tasks
from migrations_tools.engine.failpoints import BATCH_FAILPOINTS, CLOSE_FAILPOINTS
from migrations_tools.exceptions import ActiveRun, TransitionRefused
from migrations_tools.models import Run
from migrations_tools.services import runs
from migrations_tools.services.retry import quarantined_keys, retry_run
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.states import ACTIVE_STATES, WRITING_KINDS
from migrations_tools.testing import assert_sound
from migrations_tools.testing.soundness import assert_records_sound
from tests.faults.forks import Forks
from tests.faults.shop import assert_as_before, go_on, working
from tests.faults.soundness import assert_links_right
from tests.migrations_tools.engine.test_running import DAY, actor
from tests.shop.models import LegacyOrder, Order

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault_long]

POINTS = st.sampled_from([*BATCH_FAILPOINTS, *CLOSE_FAILPOINTS])
T = TypeVar("T")

COUNTS = st.integers(1, 3)
PLACES = st.integers(0, 20)
BEGUN = st.sampled_from(["start", "retry", "roll_back", "roll_back_by_force"])
ASKED = {"pause": runs.pause_run, "resume": runs.resume_run, "cancel": runs.cancel_run}
EDITED = Decimal(11)


@dataclass
class Row:
    """What the model knows of a staged order."""

    good: bool = True  # the transform can carry it over
    carried_by: uuid.UUID | None = None
    edited: bool = False


class RunsUnderFaults(RuleBasedStateMachine):
    """Rules are what people, workers and faults do; each compares the data with the model."""

    def __init__(self) -> None:
        super().__init__()
        self.forks = Forks()
        self.rows: dict[str, Row] = {}
        self.staged = 0
        self.due: set[str] = set()  # what the run begun last has to carry over
        self.ended: set[uuid.UUID] = set()  # runs that were looked at when they had come to an end

    @initialize()
    def begin(self) -> None:
        for kind in ("order", "order", "broken", "order", "order", "order"):
            self.stage(kind=kind)
        self.start(0)

    # what there is

    def active(self) -> Run:
        return Run.objects.filter(kind__in=WRITING_KINDS, state__in=ACTIVE_STATES).get()

    def at_work(self) -> bool:
        return Run.objects.filter(kind__in=WRITING_KINDS, state__in=ACTIVE_STATES).exists()

    def carried(self) -> list[str]:
        return [number for number, row in self.rows.items() if row.carried_by]

    def waiting(self) -> list[str]:
        return [number for number, row in self.rows.items() if not row.carried_by]

    # people who change rows

    @rule(
        deed=st.sampled_from(["stage", "stage_broken", "mend", "import_again", "delete", "edit"]),
        place=PLACES,
    )
    def change_rows(self, deed: str, place: int) -> None:
        getattr(self, deed)(place)

    def stage(self, place: int = 0, kind: str = "order") -> None:
        if len(self.rows) < 12:
            number, day = f"A{self.staged}", DAY + timedelta(days=self.staged // 3)
            LegacyOrder.objects.create(number=number, day=day, total="10.50", kind=kind)
            self.rows[number] = Row(kind == "order")
            self.staged += 1

    def stage_broken(self, place: int) -> None:
        self.stage(kind="broken")

    def mend(self, place: int = 0) -> None:
        LegacyOrder.objects.filter(kind="broken").update(kind="order")
        for row in self.rows.values():
            row.good = True

    def import_again(self, place: int) -> None:
        """A waiting row comes with other content."""
        if number := chosen(self.waiting(), place):
            content = str(uuid.uuid4()).encode()
            row = LegacyOrder.objects.filter(number=number)
            row.update(total=f"7.{place}", content_hash=content)
            self.due.discard(number)

    def delete(self, place: int) -> None:
        if number := chosen(self.waiting(), place):
            LegacyOrder.objects.filter(number=number).delete()
            del self.rows[number]
            self.due.discard(number)

    def edit(self, place: int) -> None:
        if number := chosen(self.carried(), place):
            order = Order.objects.get(number=number)
            order.total = EDITED
            order.save()
            self.rows[number].edited = True

    # people who begin something

    def start(self, place: int) -> None:
        self.due = {number for number in self.waiting() if self.rows[number].good}
        run = runs.start_run("carry_orders", tuning={"batch_size": 2}, **actor())
        assert run is not None or not self.due

    def retry(self, place: int) -> None:
        completed = Run.objects.filter(kind="apply", state="completed").order_by("created_at")
        if run := chosen(completed, place):
            keys = [key for _, key in quarantined_keys(run)]
            rows = LegacyOrder.objects.filter(pk__in=keys, number__in=self.waiting())
            due = {row.number for row in rows if self.rows[row.number].good}
            if retry_run(run, [], **actor()) is not None:
                self.due = due
                self.ended.discard(run.pk)

    def roll_back(self, place: int, force: bool = False) -> None:
        if run := chosen(Run.objects.filter(kind="apply").order_by("created_at"), place):
            try:
                roll_back_run(run, reason="a test", force=force, **actor())
            except ActiveRun:
                assert self.at_work()
            self.compare(run)

    def roll_back_by_force(self, place: int) -> None:
        self.roll_back(place, force=True)

    # people who meddle with what is at work

    @rule(deed=st.sampled_from(["pause", "resume", "cancel", "roll_back"]), place=PLACES)
    def ask(self, deed: str, place: int) -> None:
        if deed == "roll_back":  # of the run at work, or of one before the rollback at work
            self.roll_back(place)
        elif self.at_work():
            run = self.active()
            with suppress(TransitionRefused):
                ASKED[deed](run, **actor())
            self.compare(run)

    # workers and what happens to them

    @rule(begin=BEGUN, place=PLACES, turns=st.integers(1, 5))
    def work(self, begin: str, place: int, turns: int) -> None:
        if run := self.to_work_on(begin, place):
            work_a_little(run, turns)
            self.compare(run)

    @rule(begin=BEGUN, place=PLACES)
    def deliver_the_message_thrice(self, begin: str, place: int) -> None:
        if run := self.to_work_on(begin, place):
            workers = [self.forks.start(working(run))]
            message = partial(tasks.work_slice, str(run.pk), 1)
            workers += [self.forks.start(message) for _ in range(2)]
            assert [worker.wait() for worker in workers] == [0, 0, 0]
            self.compare(run)

    @rule(begin=BEGUN, place=PLACES, point=POINTS, count=COUNTS)
    def kill(self, begin: str, place: int, point: str, count: int) -> None:
        if run := self.to_work_on(begin, place):
            self.forks.start(working(run), f"{point}:kill:{count}").wait()
            self.compare(run)

    @rule(
        begin=BEGUN,
        place=PLACES,
        point=POINTS,
        count=COUNTS,
        meanwhile=st.sampled_from([None, "pause", "cancel"]),
        others=st.integers(0, 6),
        killed=st.booleans(),
    )
    def freeze(
        self,
        begin: str,
        place: int,
        point: str,
        count: int,
        meanwhile: str | None,
        others: int,
        killed: bool,
    ) -> None:
        """A worker stands still; people ask, others take over; then it wakes, or is killed."""
        run = self.to_work_on(begin, place)
        if run is None:
            return
        worker = self.forks.start(working(run), f"{point}:stop:{count}")
        if worker.stands_still():
            if point not in {"closing", "sealed"}:  # there it holds the run
                if meanwhile is not None:
                    with suppress(TransitionRefused):
                        ASKED[meanwhile](run, **actor())
                work_a_little(run, others)
                self.compare(run)
            if killed:
                worker.kill()
            else:
                worker.go_on()
                assert worker.wait() == 0
        self.compare(run)

    def to_work_on(self, begin: str, place: int) -> Run | None:
        """The run at work, resumed; where there is none, what a person begins now.

        No rule has a precondition: what is at work is a question of time, and Hypothesis must not
        see a difference between two looks at the same orders.
        """
        if not self.at_work():
            getattr(self, begin)(place)
        if not self.at_work():
            return None
        run = self.active()
        with suppress(TransitionRefused):
            runs.resume_run(run, **actor())
        return run

    # the model

    def compare(self, run: Run) -> None:
        """What ``run`` may have written since the last look, and what it must have at its end."""
        run.refresh_from_db()
        ends = run.state == "completed" and run.pk not in self.ended
        linked = set(LegacyOrder.objects.exclude(order=None).values_list("number", flat=True))
        came, went = linked - set(self.carried()), set(self.carried()) - linked
        if run.kind == "apply":
            assert not went
            for number in came:
                assert self.rows[number].good
                self.rows[number].carried_by = run.pk
            if ends:
                assert not self.due & set(self.waiting())
        else:
            assert not came
            kept = {n for n in self.carried() if self.rows[n].edited and not run.tuning["force"]}
            own = {n for n in self.carried() if self.rows[n].carried_by == run.parent_id}
            assert went <= own - kept
            for number in went:
                self.rows[number].carried_by, self.rows[number].edited = None, False
            if ends:
                assert went >= own - kept - set(self.waiting())
        # a verification that finds nothing to look at proves nothing, and says so
        to_look_at = run.parent_id or self.carried()
        if ends and run.ledger.exists() and to_look_at:
            assert_sound(run)
        if ends:
            self.ended.add(run.pk)

    @invariant()
    def records_are_sound_and_data_is_the_transform_applied_once(self) -> None:
        for run in Run.objects.filter(kind__in=WRITING_KINDS):
            assert_records_sound(run)
        linked = LegacyOrder.objects.exclude(order=None).annotate(
            order_number=F("order__number"), order_total=F("order__total")
        )
        assert {row.number for row in linked} == set(self.carried())
        assert Order.objects.count() == len(self.carried())
        for row in linked:
            edited = self.rows[row.number].edited
            expected = EDITED if edited else Decimal(row.total)
            assert (row.order_number, row.order_total) == (row.number, expected)

    def teardown(self) -> None:
        """Whatever happened: the work can be finished, and then all of it be taken back."""
        try:
            if self.rows:
                self.finish()
        finally:
            self.forks.close()
            call_command("flush", interactive=False, verbosity=0)

    def finish(self) -> None:
        for _ in range(2):  # one that is to pause pauses first
            if self.at_work():
                run = self.active()
                with suppress(TransitionRefused):
                    runs.resume_run(run, **actor())
                go_on(run)
                self.compare(run)
        self.mend()
        self.start(0)
        if self.at_work():
            run = go_on(self.active())
            assert run.state == "completed"
            self.compare(run)
        assert not self.waiting()
        self.edit(self.staged)
        applied = list(Run.objects.filter(kind="apply").order_by("created_at"))
        for run in applied if len(applied) % 2 else reversed(applied):
            for force in (False, True):  # what was edited stays; then it goes too
                rollback = roll_back_run(run, reason="a test", force=force, **actor())
                if rollback is not None:
                    go_on(rollback)
                    self.compare(rollback)
        assert_links_right()
        assert_as_before()


def chosen(things: Iterable[T], place: int) -> T | None:
    """One of them, if there are any."""
    found = list(things)
    return found[place % len(found)] if found else None


def work_a_little(run: Run, turns: int) -> None:
    """A worker that looks for a batch so many times, and takes over whose lease is over."""
    left = iter(range(turns))
    runs.work_run(run, stopping=lambda: next(left, None) is None)


def test_whatever_happens_in_whatever_order_nothing_is_lost_doubled_or_untold(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The same orders each time; others with ``--hypothesis-seed=N``."""
    monkeypatch.setenv("CARRYOVER_LEASE_SECONDS", "0.3")
    run_state_machine_as_test(
        RunsUnderFaults,
        settings=settings(
            max_examples=5,
            stateful_step_count=12,
            deadline=None,
            database=None,
            derandomize=request.config.getoption("--hypothesis-seed") is None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
