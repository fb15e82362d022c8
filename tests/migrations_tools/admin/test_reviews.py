"""The review queue in the admin: evidence, single and bulk decisions, and who may decide."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from migrations_tools.models import ReviewItem, Run, Transition
from migrations_tools.services import runs
from migrations_tools.states import ReviewDecision
from tests.migrations_tools.admin.conftest import Enter, confirm, do_work, words
from tests.migrations_tools.engine.test_running import actor, stage
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)

LIST = reverse("admin:migrations_tools_reviewitem_changelist")


def left(count: int = 3) -> list[ReviewItem]:
    """Items that a run left to a person."""
    stage(count, kind="unsure")
    run = runs.start_run("carry_orders", **actor())
    assert run is not None
    runs.work_run(run)
    return list(ReviewItem.objects.filter(run=run).order_by("id"))


def page(item: ReviewItem) -> str:
    return reverse("admin:migrations_tools_reviewitem_change", args=[item.pk])


def deed(item: ReviewItem, name: str) -> str:
    return reverse("admin:migrations_tools_reviewitem_decide", args=[item.pk, name])


def decisions() -> list[str]:
    return list(ReviewItem.objects.order_by("id").values_list("decision", flat=True))


def test_an_item_is_laid_out_and_accepted_as_a_run(enter: Enter) -> None:
    client = enter("review")
    item = left(1)[0]
    text = client.get(page(item)).content.decode()
    assert "10.50" in text  # the evidence
    assert "A0" in text  # the proposal
    assert deed(item, "accept") in text
    answer = confirm(client, deed(item, "accept"), reason="looked at")
    run = Run.objects.get(reviewed=item.run)
    assert answer.redirect_chain[-1][0] == reverse(
        "admin:migrations_tools_run_change", args=[run.pk]
    )
    do_work()
    assert Order.objects.get().number == "A0"
    item.refresh_from_db()
    assert (item.decision, item.reason) == (ReviewDecision.ACCEPTED, "looked at")
    assert item.decided_by is not None
    assert item.decided_by.username == "olga"
    second = confirm(client, deed(item, "park"))
    assert "was decided already: accepted, by olga" in words(second)[0]
    assert deed(item, "accept") not in client.get(page(item)).content.decode()


def test_another_target_is_chosen_by_the_form_of_the_step(enter: Enter) -> None:
    client = enter("review")
    item = left(1)[0]
    assert "Another number for the order." in client.get(deed(item, "choose")).content.decode()
    nothing = confirm(client, deed(item, "choose"))
    assert "Say what is chosen: number." in words(nothing)
    confirm(client, deed(item, "choose"), number="Z9", reason="asked")
    do_work()
    assert Order.objects.get().number == "Z9"


def test_many_are_decided_at_once_and_the_others_stay(enter: Enter) -> None:
    client = enter("review")
    items = left(4)
    chosen = {"action": "skip", "_selected_action": [items[0].pk, items[2].pk]}
    shown = client.post(LIST, chosen).content.decode()
    assert "2 keys are decided." in shown
    assert decisions() == ["open"] * 4
    client.post(LIST, {**chosen, "confirm": "yes", "reason": "test data"})
    assert decisions() == ["skipped", "open", "skipped", "open"]
    again = client.post(LIST, {**chosen, "confirm": "yes"}, follow=True)
    assert "was decided already" in words(again)[-1]
    rest = reverse("admin:migrations_tools_reviewitem_decide_all", args=[items[0].run_id, "park"])
    confirm(client, rest)
    do_work()
    assert decisions() == ["skipped", "parked", "skipped", "parked"]


def test_decisions_are_for_those_who_have_the_right(enter: Enter) -> None:
    client = enter("run", name="viewer")
    item = left(1)[0]
    assert deed(item, "accept") not in client.get(page(item)).content.decode()
    for name in ("accept", "choose", "park", "skip"):
        assert confirm(client, deed(item, name), number="Z9").status_code == 403, name
    client.post(LIST, {"action": "skip", "_selected_action": [item.pk], "confirm": "yes"})
    assert decisions() == ["open"]
    assert Transition.objects.filter(action="refused", actor__username="viewer").count() == 4


def test_unknown_items_and_decisions_are_not_found(enter: Enter) -> None:
    client = enter("review")
    item = left(1)[0]
    for address in (
        deed(item, "explode"),
        reverse("admin:migrations_tools_reviewitem_decide", args=[item.pk + 1, "accept"]),
        reverse("admin:migrations_tools_reviewitem_change", args=["9" * 30]),
        reverse("admin:migrations_tools_reviewitem_change", args=["nonsense"]),
    ):
        assert client.get(address).status_code == 404, address
    assert decisions() == ["open"]


def test_the_queue_is_filtered_in_a_constant_number_of_queries(enter: Enter) -> None:
    client = enter()
    left(2)
    with CaptureQueriesContext(connection) as few:
        assert client.get(LIST, {"decision__exact": "open", "confidence": "low"}).status_code == 200
    left(9)
    with CaptureQueriesContext(connection) as many:
        answer = client.get(LIST, {"decision__exact": "open", "confidence": "low"})
    assert len(few) == len(many)
    assert answer.context["cl"].result_count == 11
    other = client.get(LIST, {"confidence": "high", "definition": "carry_orders"})
    assert other.context["cl"].result_count == 0
