"""Every operation of the description, asked by strangers and by a person without any right."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from rest_framework.throttling import SimpleRateThrottle

pytestmark = pytest.mark.django_db

NOBODY: Final = "00000000-0000-4000-8000-000000000000"
METHODS: Final = ("get", "post", "put", "patch", "delete")
#: What strangers may ask.
OPEN: Final = {"auth_login"}
#: What anybody who is logged in may ask: of themselves, or of what they see of others.
OWN: Final = {
    "agent_sessions_recover",
    "agent_sessions_resolution",
    "agent_sessions_start",
    "auth_logout",
    "auth_logoutall",
    "credits_balance",
    "legacy_imports_uploads_list",
    "me",
    "progress_own",
    "projects_list",  # which one could take for a session
}
#: Answers that tell nothing: refused, hidden, or a request that was not looked at any further.
REFUSED: Final = {400, 403, 404, 409, 415, 422}


@pytest.fixture(autouse=True)
def no_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    cache.clear()
    rates = dict.fromkeys(SimpleRateThrottle.THROTTLE_RATES)
    monkeypatch.setattr(SimpleRateThrottle, "THROTTLE_RATES", rates)


def operations() -> Iterator[tuple[str, str, str]]:
    """Operation id, method and address; parameters of addresses have a value."""
    described: Any = SchemaGenerator().get_schema(public=True)
    for path, item in described["paths"].items():
        for method in METHODS:
            if method in item:
                address = path
                for each in item[method].get("parameters", ()):
                    value = NOBODY if each["schema"].get("format") == "uuid" else "1"
                    address = address.replace(f"{{{each['name']}}}", value)
                yield item[method]["operationId"], method, address


def ask(client: Client, method: str, address: str) -> Any:
    body = {} if method == "get" else {"data": "{}", "content_type": "application/json"}
    return getattr(client, method)(address, **body)


def nothing(answer: Any) -> bool:
    """Whether it is a list without anything on it."""
    if answer["Content-Type"].startswith("text/calendar"):
        return b"VEVENT" not in answer.content
    told = answer.json()
    return answer.status_code == 200 and not (
        told.get("results", True) if isinstance(told, dict) else told
    )


def test_every_operation_has_a_name_of_its_own() -> None:
    names = [name for name, _, _ in operations()]
    assert len(names) == len(set(names)) > 40
    assert set(names) >= OPEN | OWN


def test_strangers_are_told_to_log_in() -> None:
    answers = {
        name: ask(Client(), method, address).status_code
        for name, method, address in operations()
        if name not in OPEN
    }
    assert {name: status for name, status in answers.items() if status != 401} == {}


def test_a_person_without_any_right_is_refused_or_shown_nothing() -> None:
    client = Client()
    client.force_login(User.objects.create_user("guest"))
    shown = {}
    for name, method, address in operations():
        if name in OPEN | OWN:
            continue
        answer = ask(client, method, address)
        if answer.status_code not in REFUSED and not nothing(answer):
            shown[name] = (method, address, answer.status_code)
    assert shown == {}
