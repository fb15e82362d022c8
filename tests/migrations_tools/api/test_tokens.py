"""Tokens: given for a password, refused after too many, handed back; and who one is."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.core.cache import cache
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from knox.models import AuthToken
from rest_framework.test import APIClient

pytestmark = pytest.mark.django_db

LOGIN = "/api/v1/auth/login/"


@pytest.fixture(autouse=True)
def no_throttle() -> None:
    cache.clear()


@pytest.fixture
def clerk() -> User:
    return User.objects.create_user("clerk", password="a long password", first_name="Amal")


def post(address: str, data: Any = None, token: str = "") -> Any:
    client = APIClient()
    if token:
        client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client.post(address, json.dumps(data), content_type="application/json")


def login(password: str = "a long password") -> Any:  # noqa: S107 - of a test
    return post(LOGIN, {"username": "clerk", "password": password})


def me(token: str) -> Any:
    return APIClient().get("/api/v1/me/", headers={"Authorization": f"Token {token}"})


def test_a_token_lets_in_until_it_expires_or_is_handed_back(clerk):
    first, second = login(), login()
    assert first.status_code == 200
    assert set(first.json()) == {"token", "expiry"}
    expiry = parse_datetime(first.json()["expiry"])
    assert expiry is not None
    assert expiry > timezone.now() + timedelta(hours=9)
    tokens = [answer.json()["token"] for answer in (first, second)]
    assert tokens[0] not in str(AuthToken.objects.values())

    assert me(tokens[0]).json()["username"] == "clerk"
    assert post("/api/v1/auth/logout/", token=tokens[0]).status_code == 204
    assert [me(token).status_code for token in tokens] == [401, 200]
    AuthToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert me(tokens[1]).status_code == 401


def test_all_tokens_of_a_person_are_handed_back_and_no_others(clerk):
    other = AuthToken.objects.create(User.objects.create_user("other"))[1]
    tokens = [login().json()["token"] for _ in range(2)]
    assert post("/api/v1/auth/logoutall/", token=tokens[0]).status_code == 204
    assert [me(token).status_code for token in [*tokens, other]] == [401, 401, 200]


def test_who_one_is_and_what_one_may_do(clerk):
    clerk.groups.add(Group.objects.create(name="Testers"))
    clerk.user_permissions.add(Permission.objects.get(codename="run"))
    answer = me(login().json()["token"])
    assert answer.json() == {
        "id": clerk.pk,
        "username": "clerk",
        "name": "Amal",
        "is_staff": False,
        "is_superuser": False,
        "groups": ["Testers"],
        "permissions": ["migrations_tools.run"],
    }


def test_whatever_is_wrong_the_answer_is_the_same(clerk):
    wrong = [login("wrong"), post(LOGIN, {"username": "nobody", "password": "a long password"})]
    clerk.is_active = False
    clerk.save()
    wrong.append(login())
    told = {(answer.status_code, answer.json()["error"]["code"]) for answer in wrong}
    assert told == {(401, "login_failed")}
    assert len({answer.json()["error"]["message"] for answer in wrong}) == 1


def test_too_many_wrong_passwords_lock_the_account_in_the_envelope(clerk, settings):
    answers = [login("wrong") for _ in range(settings.AXES_FAILURE_LIMIT + 1)]
    assert [answer.status_code for answer in answers[:-2]] == [401] * (len(answers) - 2)
    locked = [*answers[-2:], login()]  # the right password does not help now
    told = {(answer.status_code, answer.json()["error"]["code"]) for answer in locked}
    assert told == {(429, "locked_out")}
    cool_off = int(settings.AXES_COOLOFF_TIME.total_seconds())
    assert {answer["Retry-After"] for answer in locked} == {str(cool_off)}
    assert not AuthToken.objects.exists()


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"username": "clerk"},
        {"username": "", "password": ""},
        {"username": "cl\x00erk", "password": "x"},
        {"username": "cl\ud800erk", "password": "x"},
        {"username": "x" * 151, "password": "x"},
        {"username": "clerk", "password": "x" * 4097},
        {"username": ["clerk"], "password": {}},
        [],
    ],
)
def test_what_is_no_name_or_password_is_told_by_field(given, clerk):
    answer = post(LOGIN, given)
    assert (answer.status_code, answer.json()["error"]["code"]) == (422, "validation_failed")


@pytest.mark.parametrize("address", ["/api/v1/auth/logout/", "/api/v1/auth/logoutall/"])
def test_strangers_have_no_token_to_hand_back(address):
    assert post(address).status_code == 401
    assert post(address, token="0" * 64).status_code == 401
