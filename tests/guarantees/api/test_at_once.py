"""The same action twice at the same moment, over connections of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from guarantees.models import GuaranteeAction
from tests.guarantees.api.calling import Caller, chief
from tests.guarantees.services.acting import guarantee

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(count: int, path: str, **headers: str) -> list[Any]:
    together, user = Barrier(count), chief()
    callers = [Caller(user) for _ in range(count)]

    def send(caller: Caller) -> Any:
        together.wait(timeout=10)
        try:
            return caller.post(path, {}, **headers)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(send, callers))


def test_a_double_release_is_one_release():
    path = f"guarantees/{guarantee().pk}/release/"
    answers = at_once(4, path)
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert GuaranteeAction.objects.count() == 1

    with_key = f"guarantees/{guarantee(number='LG-2').pk}/extend/"
    answers = at_once(4, with_key, Idempotency_Key="form-17")
    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert GuaranteeAction.objects.count() == 2
