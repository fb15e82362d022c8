"""Which keys a later run looks at."""

from __future__ import annotations

import pytest

from migrations_tools.definitions.registry import get_definition
from migrations_tools.models import LedgerEntry, Run
from migrations_tools.selectors.completion import waiting_keys
from migrations_tools.services import runs
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.models import LegacyOrder

pytestmark = pytest.mark.django_db(transaction=True)


def carried(content: bytes) -> Run | None:
    """The run over one changed row, or None where there was nothing to do."""
    LegacyOrder.objects.filter(number="A0").update(content_hash=content)
    waits = waiting_keys(get_definition("carry_orders"))
    run = runs.start_run("carry_orders", **actor())
    assert bool(waits) == (run is not None)
    return None if run is None else runs.work_run(run)


def test_content_that_is_again_as_before_is_looked_at_again():
    stage(3)
    first, second, third = carried(b"one"), carried(b"two"), carried(b"one")
    assert first is not None
    assert second is not None
    assert third is not None
    entries = [LedgerEntry.objects.filter(run=run, step=0) for run in (first, second, third)]
    assert [found.count() for found in entries] == [3, 1, 1]
    assert carried(b"one") is None
