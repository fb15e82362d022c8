"""Several clerks at once, on connections of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from guarantees.action_errors import ActionRefused
from guarantees.models import ActionSession, GuaranteeAction
from guarantees.services.actions import issue_action
from tests.guarantees.services.acting import asked, currently, guarantee, who

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*requests: Any) -> list[Any]:
    """The action or the refusal's code of each request, all sent at the same time."""
    together, actor = Barrier(len(requests)), who()

    def send(request: Any) -> Any:
        together.wait(timeout=10)
        try:
            return issue_action(request, **actor).pk
        except ActionRefused as refused:
            return refused.code
        finally:
            connection.close()

    with ThreadPoolExecutor(len(requests)) as pool:
        return list(pool.map(send, requests))


def test_two_clerks_cannot_both_release():
    found = guarantee()
    answers = at_once(*[asked("release")] * 4)
    assert sorted(map(str, answers))[1:] == ["already_released"] * 3
    assert GuaranteeAction.objects.count() == 1
    assert currently(found)[2] == "released"


def test_a_double_submit_makes_one_action():
    guarantee()
    answers = at_once(*[asked("release", idempotency_key="k")] * 4)
    assert answers == [GuaranteeAction.objects.get().pk] * 4


def test_one_key_for_two_guarantees_makes_one_action():
    guarantee()
    guarantee(number="LG-2")
    answers = at_once(asked(idempotency_key="k"), asked(number="LG-2", idempotency_key="k"))
    assert answers.count("key_reused") == 1
    assert GuaranteeAction.objects.count() == 1


def test_the_counters_of_the_day_are_right():
    for number in range(6):
        guarantee(number=f"LG-{number}")
    at_once(*[asked(number=f"LG-{number}") for number in range(6)])
    (session,) = ActionSession.objects.all()
    assert (session.total_actions, session.issued_actions) == (6, 6)
    assert session.actions.count() == 6
