"""The data migrations, and asking for plans, dry runs and runs of them."""

from __future__ import annotations

import pytest

from migrations_tools.models import Run, Transition
from migrations_tools.services.runs import start_run, work_run
from migrations_tools.services.verification import verify_waiting
from tests.migrations_tools.api.requests import Caller, made, operator, problem
from tests.migrations_tools.engine.test_running import actor, stage
from tests.migrations_tools.people import person
from tests.shop.models import Order

NAME = "data-migrations/carry_orders/"


@pytest.mark.django_db(transaction=True)
def test_a_data_migration_is_asked_for_planned_tried_and_run():
    caller = operator()
    stage(3)
    plan = caller.post(f"{NAME}plan/", {"options": {"prefix": "N"}, "limit": 2})
    assert (plan.json()["kind"], plan.json()["state"]) == ("plan", "planned")
    told = caller.get(f"runs/{made(plan)}/").json()
    assert (told["state"], told["total"], told["outcomes"]["applied"]) == ("completed", 2, 2)
    assert told["options"] == {"prefix": "N"}
    assert len(told["forecast"]["samples"]) == 2

    tried = caller.get(f"runs/{made(caller.post(f'{NAME}dry-run/'))}/").json()
    assert (tried["kind"], tried["state"], tried["total"]) == ("dry_run", "completed", 3)
    assert not Order.objects.exists()

    done = caller.get(f"runs/{made(caller.post(f'{NAME}run/', {'reason': 'now'}))}/").json()
    assert (done["kind"], done["state"], done["reason"]) == ("apply", "completed", "now")
    assert Order.objects.count() == 3

    detail = caller.get(NAME).json()
    assert detail["last_run"] == done["run"]
    assert (detail["state"], detail["verification"], detail["pending"]) == ("completed", "none", 0)

    asked = caller.post(f"{NAME}verify/")
    assert (asked.status_code, asked.json()) == (202, {"runs": [done["run"]]})
    assert asked["Location"].endswith(f"/api/v1/{NAME}")
    verify_waiting()
    assert caller.get(NAME).json()["verification"] == "passed"

    again = caller.post(f"{NAME}run/")
    assert again.status_code == 200
    assert (again.json()["run"], again.json()["total"]) == (None, 0)


@pytest.mark.django_db
def test_a_definition_is_told_with_its_options_and_what_waits():
    stage(2)
    caller = Caller(person("reader", "view_run"))
    detail = caller.get(NAME).json()
    assert detail["options"] == [
        {
            "name": "prefix",
            "type": "string",
            "default": "",
            "help": "Put before every number.",
            "choices": [],
        },
        {
            "name": "strict",
            "type": "boolean",
            "default": False,
            "help": "Reject totals of zero.",
            "choices": [],
        },
    ]
    assert (detail["pending"], detail["last_run"], detail["active_runs"]) == (2, None, [])
    listed = caller.get("data-migrations/", page_size=3).json()
    assert listed["count"] > len(listed["results"]) == 3
    names = [found["name"] for found in caller.get("data-migrations/").json()["results"]]
    assert names == sorted(names)
    assert "carry_orders" in names


@pytest.mark.django_db(transaction=True)
def test_the_list_takes_as_many_queries_with_many_runs(django_assert_num_queries):
    caller = operator()
    caller.get("data-migrations/")
    stage(2)
    run = start_run("carry_orders", **actor())
    assert run is not None
    with django_assert_num_queries(1):
        caller.get("data-migrations/")
    assert run is not None
    work_run(run)
    for _ in range(3):
        start_run("gather_notes", **actor())
    with django_assert_num_queries(1):
        caller.get("data-migrations/")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("path", "given", "expected"),
    [
        ("data-migrations/nothing/plan/", {}, (404, "unknown_migration")),
        (f"{NAME}plan/", {"options": {"colour": "red"}}, (422, "invalid_option")),
        (f"{NAME}plan/", {"options": ["prefix"]}, (422, "validation_failed")),
        (f"{NAME}plan/", {"options": {"prefix": {"deep": 1}}}, (422, "validation_failed")),
        (f"{NAME}plan/", {"options": {"prefix": "\ud800"}}, (422, "validation_failed")),
        (f"{NAME}run/", {"limit": 0}, (422, "validation_failed")),
        (f"{NAME}run/", {"limit": 10**30}, (422, "validation_failed")),
        (f"{NAME}run/", {"reason": "a\x00b"}, (422, "validation_failed")),
        (f"{NAME}run/", [], (422, "validation_failed")),
        ("runs/", {"migration": "carry_orders", "kind": "rollback"}, (422, "validation_failed")),
        ("runs/", {"kind": "plan"}, (422, "validation_failed")),
    ],
)
def test_what_cannot_be_asked_for_is_refused(path, given, expected):
    stage(1)
    assert problem(operator().post(path, given)) == expected
    assert not Run.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_second_run_is_refused_while_one_is_active():
    stage(1)
    caller = operator()
    active = start_run("carry_orders", **actor())
    assert active is not None
    for path in ("plan/", "run/"):
        answer = caller.post(NAME + path)
        assert problem(answer) == (409, "run_active")
        assert answer.json()["error"]["details"] == {"run": str(active.pk)}


@pytest.mark.django_db
def test_a_request_that_is_sent_twice_makes_one_run():
    stage(1)
    caller = operator()
    answers = [caller.post(f"{NAME}plan/", {}, key="k1") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json()["run"] == answers[1].json()["run"]
    assert Run.objects.count() == 1


@pytest.mark.django_db
def test_who_may_not_is_refused_on_record_and_who_may_not_see_sees_nothing():
    stage(1)
    guest = Caller(person("guest"))
    assert problem(guest.get("data-migrations/")) == (403, "permission_denied")
    assert problem(guest.get(NAME)) == (404, "not_found")
    assert problem(guest.post(f"{NAME}run/")) == (403, "permission_denied")
    assert problem(guest.post(f"{NAME}verify/")) == (404, "not_found")
    assert not Run.objects.exists()
    assert guest.user is not None
    refused = Transition.objects.get(actor=guest.user)
    assert (refused.action, refused.surface) == ("refused", "api")
    assert Caller(None).get("data-migrations/").status_code == 401
