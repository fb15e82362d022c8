"""What waits for a person, and deciding it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migrations_tools.models import ReviewItem, Run
from migrations_tools.services.runs import work_run
from tests.migrations_tools.api.requests import Caller, operator, problem
from tests.migrations_tools.people import person
from tests.migrations_tools.services.test_reviews import unsure
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


def numbers(run: Run) -> list[int]:
    return list(ReviewItem.objects.filter(run=run).order_by("id").values_list("id", flat=True))


def test_an_item_is_told_with_its_evidence_and_what_may_be_chosen():
    run, keys = unsure(2)
    number = numbers(run)[0]
    caller = Caller(person("reader", "view_reviewitem"))
    told = caller.get(f"reviews/{number}/").json()
    assert told == {
        "id": number,
        "run": str(run.pk),
        "migration": "carry_orders",
        "step": 0,
        "key": keys[0],
        "proposal": {"number": "A0"},
        "confidence": 0.4,
        "evidence": {"total": "10.50"},
        "decision": "open",
        "waiting": True,
        "choice": None,
        "reason": "",
        "decided_by": None,
        "decided_at": None,
        "decision_run": None,
        "applied_by": None,
        "choices": [
            {
                "name": "number",
                "type": "string",
                "default": "",
                "help": "Another number for the order.",
                "choices": [],
            }
        ],
    }


def test_an_item_is_decided_once_and_a_run_carries_it_out():
    run, keys = unsure(3)
    first, second, third = numbers(run)
    caller = operator()
    given = {"decision": "choose", "choice": {"number": "B7"}, "reason": "asked"}
    answer = caller.post(f"reviews/{first}/decide/", given)
    assert answer.status_code == 202
    decision_run = Run.objects.get(pk=answer.json()["run"])
    assert answer["Location"].endswith(f"/runs/{decision_run.pk}/")
    assert answer.json()["reviewed"] == str(run.pk)
    work_run(decision_run)
    told = caller.get(f"reviews/{first}/").json()
    assert (told["decision"], told["choice"], told["waiting"]) == (
        "chosen",
        {"number": "B7"},
        False,
    )
    assert (told["decided_by"], told["reason"]) == ("operator", "asked")
    assert told["applied_by"] == str(decision_run.pk)
    assert Order.objects.get().number == "B7"

    again = caller.post(f"reviews/{first}/decide/", given)
    assert problem(again) == (409, "already_decided")
    assert again.json()["error"]["details"]["decided_by"] == "operator"
    skipped = caller.post(f"reviews/{second}/decide/", {"decision": "skip"})
    assert (skipped.status_code, skipped.json()["run"]) == (200, None)
    assert caller.get("reviews/", waiting="true").json()["count"] == 1

    rest = {"run": str(run.pk), "decision": "accept", "keys": [keys[2]]}
    assert caller.post("reviews/decide/", rest).status_code == 202
    assert ReviewItem.objects.get(pk=third).decision == "accepted"


def test_items_are_filtered_and_ordered_in_as_many_queries_whatever_their_number():
    run, keys = unsure(4)
    caller = operator()
    caller.get("reviews/")
    counts = []
    for size in (1, 4):
        with CaptureQueriesContext(connection) as queries:
            answer = caller.get("reviews/", page_size=size, ordering="id").json()
        counts.append(len(queries))
    assert counts == [2, 2]
    assert [item["key"] for item in answer["results"]] == keys
    for query, count in (
        ({"run": str(run.pk), "decision": "open"}, 4),
        ({"migration": "gather_notes"}, 0),
        ({"confidence_below": "0.4"}, 0),
        ({"confidence_from": "0.4", "key": keys[1]}, 1),
        ({"waiting": "false"}, 0),
    ):
        assert caller.get("reviews/", **query).json()["count"] == count, query
    for query in ({"decision": "maybe"}, {"run": "x"}, {"confidence_below": "7"}, {"step": "-1"}):
        assert problem(caller.get("reviews/", **query)) == (422, "validation_failed"), query


def test_what_cannot_be_decided_is_refused_and_changes_nothing():
    run, _ = unsure(1)
    (number,) = numbers(run)
    caller = operator()
    one, many = f"reviews/{number}/decide/", "reviews/decide/"
    unknown = {"run": str(run.pk), "decision": "accept", "keys": ["nobody"]}
    for path, given, expected in (
        (one, {"decision": "perhaps"}, (422, "validation_failed")),
        (one, {"decision": "choose", "choice": [1]}, (422, "validation_failed")),
        (one, {"decision": "choose"}, (409, "choice_missing")),
        (one, {"decision": "choose", "choice": {"colour": "x"}}, (422, "invalid_option")),
        (one, {"decision": "accept", "choice": {"number": "x"}}, (409, "choice_not_taken")),
        (many, unknown, (409, "unknown_review")),
        (many, {**unknown, "run": "nobody"}, (422, "validation_failed")),
        (many, {**unknown, "run": "00000000-0000-0000-0000-000000000000"}, (404, "unknown_run")),
        (f"reviews/{10**20}/decide/", {"decision": "skip"}, (404, "not_found")),
    ):
        assert problem(caller.post(path, given)) == expected, given
    assert ReviewItem.objects.get().decision == "open"


def test_who_may_not_is_refused():
    run, _ = unsure(1)
    (number,) = numbers(run)
    reader, guest = Caller(person("reader", "view_reviewitem")), Caller(person("guest"))
    given = {"decision": "skip"}
    assert problem(reader.post(f"reviews/{number}/decide/", given)) == (403, "permission_denied")
    many = {"run": str(run.pk), **given}
    assert problem(reader.post("reviews/decide/", many)) == (403, "permission_denied")
    assert problem(guest.get("reviews/")) == (403, "permission_denied")
    assert problem(guest.get(f"reviews/{number}/")) == (404, "not_found")
    for path in ("reviews/", f"reviews/{number}/"):
        assert Caller(None).get(path).status_code == 401
    assert Caller(None).post(f"reviews/{number}/decide/", given).status_code == 401
