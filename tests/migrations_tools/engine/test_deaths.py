"""What a batch knows of the workers that it lost."""

from __future__ import annotations

import pytest

from migrations_tools.definitions.sources import KeyRange
from migrations_tools.engine.claim import Owner, claim_batch, give_back
from migrations_tools.engine.context import RunContext
from migrations_tools.engine.deaths import CAUTIOUS_LOSSES, parts_of
from migrations_tools.exceptions import LeaseLost
from migrations_tools.models import Batch, Run
from migrations_tools.services import runs
from migrations_tools.testing import assert_sound
from tests.faults.shop import go_on, queued

pytestmark = pytest.mark.django_db(transaction=True)


def lose(run: Run, **values: object) -> Batch:
    """A batch of the run whose worker is gone."""
    batch = claim_batch(RunContext.of(run), Owner.here(), 5)
    assert isinstance(batch, Batch)
    Batch.objects.filter(pk=batch.pk).update(**values)
    return batch


def test_a_key_in_hand_when_workers_died_is_quarantined_and_the_others_are_carried_over() -> None:
    run = queued(3)
    runs.begin(run)
    keys = run.plan.ledger.order_by("id").values_list("key", flat=True)  # type: ignore[union-attr]
    batch = lose(run, suspects=[keys[1]], losses=CAUTIOUS_LOSSES)
    go_on(run)
    outcomes = dict(run.ledger.filter(step=0).values_list("key", "outcome"))
    assert outcomes == {keys[0]: "applied", keys[1]: "quarantined", keys[2]: "applied"}
    assert run.ledger.get(outcome="quarantined").code == "worker_died"
    batch.refresh_from_db()
    assert (batch.losses, batch.suspects) == (CAUTIOUS_LOSSES + 1, [keys[1]])
    assert_sound(run)


def test_a_worker_notes_each_key_before_it_takes_it_and_strikes_it_off() -> None:
    run = queued(2)
    runs.begin(run)
    batch = lose(run)
    batch.losses, batch.suspects = CAUTIOUS_LOSSES + 1, ["dead"]
    context = RunContext.of(run)
    source = context.steps[0].source
    items = source.read(context.selection(0), KeyRange(batch.after_key, batch.last_key))
    noted = []
    for part in parts_of(batch, items):
        stored = Batch.objects.get(pk=batch.pk)
        noted.append((part.keys, stored.suspects, stored.losses))
    first, second = items.keys
    assert noted == [
        ([first], ["dead", first], CAUTIOUS_LOSSES),
        ([second], ["dead", second], CAUTIOUS_LOSSES),
    ]
    stored = Batch.objects.get(pk=batch.pk)
    assert (stored.suspects, stored.losses) == (["dead"], CAUTIOUS_LOSSES + 1)
    assert give_back(batch, "deadlock", 0)
    stored.refresh_from_db()
    assert (stored.suspects, stored.losses) == (["dead"], 0)
    with pytest.raises(LeaseLost):
        next(parts_of(batch, items))
