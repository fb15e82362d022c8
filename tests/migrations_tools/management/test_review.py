"""``datamigrate review``: listing and deciding from a shell."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from migrations_tools.models import Run, Transition
from migrations_tools.services import reviews
from tests.migrations_tools.engine.test_running import actor, stage
from tests.migrations_tools.services.test_reviews import carry, orders, rolled_back, unsure
from tests.migrations_tools.test_datamigrate import SUMMARY_KEYS, datamigrate
from tests.shop.models import Order

pytestmark = pytest.mark.django_db(transaction=True)


def test_list_answers_the_queue_open_items_first() -> None:
    run, (first, second) = unsure(2)
    reviews.decide(run, "skipped", [first], reason="a duplicate", **actor())
    code, answer = datamigrate("review", str(run.pk).upper(), "list")
    assert (code, answer["run"]) == (0, str(run.pk))
    assert answer["items"] == [
        {
            "key": second,
            "confidence": 0.4,
            "proposal": {"number": "A1"},
            "evidence": {"total": "10.50"},
            "decision": "open",
            "decided_by": None,
            "reason": "",
        },
        {
            "key": first,
            "confidence": 0.4,
            "proposal": {"number": "A0"},
            "evidence": {"total": "10.50"},
            "decision": "skipped",
            "decided_by": "system",
            "reason": "a duplicate",
        },
    ]


def test_a_decision_ends_with_the_summary_of_its_run() -> None:
    run, (key, _) = unsure(2)
    code, answer = datamigrate("review", "last", "accept", key, "--reason", "checked")
    assert code == 0
    assert answer.keys() >= SUMMARY_KEYS
    assert (answer["kind"], answer["state"], answer["total"]) == ("apply", "completed", 1)
    assert answer["run"] != str(run.pk)
    assert Transition.objects.filter(run=run, action="review", reason="checked").exists()
    code, proof = datamigrate("verify", answer["run"])
    assert (code, proof["ok"]) == (0, True)


def test_last_means_the_queue_and_not_the_run_that_applied_its_decisions() -> None:
    run, (key, other) = unsure(2)
    assert datamigrate("review", "last", "accept", key)[0] == 0
    assert datamigrate("review", "last", "list")[1]["run"] == str(run.pk)
    assert datamigrate("rollback", "last", "--reason", "too soon")[0] == 0
    _, answer = datamigrate("review", "last", "list")
    assert (answer["run"], [item["decision"] for item in answer["items"]]) == (
        str(run.pk),
        ["open", "open"],
    )
    assert datamigrate("review", "last", "park", other)[1]["outcomes"]["skipped"] == 1


def test_a_choice_is_a_flag() -> None:
    (key,) = orders("1.50")
    carry("file_orders")
    code, answer = datamigrate("review", "last", "choose", key, "--project", "lamps")
    assert (code, answer["outcomes"]["applied"]) == (0, 1)
    assert Order.objects.get().note == "lamps"


def test_skip_answers_the_list() -> None:
    _, (key,) = unsure(1)
    code, answer = datamigrate("review", "last", "skip", key)
    assert code == 0
    assert [(item["key"], item["decision"]) for item in answer["items"]] == [(key, "skipped")]


def test_nothing_left_to_decide_is_no_run_and_exits_with_0() -> None:
    unsure(1)
    datamigrate("review", "last", "skip")
    code, answer = datamigrate("review", "last", "accept")
    assert (code, answer["run"], answer["total"]) == (0, None, 0)
    assert datamigrate("review", "last", "skip")[0] == 0


def test_what_could_not_be_applied_exits_with_2_and_is_open_again() -> None:
    (key,) = orders("1.50")
    carry("file_orders")
    Order.objects.update(note="somebody was faster")
    code, answer = datamigrate("review", "last", "accept", key)
    assert (code, answer["outcomes"]["conflict"]) == (2, 1)
    assert answer["problems"] == [
        {
            "key": key,
            "outcome": "conflict",
            "code": "changed_since_plan",
            "detail": "The row is not among those to be carried over any more; "
            "what stands there stays.",
        }
    ]
    assert datamigrate("review", "last", "list")[1]["items"][0]["decision"] == "open"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("accept", "no-such-key"), "unknown_review"),
        (("choose",), "keys_missing"),
        (("choose", "KEY"), "choice_missing"),
        (("choose", "KEY", "--project", "nowhere"), "PROJECT_NOT_FOUND"),
        (("choose", "KEY", "--number", "B1"), "invalid_option"),
        (("park", "KEY", "--project", "lamps"), "choice_not_taken"),
    ],
)
def test_a_refusal_is_a_code_a_sentence_and_exit_1(arguments: tuple[str, ...], code: str) -> None:
    (key,) = orders("1.50")
    carry("file_orders")
    exit_code, answer = datamigrate(
        "review", "last", *(key if argument == "KEY" else argument for argument in arguments)
    )
    assert (exit_code, answer["error"]["code"]) == (1, code)
    assert datamigrate("review", "last", "list")[1]["items"][0]["decision"] == "open"


def test_a_decision_twice_is_refused_with_who_and_when() -> None:
    _, (key,) = unsure(1)
    assert datamigrate("review", "last", "accept", key)[0] == 0
    code, answer = datamigrate("review", "last", "park", key)
    assert (code, answer["error"]["code"]) == (1, "already_decided")
    assert f"{key} was decided already: accepted, by system, 20" in answer["error"]["message"]


def test_background_leaves_the_decision_to_the_worker() -> None:
    unsure(2)
    code, answer = datamigrate("review", "last", "accept", "--background")
    assert (code, answer["state"]) == (0, "queued")
    assert not Order.objects.exists()
    call_command("worker", "--once")
    assert datamigrate("status", answer["run"])[1]["outcomes"]["applied"] == 2


def test_who_may_not_review_is_refused(settings: Any, django_user_model: Any) -> None:
    _, (key,) = unsure(1)
    django_user_model.objects.create_user("omar")
    settings.CARRYOVER_ACTOR = "omar"
    code, answer = datamigrate("review", "last", "accept", key)
    assert (code, answer["error"]["code"]) == (1, "permission_denied")
    assert datamigrate("review", "last", "list")[0] == 0


def test_a_rolled_back_run_has_nothing_to_decide() -> None:
    stage(1)
    run, _ = unsure(1)
    rolled_back(run)
    assert datamigrate("review", str(run.pk), "list") == (0, {"run": str(run.pk), "items": []})


def test_the_table_is_for_people() -> None:
    _, (key, other) = unsure(2)
    datamigrate("review", "last", "skip", other, "--reason", "a duplicate")
    out = io.StringIO()
    call_command("datamigrate", "review", "last", "list", stdout=out)
    head, *rows = out.getvalue().splitlines()
    assert head.split("  ")[0] == "key"
    width = len(max([key, other, "key"], key=len))
    assert rows == [
        f"{key:{width}}  open      0.40        number: A0  total: 10.50",
        f"{other:{width}}  skipped   0.40        number: A1  total: 10.50  system: a duplicate",
    ]


def test_usage_names_what_can_be_done() -> None:
    with pytest.raises(CommandError, match="invalid choice: 'approve'"):
        call_command("datamigrate", "review", "last", "approve")


def test_a_run_with_reviews_says_how_to_decide_them() -> None:
    stage(1, kind="unsure")
    out = io.StringIO()
    call_command("datamigrate", "run", "carry_orders", stdout=out)
    run = Run.objects.get(kind="apply")
    assert f"datamigrate review {run.pk} list" in out.getvalue()


def test_health_counts_what_waits_and_tells_of_the_run_that_asked() -> None:
    stage(1, total="-1")
    run, (key, _) = unsure(2)
    datamigrate("review", "last", "accept", key)
    figures = datamigrate("health")[1]["migrations"]["carry_orders"]
    assert (figures["awaiting_review"], figures["quarantined"]) == (1, 1)
    assert figures["last_run"] == str(run.pk)
