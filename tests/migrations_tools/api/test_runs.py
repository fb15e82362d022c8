"""Runs: read, and everything that can be done with them."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migrations_tools.models import Run, Transition
from migrations_tools.services import runs
from migrations_tools.services.verification import verify_waiting
from tests.migrations_tools.api.requests import Caller, made, operator, problem
from tests.migrations_tools.engine.test_running import actor, carry, stage
from tests.migrations_tools.people import person
from tests.shop.models import LegacyOrder, Order

carried = pytest.mark.django_db(transaction=True)


def started() -> Run:
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    return run


@carried
def test_a_run_is_told_with_its_summary_its_state_and_its_progress():
    stage(3)
    stage(1, day=None)
    run = carry()
    caller = operator()
    answer = caller.get(f"runs/{run['run']}/")
    told = answer.json()
    assert {name: told[name] for name in run} == run
    assert told["problems"] == [
        {
            "key": str(LegacyOrder.objects.get(day=None).pk),
            "outcome": "quarantined",
            "code": "no_day",
            "detail": "Order A3 has no day.",
        }
    ]
    assert told["sentence"].startswith("All keys have an outcome")
    assert told["progress"]["done"] == told["progress"]["total"] == 4
    assert (told["actor"], told["verification_state"]) == ("system", "none")
    assert answer["ETag"]
    assert caller.get(f"runs/{run['run'].upper()}/").json()["run"] == run["run"]
    assert caller.get("runs/last/").json()["run"] == run["run"]


@carried
def test_a_run_is_paused_resumed_and_cancelled_and_a_second_time_refused():
    stage(2)
    run, caller = started(), operator()
    paused = caller.post(f"runs/{run.pk}/pause/", {"reason": "lunch"})
    assert (paused.status_code, paused.json()["state"]) == (202, "paused")
    assert paused.json()["state_reason"] == "lunch"
    assert problem(caller.post(f"runs/{run.pk}/pause/")) == (409, "transition_refused")
    assert caller.post(f"runs/{run.pk}/resume/").json()["state"] == "running"
    assert caller.post(f"runs/{run.pk}/cancel/", key="c").json()["state"] == "cancelled"
    again = caller.post(f"runs/{run.pk}/cancel/", key="c")
    assert (again.status_code, again["Idempotent-Replayed"]) == (202, "true")
    assert problem(caller.post(f"runs/{run.pk}/cancel/")) == (409, "transition_refused")
    told = Transition.objects.filter(run=run, surface="api", actor=caller.user)
    assert [each.action for each in told] == ["pause", "resume", "cancel"]


@carried
def test_a_plan_is_started_verified_and_rolled_back():
    caller = operator()
    stage(2)
    plan = made(caller.post("runs/", {"migration": "carry_orders", "kind": "plan"}))
    other = Caller(person("approver", "approve"))
    assert problem(other.post(f"runs/{plan}/approve/")) == (409, "transition_refused")
    [late] = stage(1)
    assert problem(caller.post(f"runs/{plan}/start/")) == (409, "plan_drift")
    late.delete()
    run = made(caller.post(f"runs/{plan}/start/", {"reason": "planned", "batch_size": 1}))
    told = caller.get(f"runs/{run}/").json()
    assert (told["state"], told["plan"], told["tuning"]["batch_size"]) == ("completed", plan, 1)
    assert problem(caller.post(f"runs/{run}/start/")) == (409, "transition_refused")

    asked = caller.post(f"runs/{run}/verify/")
    assert (asked.status_code, asked.json()["verification_state"]) == (202, "waiting")
    verify_waiting()
    assert caller.get(f"runs/{run}/").json()["verification_state"] == "passed"

    no_reason = caller.post(f"runs/{run}/rollback/")
    assert problem(no_reason) == (409, "reason_missing")
    tried = made(caller.post(f"runs/{run}/rollback/", {"dry_run": True}))
    assert caller.get(f"runs/{tried}/").json()["outcomes"]["restored"] == 2
    back = made(caller.post(f"runs/{run}/rollback/", {"reason": "a mistake"}))
    assert caller.get(f"runs/{back}/").json()["parent"] == run
    assert caller.get(f"runs/{run}/").json()["state"] == "rolled_back"
    assert not Order.objects.exists()
    again = caller.post(f"runs/{run}/rollback/", {"reason": "again"})
    assert (again.status_code, again.json()["run"]) == (200, None)
    assert again.json()["outcomes"]["restored"] == 0


@carried
def test_quarantined_keys_are_driven_again_or_waived():
    stage(1)
    bad = stage(2, day=None)
    run = carry()["run"]
    caller = operator()
    assert problem(caller.post(f"runs/{run}/retry/", {"keys": ["nobody"]})) == (
        409,
        "not_quarantined",
    )
    waived = caller.post(f"runs/{run}/waive/", {"key": str(bad[1].pk), "reason": "a test order"})
    assert waived.json() == {"run": run, "waived": [{"step": 0, "key": str(bad[1].pk)}]}
    second = caller.post(f"runs/{run}/waive/", {"key": str(bad[1].pk), "reason": "again"})
    assert problem(second) == (409, "not_waivable")

    LegacyOrder.objects.filter(pk=bad[0].pk).update(day="2025-05-01")
    answer = caller.post(f"runs/{run}/retry/", {"keys": [str(bad[0].pk)]})
    assert (answer.status_code, answer.json()["state"]) == (202, "running")
    runs.work_run(Run.objects.get(pk=run))
    assert caller.get(f"runs/{run}/").json()["outcomes"]["applied"] == 2
    LegacyOrder.objects.filter(day=None).update(day="2025-05-01")
    caller.post(f"runs/{run}/retry/")
    runs.work_run(Run.objects.get(pk=run))
    nothing = caller.post(f"runs/{run}/retry/")
    assert (nothing.status_code, nothing.json()["run"]) == (200, None)


@carried
def test_a_run_is_tuned_while_it_works():
    stage(1)
    run, caller = started(), operator()
    answer = caller.post(f"runs/{run.pk}/tune/", {"batch_size": 7, "target_seconds": 0.5})
    assert answer.status_code == 200
    assert answer.json()["tuning"]["batch_size"] == 7
    assert problem(caller.post(f"runs/{run.pk}/tune/")) == (409, "bad_tuning")


@carried
def test_a_second_person_approves_and_a_purge_waits_for_its_time(settings):
    settings.CARRYOVER_POLICIES = {"carry_orders": ["approval"]}
    stage(1)
    caller, other = operator(), Caller(person("approver", "approve", "view_run"))
    run = made(caller.post("data-migrations/carry_orders/run/"))
    assert caller.get(f"runs/{run}/").json()["state"] == "awaiting_approval"
    assert problem(caller.post(f"runs/{run}/approve/")) == (409, "second_person")
    approved = other.post(f"runs/{run}/approve/", {"reason": "looks right"})
    assert (approved.status_code, approved.json()["state"]) == (202, "queued")
    assert problem(other.post(f"runs/{run}/pause/")) == (403, "permission_denied")
    assert problem(caller.post(f"runs/{run}/purge/", {"reason": "old"})) == (409, "still_needed")


@carried
def test_runs_are_listed_filtered_and_ordered():
    stage(2)
    first = carry()["run"]
    stage(1)
    second = started()
    caller = operator()

    def listed(**query: Any) -> list[str]:
        return [run["run"] for run in caller.get("runs/", **query).json()["results"]]

    plans = [str(pk) for pk in Run.objects.filter(kind="plan").values_list("pk", flat=True)]
    assert listed(kind="apply") == [str(second.pk), first]
    assert listed(kind="apply", ordering="created_at") == [first, str(second.pk)]
    assert listed(kind="plan") == plans
    assert listed(kind=["apply", "plan"], state="queued") == [str(second.pk)]
    assert listed(active="true") == [str(second.pk)]
    assert listed(definition="gather_notes") == []
    assert len(listed(migration="carry_orders", created_after="2020-01-01T00:00:00Z")) == 4
    assert listed(created_before="2020-01-01T00:00:00+23:00") == []  # PostgreSQL knows no +23:00
    assert problem(caller.get("runs/", created_before="0001-01-01T00:00:00+01:00"))[0] == 422
    for query in ({"kind": "nothing"}, {"parent": "nobody"}, {"created_after": "yesterday"}):
        assert problem(caller.get("runs/", **query)) == (422, "validation_failed"), query


@carried
def test_lists_and_details_take_as_many_queries_whatever_their_size():
    caller = operator()
    stage(2)
    run = carry(tuning={"batch_size": 1})["run"]
    caller.get("runs/")  # what is remembered of the caller
    counts = []
    for _ in range(2):
        for path in ("runs/", f"runs/{run}/"):
            with CaptureQueriesContext(connection) as queries:
                assert caller.get(path).status_code == 200
            counts.append(len(queries))
        for _ in range(3):
            stage(3)
            carry(tuning={"batch_size": 1})
        run = str(Run.objects.filter(kind="apply").latest("created_at").pk)
    assert counts[:2] == counts[2:]
    assert counts[0] == 2


ACTIONS = {
    "start": {},
    "approve": {},
    "pause": {},
    "resume": {},
    "cancel": {},
    "retry": {},
    "rollback": {"reason": "r"},
    "tune": {"batch_size": 1},
    "waive": {"key": "1", "reason": "r"},
    "purge": {"reason": "r"},
}


@carried
def test_who_may_not_is_refused_in_every_action_and_strangers_before():
    stage(1)
    run = started()
    reader = Caller(person("reader", "view_run"))
    for action, given in ACTIONS.items():
        answer = reader.post(f"runs/{run.pk}/{action}/", given)
        assert problem(answer) == (403, "permission_denied"), action
        assert Caller(None).post(f"runs/{run.pk}/{action}/", given).status_code == 401
    refused = Transition.objects.filter(actor=reader.user, action="refused", surface="api")
    assert refused.count() == len(ACTIONS)
    run.refresh_from_db()
    assert run.state == "queued"
    guest = Caller(person("guest"))
    assert problem(guest.get("runs/")) == (403, "permission_denied")
    assert problem(guest.get(f"runs/{run.pk}/")) == (404, "not_found")
    assert problem(guest.post(f"runs/{run.pk}/verify/")) == (404, "not_found")


@carried
def test_what_quotes_rows_is_for_those_who_may_read_them():
    stage(1, day=None)
    stage(1)
    run = carry()["run"]
    plan = Run.objects.get(pk=run).plan_id
    reader = Caller(person("reader", "view_run"))
    assert reader.get(f"runs/{run}/").json()["problems"] == []
    assert "samples" not in reader.get(f"runs/{plan}/").json()["forecast"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "reference", ["00000000-0000-4000-8000-000000000000", "last", "nobody", "%00", "x" * 300]
)
def test_a_run_that_is_not_there_is_404(reference):
    caller = operator()
    assert problem(caller.get(f"runs/{reference}/"))[0] == 404
    assert problem(caller.post(f"runs/{reference}/pause/"))[0] == 404


@carried
@pytest.mark.parametrize(
    ("action", "given"),
    [
        ("pause", {"reason": ["x"]}),
        ("pause", {"reason": "\ud800"}),
        ("pause", {"reason": "x" * 2001}),
        ("retry", {"keys": "all"}),
        ("retry", {"keys": ["k"] * 1001}),
        ("retry", {"keys": ["\x00"]}),
        ("rollback", {"force": "perhaps"}),
        ("tune", {"batch_size": 10**20}),
        ("tune", {"target_seconds": "NaN"}),
        ("waive", {"key": "1"}),
        ("purge", {}),
    ],
)
def test_bad_values_are_told_by_field(action, given):
    stage(1)
    run = started()
    answer = operator().post(f"runs/{run.pk}/{action}/", given)
    assert problem(answer) == (422, "validation_failed")
    assert answer.json()["error"]["details"]["fields"]
