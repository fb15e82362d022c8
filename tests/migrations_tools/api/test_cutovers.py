"""Cutovers: told, moved, and their differences explained."""

from __future__ import annotations

from typing import Any

import pytest

from migrations_tools.models import Cutover, Mismatch, Transition
from tests.migrations_tools.api.requests import ROOT, Caller, operator, problem
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db

PATH = "cutovers/collaboration/"


@pytest.fixture
def mismatch() -> Mismatch:
    cutover = Cutover.objects.get_or_create(key="collaboration")[0]
    return Mismatch.objects.create(
        cutover=cutover,
        operation="list",
        subject="amal",
        digest="d",
        legacy=[{"name": "old"}],
        new=[{"name": "new"}],
    )


def test_a_cutover_is_told_with_its_ways():
    caller = Caller(person("reader", "view_cutover"))
    listed = caller.get("cutovers/").json()
    told = next(found for found in listed["results"] if found["cutover"] == "collaboration")
    detail = caller.get(PATH).json()
    assert detail.pop("ways") == [{"stage": "dual_write", "needs": []}]
    assert detail == told
    assert (told["stage"], told["next"], told["writes"]) == ("off", ["dual_write"], ["legacy"])
    assert (told["reads"], told["compared"], told["mismatches"]) == ("legacy", 0, [])


def test_a_cutover_is_moved_only_by_who_saw_it_as_it_is():
    caller = operator()
    seen = caller.get(PATH)["ETag"]
    given = {"stage": "dual_write", "reason": "it begins"}
    moved = caller.patch(PATH, given, **{"If-Match": seen})
    assert (moved.status_code, moved.json()["stage"]) == (200, "dual_write")
    assert moved["ETag"] != seen
    back = {"stage": "off", "reason": "no"}
    assert problem(caller.patch(PATH, back, **{"If-Match": seen})) == (412, "precondition_failed")
    assert Cutover.objects.get(key="collaboration").stage == "dual_write"
    assert caller.patch(PATH, back, **{"If-Match": moved["ETag"]}).json()["stage"] == "off"
    told = Transition.objects.filter(actor=caller.user, surface="api", run=None)
    assert [each.reason for each in told] == ["it begins", "no"]


@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        (PATH, {"stage": "live", "reason": "now"}, (409, "cutover_refused")),
        (PATH, {"stage": "shadow", "reason": "now"}, (409, "cutover_refused")),
        (PATH, {"stage": "gone", "reason": "now"}, (422, "validation_failed")),
        (PATH, {"stage": "dual_write"}, (422, "validation_failed")),
        (PATH, {"stage": "dual_write", "reason": "  "}, (422, "validation_failed")),
        (
            PATH,
            {"stage": "off", "reason": "x", "read_percentage": 101},
            (422, "validation_failed"),
        ),
        ("cutovers/nothing/", {"stage": "off", "reason": "x"}, (404, "unknown_cutover")),
    ],
)
def test_what_a_cutover_cannot_do_is_refused(path, given, expected):
    assert problem(operator().patch(path, given)) == expected
    assert not Cutover.objects.exclude(stage="off").exists()


def test_shadow_needs_a_completed_run():
    caller = operator()
    caller.patch(PATH, {"stage": "dual_write", "reason": "it begins"})
    answer = caller.patch(PATH, {"stage": "shadow", "reason": "compare"})
    assert problem(answer) == (409, "run_missing")
    ways = {way["stage"]: way["needs"] for way in caller.get(PATH).json()["ways"]}
    missing = ways["shadow"][0]
    assert (missing["code"], missing["holds"]) == ("run_missing", False)
    assert missing["refusal"] == answer.json()["error"]["message"]


def test_rules_of_shadow_reads_are_changed_by_who_saw_them():
    caller, path = operator(), f"{PATH}rules/"
    seen = caller.get(path)
    rules = {
        "mismatch_budget": 0.05,
        "latency_budget_ms": 300.0,
        "ignored": [{"operation": "list", "field": "updated_at"}],
    }

    def put(given: Any, tag: str) -> Any:
        return caller.client.put(ROOT + path, given, format="json", headers={"If-Match": tag})

    changed = put({**rules, "reason": "measured"}, seen["ETag"])
    assert (changed.status_code, changed.json()) == (200, rules)
    assert problem(put({**rules, "reason": "again"}, seen["ETag"])) == (412, "precondition_failed")
    too_much = {**rules, "mismatch_budget": 2, "reason": "all of it"}
    assert problem(put(too_much, changed["ETag"])) == (422, "validation_failed")
    reader = Caller(person("reader", "view_cutover"))
    refused = reader.client.put(ROOT + path, {**rules, "reason": "x"}, format="json")
    assert problem(refused) == (403, "permission_denied")


def test_a_difference_is_shown_and_explained(mismatch):
    caller = operator()
    (found,) = caller.get(f"{PATH}mismatches/", explained="false").json()["results"]
    assert (found["legacy"], found["new"]) == ([{"name": "old"}], [{"name": "new"}])
    path = f"{PATH}mismatches/{mismatch.pk}/explain/"
    told = caller.post(path, {"explanation": "renamed on purpose"}).json()
    assert (told["explained_by"], told["explanation"]) == ("operator", "renamed on purpose")
    assert caller.get(f"{PATH}mismatches/", explained="false").json()["count"] == 0
    assert problem(caller.post(path, {"explanation": ""})) == (422, "validation_failed")
    wrong = f"cutovers/agent_sessions/mismatches/{mismatch.pk}/explain/"
    assert problem(caller.post(wrong, {"explanation": "x"}))[0] == 404


def test_who_may_not_is_refused_on_record_and_sees_nothing(mismatch):
    reader, guest = Caller(person("reader", "view_cutover")), Caller(person("guest"))
    given = {"stage": "dual_write", "reason": "x"}
    assert problem(reader.patch(PATH, given)) == (403, "permission_denied")
    explain = f"{PATH}mismatches/{mismatch.pk}/explain/"
    assert problem(reader.post(explain, {"explanation": "x"})) == (403, "permission_denied")
    assert Transition.objects.filter(actor=reader.user, action="refused").count() == 2
    assert reader.get(PATH).json()["mismatches"] == []
    assert problem(reader.get(f"{PATH}mismatches/")) == (404, "not_found")
    assert problem(guest.get("cutovers/")) == (403, "permission_denied")
    assert problem(guest.get(PATH)) == (404, "not_found")
    for path in ("cutovers/", PATH, f"{PATH}mismatches/"):
        assert Caller(None).get(path).status_code == 401
    assert Caller(None).patch(PATH, given).status_code == 401
