"""Cutover pages: stages, what they need, differences, and who may move them."""

from __future__ import annotations

import pytest
from django.urls import reverse

from migrations_tools.models import Cutover, Mismatch, Transition
from tests.migrations_tools.admin.conftest import Enter, confirm, words

pytestmark = pytest.mark.django_db

LIST = reverse("admin:migrations_tools_cutover_changelist")
PAGE = reverse("admin:migrations_tools_cutover_key", args=["collaboration"])
RULES = reverse("admin:migrations_tools_cutover_rules", args=["collaboration"])


def move(stage: str) -> str:
    return reverse("admin:migrations_tools_cutover_move", args=["collaboration", stage])


def stage() -> str:
    found = Cutover.objects.filter(key="collaboration").first()
    return "none" if found is None else str(found.stage)


def begun(at: str = "shadow") -> Cutover:
    return Cutover.objects.create(key="collaboration", stage=at)


def test_every_key_is_listed_with_its_stage(enter: Enter) -> None:
    client = enter()
    text = client.get(LIST).content.decode()
    assert "Collaboration sessions" in text
    assert PAGE in text
    row = begun()
    detail = reverse("admin:migrations_tools_cutover_change", args=[row.pk])
    assert client.get(detail).headers["Location"] == PAGE
    assert enter(name="other").get(PAGE).status_code == 200


def test_the_page_tells_what_the_next_stage_needs(enter: Enter) -> None:
    begun("dual_write")
    answer = enter().get(PAGE)
    ways = {
        way["stage"]: [(need.code, need.holds) for need in way["needs"]]
        for way in answer.context["ways"]
    }
    assert ways == {"shadow": [("run_missing", False), ("not_verified", False)], "off": []}
    assert "No run of normalize_collaboration_sessions is completed" in answer.content.decode()


def test_a_stage_is_changed_with_a_reason_and_back(enter: Enter) -> None:
    client = enter("cutover")
    assert confirm(client, move("dual_write"), **{"from": "off"}).status_code == 422
    assert stage() == "none"
    answer = confirm(client, move("dual_write"), reason="it opens", **{"from": "off"})
    assert (stage(), words(answer)) == ("dual_write", ["It is at dual write now."])
    twice = confirm(client, move("dual_write"), reason="it opens", **{"from": "off"})
    assert words(twice) == ["Somebody was faster: it is at dual write by now."]
    refused = confirm(client, move("shadow"), reason="now", **{"from": "dual_write"})
    assert "is completed" in words(refused)[0]
    wrong = confirm(client, move("live"), reason="at once", **{"from": "dual_write"})
    assert "From there it can go to" in words(wrong)[0]
    confirm(client, move("off"), reason="not yet", **{"from": "dual_write"})
    assert stage() == "off"
    told = Transition.objects.filter(action="cutover").order_by("id")
    assert [(row.to_state, row.reason, row.surface) for row in told] == [
        ("dual_write", "it opens", "admin"),
        ("off", "not yet", "admin"),
    ]


def test_the_share_of_readers_is_changed_while_live(enter: Enter) -> None:
    client = enter("cutover")
    begun("live")
    confirm(client, move("live"), reason="a tenth", read_percentage="10", **{"from": "live"})
    assert Cutover.objects.get().read_percentage == 10
    form = {"reason": "too much", "read_percentage": "101", "from": "live"}
    assert confirm(client, move("live"), **form).status_code == 422
    assert Cutover.objects.get().read_percentage == 10


def test_a_forced_environment_is_shown(enter: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    begun("live")
    monkeypatch.setenv("USE_NEW_SESSION_SYSTEM", "false")
    client = enter()
    for address in (LIST, PAGE):
        text = client.get(address).content.decode()
        assert "USE_NEW_SESSION_SYSTEM forces reads of the old system" in text


def test_differences_are_explained(enter: Enter) -> None:
    client = enter("cutover", "view_mismatch")
    found = Mismatch.objects.create(
        cutover=begun(), operation="list", subject="olga", digest="d", legacy={"a": 1}, new={"a": 2}
    )
    assert "unexplained" in client.get(PAGE).content.decode()
    shown = enter("approve", name="approver").get(PAGE)  # who may not see rows of both systems
    assert list(shown.context["differences"]) == []
    assert reverse("admin:migrations_tools_cutover_explain", args=[found.pk]) not in (
        shown.content.decode()
    )
    address = reverse("admin:migrations_tools_cutover_explain", args=[found.pk])
    assert confirm(client, address, explanation=" ").status_code == 422
    confirm(client, address, explanation="the old one rounds")
    found.refresh_from_db()
    assert found.explanation == "the old one rounds"
    assert found.explained_by is not None
    assert found.explained_by.username == "olga"
    assert "the old one rounds" in client.get(PAGE).content.decode()


def test_budgets_and_fields_that_may_differ_are_set(enter: Enter) -> None:
    client = enter("cutover")
    begun()
    values = {"mismatch_budget": "0.05", "latency_budget_ms": "500", "reason": "slow disks"}
    confirm(client, RULES, ignored="updated_at\nlist order", **values)
    cutover = Cutover.objects.get()
    assert (cutover.mismatch_budget, cutover.latency_budget_ms) == (0.05, 500)
    assert cutover.ignored == [
        {"operation": "*", "field": "updated_at"},
        {"operation": "list", "field": "order"},
    ]
    told = Transition.objects.get(action="cutover_rules")
    assert told.details["before"]["mismatch_budget"] == 0.01
    for wrong in ({"mismatch_budget": "2"}, {"ignored": "a b c"}, {"latency_budget_ms": "0"}):
        assert confirm(client, RULES, **{**values, "ignored": "", **wrong}).status_code == 422


def test_cutovers_are_moved_by_those_who_have_the_right(enter: Enter) -> None:
    client = enter("run", "review", name="viewer")
    found = Mismatch.objects.create(cutover=begun("dual_write"), operation="list", digest="d")
    explain = reverse("admin:migrations_tools_cutover_explain", args=[found.pk])
    assert move("off") not in client.get(PAGE).content.decode()
    for address in (move("off"), RULES, explain):
        assert client.get(address).status_code == 403, address
        assert confirm(client, address, reason="x", explanation="x").status_code == 403, address
    assert stage() == "dual_write"
    assert Transition.objects.filter(action="refused").count() == 6
    unknown = reverse("admin:migrations_tools_cutover_key", args=["nothing"])
    assert client.get(unknown).status_code == 404
    assert enter("cutover", name="mover").get(move("nowhere")).status_code == 404
