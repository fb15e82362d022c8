"""An interrupted verification goes on where it stopped, and ends as one in one go does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from migrations_tools.models import Run
from migrations_tools.services.verification import verify_definition
from migrations_tools.verification import journal, ranges, rows
from tests.migrations_tools.verification.shop import (
    actor,
    carry,
    execute,
    roll_back,
    stage,
    tamper,
    verified,
)

pytestmark = pytest.mark.django_db(transaction=True)

#: The statement that each stage makes once for a portion, or for a portion and table.
INSPECTED, COMPARED = (journal, "_inspect_portion"), (rows, "_suspects")


@pytest.fixture(autouse=True)
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ranges, "MOST_KEYS", 4)


NEVER = 1 << 30


class Looks:
    """Counts how often a stage looks at a portion; interrupts it in the middle of a look."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str]) -> None:
        self.number, self.last = 0, NEVER
        look: Callable[..., Any] = getattr(*place)

        def counted(*arguments: Any) -> Any:
            if self.number >= self.last:
                raise KeyboardInterrupt
            self.number += 1
            return look(*arguments)

        monkeypatch.setattr(*place, counted)

    def during(self, deed: Callable[[], Any], last: int | None = None) -> int:
        """How many looks ``deed`` takes; it is interrupted after ``last``."""
        self.number = 0
        if last is None:
            deed()
            return self.number
        self.last = last
        with pytest.raises(KeyboardInterrupt):
            deed()
        self.last = NEVER
        return self.number


def told(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """All that is said of the checks but for their duration."""
    return [
        {name: value for name, value in check.items() if name != "seconds"}
        for check in answer["checks"]
    ]


def carried_and_damaged() -> Run:
    """A run of ten batches with a changed row, a missing row and a damaged ledger."""
    stage(20, line="a line")
    run = carry(tuning={"batch_size": 2})
    execute("UPDATE shop_order SET total = 1 WHERE number IN ('A1', 'A19')")
    execute("DELETE FROM shop_orderline WHERE text = 'a line' AND id % 9 = 0")
    tamper(
        "migrations_tools_ledgerentry",
        "UPDATE migrations_tools_ledgerentry SET code = 'x' WHERE id = "
        "(SELECT max(id) FROM migrations_tools_ledgerentry WHERE run_id = %s AND step = 0)",
        run.pk,
    )
    return run


@pytest.mark.parametrize("place", [INSPECTED, COMPARED])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_an_interrupted_verification_goes_on_and_says_the_same(
    place: tuple[Any, str], share: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = carried_and_damaged()
    expected = told(verified(run))
    assert sum(check["failures"] for check in expected) > 3
    looks = Looks(monkeypatch, place)
    whole = looks.during(lambda: verified(run))
    before = int(whole * share)
    looks.during(lambda: verified(run), last=before)
    answers: list[dict[str, Any]] = []
    after = looks.during(lambda: answers.append(verified(run)))
    assert told(answers[0]) == expected
    assert before + after < whole + 6  # at most one portion is looked at twice
    assert after < whole
    run.refresh_from_db()
    assert run.verifying is None
    assert looks.during(lambda: verified(run)) == whole


@pytest.mark.slow
def test_a_rollback_and_a_definition_go_on_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stage(12)
    rollback = roll_back(carry(tuning={"batch_size": 2}))
    expected = told(verified(rollback))
    looks = Looks(monkeypatch, COMPARED)
    whole = looks.during(lambda: verified(rollback))
    looks.during(lambda: verified(rollback), last=whole - 1)
    answers: list[dict[str, Any]] = []
    assert looks.during(lambda: answers.append(verified(rollback))) < whole
    assert told(answers[0]) == expected
    for _ in range(2):
        carry_some_more()
    whole = looks.during(lambda: verify_definition("carry_orders", **actor()))
    looks.during(lambda: verify_definition("carry_orders", **actor()), last=whole - 1)
    assert looks.during(lambda: verify_definition("carry_orders", **actor())) < whole


def carry_some_more() -> None:
    stage(8)
    carry(tuning={"batch_size": 2})


def test_nothing_is_built_upon_once_the_run_was_rolled_back_or_too_much_time_passed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage(12)
    run = carry(tuning={"batch_size": 2})
    looks = Looks(monkeypatch, INSPECTED)
    whole = looks.during(lambda: verified(run))
    looks.during(lambda: verified(run), last=whole - 1)
    run.refresh_from_db()
    assert run.verifying is not None
    run.verifying["at"] = (timezone.now() - timedelta(hours=2)).isoformat()
    run.save(update_fields=["verifying"])
    assert looks.during(lambda: verified(run)) == whole
    looks.during(lambda: verified(run), last=whole - 1)
    roll_back(run)
    assert looks.during(lambda: verified(run)) == whole
