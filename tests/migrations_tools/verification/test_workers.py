"""Verifying on several connections, and in the background."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from django.core.management import call_command

from migrations_tools.definitions import registry
from migrations_tools.exceptions import PermissionRefused
from migrations_tools.models import Check, Run, Transition
from migrations_tools.services.verification import (
    request_verification,
    request_verifications,
    verify_waiting,
)
from tests.migrations_tools.people import person
from tests.migrations_tools.test_datamigrate import datamigrate
from tests.migrations_tools.verification.shop import carry, execute, stage, verified
from tests.shop.data_migrations import CarryOrders

pytestmark = pytest.mark.django_db(transaction=True)


def test_several_connections_find_what_one_finds() -> None:
    stage(7)
    run = carry()
    execute("UPDATE shop_order SET total = total + 1 WHERE number = 'A3'")
    alone = verified(run)
    assert not alone["ok"]
    code, together = datamigrate("verify", str(run.pk), "--workers", "4")
    assert code == 3
    for answer in (alone, together):
        del answer["verification"]
        for check in answer["checks"]:
            check.pop("seconds", None)
    assert together == alone
    assert datamigrate("verify", "carry_orders", "--workers", "2")[0] == 3


def test_workers_verify_what_was_left_to_them_in_the_name_of_who_asked() -> None:
    stage(3)
    run = carry()
    code, answer = datamigrate("verify", str(run.pk), "--background")
    assert (code, answer["run"], answer["state"]) == (0, str(run.pk), "completed")
    assert not Check.objects.exists()
    call_command("worker", "--once")
    run.refresh_from_db()
    assert run.verification_state == "passed"
    asked, told = Transition.objects.filter(run=run).order_by("-id")[:2][::-1]
    assert (asked.action, told.action, told.surface) == ("request_verification", "verify", "worker")
    assert asked.actor == told.actor
    assert verify_waiting() is None


def test_verifying_takes_the_right_to_run(settings: Any) -> None:
    stage(1)
    run = carry()
    who: dict[str, Any] = {"acting_user": person("auditor", "view_run"), "surface": "api"}
    for ask in (partial(request_verification, run), partial(request_verifications, CarryOrders)):
        with pytest.raises(PermissionRefused):
            ask(**who)
    settings.CARRYOVER_ACTOR = "auditor"
    code, answer = datamigrate("verify", str(run.pk))
    assert (code, answer["error"]["code"]) == (1, "permission_denied")
    run.refresh_from_db()
    assert run.verification_state == "none"
    assert not Check.objects.exists()


def test_all_standing_runs_of_a_definition_are_left_to_the_workers() -> None:
    assert datamigrate("verify", "carry_orders", "--background")[1]["run"] is None
    stage(2)
    first = carry()
    stage(2)
    second = carry()
    answer = datamigrate("verify", "carry_orders", "--background")[1]
    assert answer["run"] == str(second.pk)
    execute("UPDATE shop_order SET total = 0 WHERE number = 'A0'")
    call_command("worker", "--once")
    states = dict(Run.objects.values_list("pk", "verification_state"))
    assert (states[first.pk], states[second.pk]) == ("failed", "passed")


def test_what_cannot_be_verified_is_not_left_to_anybody(monkeypatch: pytest.MonkeyPatch) -> None:
    stage(2)
    plan = datamigrate("plan", "carry_orders")[1]
    code, answer = datamigrate("verify", plan["run"], "--background")
    assert (code, answer["error"]["code"]) == (1, "not_verifiable")
    run = carry()
    datamigrate("verify", str(run.pk), "--background")
    monkeypatch.delitem(registry._definitions, "carry_orders")
    assert verify_waiting() == run
    run.refresh_from_db()
    assert run.verification_state == "none"
