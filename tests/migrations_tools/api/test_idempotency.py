"""Requests sent twice are carried out once, also at the same moment."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIRequestFactory, force_authenticate
from rest_framework.views import APIView

from migrations_tools.api.idempotency import KEPT, LONGEST, REPLAYED, idempotent, idempotent_apart
from migrations_tools.engine.advisory import advisory_lock
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import IdempotencyKey
from tests.shop.models import DayBook


class OpenBook(APIView):
    """Opens the book of a day, which may be done once."""

    @idempotent
    def post(self, request: Request) -> Response:
        day = dict(request.data)["day"]
        if day == "closed":
            raise CarryoverError("The shop is closed on that day.", code="closed")
        book = DayBook.objects.create(day=day)
        return Response({"id": book.pk}, status=201, headers={"Location": f"/books/{book.pk}/"})


def post(user: User, day: str, key: str | None) -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    request = APIRequestFactory().post("/books/", {"day": day}, format="json", headers=headers)
    force_authenticate(request, user)
    return OpenBook.as_view()(request)


@pytest.fixture
def user() -> User:
    return User.objects.create_user("somebody")


@pytest.mark.django_db
def test_the_second_request_is_given_the_answer_of_the_first(user):
    first, second = post(user, "2025-01-01", "a"), post(user, "2025-01-01", "a")

    assert DayBook.objects.count() == 1
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.data == first.data
    assert second["Location"] == first["Location"]
    assert REPLAYED not in first
    assert second[REPLAYED] == "true"


@pytest.mark.django_db
def test_a_key_belongs_to_one_request_of_one_person(user):
    post(user, "2025-01-01", "a")

    other_day = post(user, "2025-01-02", "a")
    other_person = post(User.objects.create_user("other"), "2025-01-03", "a")

    assert other_day.status_code == 422
    assert other_day.data["error"]["code"] == "idempotency_key_reused"
    assert other_person.status_code == 201
    assert DayBook.objects.count() == 2


@pytest.mark.django_db
def test_a_refusal_keeps_nothing_and_may_be_tried_again(user):
    refused = post(user, "closed", "a")

    assert (refused.status_code, refused.data["error"]["code"]) == (409, "closed")
    assert not IdempotencyKey.objects.exists()
    assert post(user, "2025-01-01", "a").status_code == 201


@pytest.mark.django_db
def test_a_key_is_forgotten_after_a_day(user):
    post(user, "2025-01-01", "a")
    IdempotencyKey.objects.update(created_at=timezone.now() - KEPT - timedelta(seconds=1))

    assert post(user, "2025-01-02", "a").status_code == 201


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["", "ÿ", "x" * (LONGEST + 1), "a\tb"])
def test_keys_that_cannot_be_kept_are_refused(user, key):
    answer = post(user, "2025-01-01", key)

    assert (answer.status_code, answer.data["error"]["code"]) == (422, "invalid_idempotency_key")
    assert not DayBook.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_requests_at_the_same_moment_are_one(user):
    answers = []
    together = threading.Barrier(4)

    def send() -> None:
        try:
            together.wait(10)
            answers.append(post(user, "2025-01-01", "a"))
        finally:
            connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)

    assert [answer.status_code for answer in answers] == [201] * 4
    assert len({answer.data["id"] for answer in answers}) == 1
    assert DayBook.objects.count() == 1


class StopBook(APIView):
    """A deed with a transaction of its own."""

    @idempotent_apart
    def post(self, request: Request) -> Response:
        with transaction.atomic(durable=True):
            if not DayBook.objects.filter(day=dict(request.data)["day"]).delete()[0]:
                raise CarryoverError("There is no such book.", code="no_book")
        return Response({"deleted": True})


def stop(user: User, day: str, key: str) -> Any:
    request = APIRequestFactory().post(
        "/books/stop/", {"day": day}, format="json", headers={"Idempotency-Key": key}
    )
    force_authenticate(request, user)
    return StopBook.as_view()(request)


@pytest.mark.django_db(transaction=True)
def test_a_deed_with_its_own_transactions_is_done_once_too(user):
    DayBook.objects.create(day="2025-01-01")

    assert stop(user, "2025-01-02", "a").data["error"]["code"] == "no_book"
    first, second = stop(user, "2025-01-01", "a"), stop(user, "2025-01-01", "a")

    assert (first.status_code, second.status_code, second.data) == (200, 200, first.data)
    assert second[REPLAYED] == "true"
    assert stop(user, "2025-01-03", "a").data["error"]["code"] == "idempotency_key_reused"


@pytest.mark.django_db(transaction=True)
def test_a_second_request_is_refused_while_the_first_is_in_hand(user):
    answers = []

    def send() -> None:
        try:
            answers.append(stop(user, "2025-01-01", "a"))
        finally:
            connection.close()

    with advisory_lock(f"carryover idempotency {user.pk} a"):
        thread = threading.Thread(target=send)
        thread.start()
        thread.join(20)

    assert [answer.data["error"]["code"] for answer in answers] == ["idempotency_key_in_use"]
