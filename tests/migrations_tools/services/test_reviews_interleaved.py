"""Runs, decisions, edits, cancellations and rollbacks in any order: no key is lost or doubled."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import pytest
from django.db.models import Q

from migrations_tools.engine.context import RunContext
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import ReviewItem, Run
from migrations_tools.services import reviews, runs
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.verification import verify_run
from migrations_tools.states import ReviewDecision
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.models import LegacyOrder, Order

pytestmark = pytest.mark.django_db(transaction=True)

STEPS = 25
DECISIONS = [decision for decision in ReviewDecision.values if decision != ReviewDecision.OPEN]


class Shop:
    """Everything people and workers may do, chosen by ``dice``."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.edits = 0

    def deeds(self) -> list[Callable[[], None]]:
        return [self.run, self.decide, self.decide, self.decide, self.roll_back, self.edit]

    def run(self) -> None:
        self.work(runs.start_run("carry_orders", tuning={"batch_size": 2}, **actor()))

    def decide(self) -> None:
        run = self.dice.choice([*Run.objects.filter(review_items__isnull=False).distinct()])
        keys = list(run.review_items.values_list("key", flat=True))
        decision = self.dice.choice(DECISIONS)
        some = self.dice.sample(keys, self.dice.randint(1, len(keys)))
        choice = None
        if decision == ReviewDecision.CHOSEN:
            some = some[:1]
            choice = {"number": f"C{LegacyOrder.objects.get(pk=some[0]).number}"}
        self.work(reviews.decide(run, decision, some, choice=choice, **actor()))

    def roll_back(self) -> None:
        run = self.dice.choice([*Run.objects.filter(kind="apply")])
        force = self.dice.random() < 0.5
        self.work(roll_back_run(run, reason="a test", force=force, **actor()))

    def edit(self) -> None:
        self.edits += 1
        row = self.dice.choice([*LegacyOrder.objects.all()])
        new = f"edit {self.edits}".encode()
        LegacyOrder.objects.filter(pk=row.pk).update(content_hash=new, line="new")
        order = Order.objects.get(legacyorder=row)
        order.note = f"edit {self.edits}"
        order.save()

    def work(self, run: Run | None) -> None:
        """To the end, or a few batches and then cancelled."""
        if run is None:
            return
        batches = self.dice.choice([0, 1, 2, 99, 99])
        left = iter(range(batches))
        runs.work_run(run, stopping=lambda: next(left, None) is None)
        run.refresh_from_db()
        if run.state in {"queued", "running"}:
            runs.cancel_run(run, **actor())


def selected() -> set[str]:
    """Keys that the next run will look at."""
    context = RunContext.of(Run(definition="carry_orders", version=1, kind="plan"))
    keys = context.steps[0].source.keys(context.selection(0))
    return {str(key) for key in keys.values_list("k", flat=True)}


def assert_nothing_is_lost_or_doubled() -> None:
    links = [link for link in LegacyOrder.objects.values_list("order_id", flat=True) if link]
    assert len(links) == len(set(links)) == Order.objects.count()
    waiting = Counter(ReviewItem.objects.all().waiting().values_list("key", flat=True))
    assert set(waiting.values()) <= {1}
    left = Q(decision=ReviewDecision.SKIPPED)
    left |= Q(decision=ReviewDecision.PARKED, applied_by__isnull=False)
    decided = set(ReviewItem.objects.filter(left).values_list("key", flat=True))
    upcoming = selected()
    for row in LegacyOrder.objects.filter(order=None):
        key = str(row.pk)
        assert key in waiting or key in upcoming or key in decided, f"{key} is lost"
    assert not ReviewItem.objects.filter(decision_run__isnull=False, applied_by=None).exists()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_no_key_is_lost_or_doubled_whatever_happens(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reviews, "DECIDED_BATCH_KEYS", 2)
    shop = Shop(random.Random(seed))
    stage(2)
    stage(5, kind="unsure")
    shop.run()
    refused = 0
    for _ in range(STEPS):
        try:
            shop.dice.choice(shop.deeds())()
        except (CarryoverError, IndexError, Order.DoesNotExist):
            refused += 1  # or nothing is there to decide, or to edit
        assert_nothing_is_lost_or_doubled()
    for run in Run.objects.filter(kind="apply").exclude(batches=None):
        checks = verify_run(run, **actor())["checks"]
        wrong = {check["code"]: check["sample"] for check in checks if check["failures"]}
        wrong.pop("nothing_examined", None)  # some histories end with nothing carried over
        assert not wrong
    assert refused < STEPS
