"""What a run left behind, in pages and by cursor."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migrations_tools.models import Batch, LedgerEntry, Run
from migrations_tools.services.verification import verify_run
from migrations_tools.states import BatchState
from tests.migrations_tools.api.requests import Caller, operator, problem
from tests.migrations_tools.engine.test_running import actor, carry, stage
from tests.migrations_tools.people import person
from tests.shop.models import LegacyOrder

pytestmark = pytest.mark.django_db(transaction=True)

PARTS = ("ledger", "changes", "problems", "transitions", "batches", "checks")


@pytest.fixture
def run() -> Run:
    stage(3, line="one line")
    stage(1, day=None)
    stage(1, total="much")
    found = Run.objects.get(pk=carry(tuning={"batch_size": 2})["run"])
    verify_run(found, **actor())
    return found


def rows(caller: Caller, run: Run, part: str, **query: Any) -> list[dict[str, Any]]:
    found = caller.get(f"runs/{run.pk}/{part}/", **query)
    assert found.status_code == 200, found.content
    return list(found.json()["results"])


def test_ledger_and_problems_tell_what_became_of_the_keys(run):
    caller = operator()
    bad = str(LegacyOrder.objects.get(day=None).pk)
    warned = str(LegacyOrder.objects.get(total="much").pk)
    ledger = rows(caller, run, "ledger", step=0)
    assert [entry["outcome"] for entry in ledger].count("applied") == 4
    (entry,) = rows(caller, run, "ledger", outcome="quarantined")
    assert (entry["key"], entry["code"], entry["attempt"]) == (bad, "no_day", 1)
    assert len(rows(caller, run, "ledger", key=bad)) == 1

    found = {entry["key"]: entry for entry in rows(caller, run, "problems")}
    assert set(found) == {bad, warned}
    assert found[warned]["warnings"] == [["bad_total", "“much” is no number."]]
    assert found[bad]["waived"] is False
    assert [entry["key"] for entry in rows(caller, run, "problems", code="bad_total")] == [warned]
    assert [entry["key"] for entry in rows(caller, run, "problems", outcome="quarantined")] == [bad]


def test_changes_have_before_and_after(run):
    caller = operator()
    changes = rows(caller, run, "changes", model="shop.legacyorder", operation="update")
    assert len(changes) == 4
    assert changes[0]["before"] == {"order_id": None}
    assert isinstance(changes[0]["after"]["order_id"], int)
    assert len(rows(caller, run, "changes", operation="insert", model="shop.orderline")) == 3


def test_transitions_batches_and_checks_are_told(run):
    caller = operator()
    told = [(each["action"], each["to_state"]) for each in rows(caller, run, "transitions")]
    assert told == [
        ("queue", "queued"),
        ("start", "running"),
        ("complete", "completed"),
        ("verify", ""),
    ]
    batches = rows(caller, run, "batches", step=0, state="done")
    assert [batch["number"] for batch in batches] == [1, 2, 3]
    assert sum(batch["size"] for batch in batches) == 5
    checks = rows(caller, run, "checks", ok="true")
    assert "batch_gap" in {check["code"] for check in checks}
    assert rows(caller, run, "checks", ok="false") == []


def test_a_cursor_loses_and_doubles_nothing_while_entries_are_added(run):
    caller = operator()
    first = caller.get(f"runs/{run.pk}/ledger/", page_size=3).json()
    known = [entry["id"] for entry in first["results"]]
    batch = Batch.objects.filter(run=run, state=BatchState.DONE).earliest("id")
    added = LedgerEntry.objects.create(
        run=run, batch=batch, step=0, key="late", outcome="applied", digest=b""
    )
    address = first["next"]
    while address:
        page = caller.get(address).json()
        known += [entry["id"] for entry in page["results"]]
        address = page["next"]
    assert known == sorted(set(LedgerEntry.objects.filter(run=run).values_list("id", flat=True)))
    assert known[-1] == added.pk


@pytest.mark.parametrize(
    ("part", "query", "status"),
    [
        ("ledger", {"outcome": "lost"}, 422),
        ("ledger", {"step": "-1"}, 422),
        ("ledger", {"step": "99999999999"}, 422),
        ("ledger", {"code": "a\x00b"}, 422),
        ("problems", {"outcome": "lost"}, 422),
        ("problems", {"code": "a\x00b"}, 422),
        ("changes", {"operation": "guess"}, 422),
        ("batches", {"page": "0"}, 422),
        ("checks", {"verification": "none"}, 422),
        ("ledger", {"cursor": "nonsense"}, 404),
        ("ledger", {"cursor": "cD1hYmM="}, 404),  # “abc” for a number
        ("ledger", {"cursor": "cD0xMTExMTExMTExMTExMTExMTExMTE="}, 404),  # above a bigint
    ],
)
def test_bad_questions_are_refused(run, part, query, status):
    assert operator().get(f"runs/{run.pk}/{part}/", **query).status_code == status


def test_rows_are_for_those_who_may_read_them(run):
    allowed = {
        "view_run": {"transitions", "batches"},
        "view_ledgerentry": {"ledger", "problems", "checks"},
        "view_rowchange": {"changes"},
        "rollback": set(PARTS),
    }
    for permission, parts in allowed.items():
        caller = Caller(person(permission, permission))
        for part in PARTS:
            answer = caller.get(f"runs/{run.pk}/{part}/")
            assert answer.status_code == (200 if part in parts else 404), (permission, part)
    for part in PARTS:
        assert Caller(None).get(f"runs/{run.pk}/{part}/").status_code == 401
    assert problem(operator().get("runs/nobody/ledger/")) == (404, "unknown_run")


def test_lists_take_as_many_queries_whatever_their_size(run):
    caller = operator()
    caller.get("me/")
    for part in PARTS:
        counts = set()
        for size in (1, 100):
            with CaptureQueriesContext(connection) as queries:
                rows(caller, run, part, page_size=size)
            counts.add(len(queries))
        assert len(counts) == 1, part
        assert counts.pop() <= 5
