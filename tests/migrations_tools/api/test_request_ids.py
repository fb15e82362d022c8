"""A request is found in the logs by its id, whether it failed or not."""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from structlog.contextvars import get_contextvars, unbind_contextvars

from migrations_tools.api.request_ids import REQUEST_ID_HEADER, request_id_middleware


class _Lines(logging.Handler):
    """Keeps what every line would be rendered with."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append((record.getMessage(), get_contextvars().get("request_id")))


@pytest.fixture
def lines() -> Iterator[list[tuple[str, Any]]]:
    handler = _Lines()
    logger = logging.getLogger()
    logger.addHandler(handler)
    yield handler.found
    logger.removeHandler(handler)
    unbind_contextvars("request_id")


@pytest.mark.django_db
def test_every_line_of_a_request_has_the_id_that_its_caller_sent(
    client: Client, lines: list[tuple[str, Any]], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "migrations_tools.api")
    answer = client.get("/api/v1/lessons/", headers={REQUEST_ID_HEADER: "ours-1"})
    assert answer.status_code == 401
    assert (answer.json()["error"]["request_id"], answer[REQUEST_ID_HEADER]) == ("ours-1", "ours-1")
    assert lines == [("request", "ours-1"), ("Unauthorized: /api/v1/lessons/", "ours-1")]
    assert "request_id" not in get_contextvars()


@pytest.mark.parametrize("given", ["", "a b", "x" * 65])
@pytest.mark.usefixtures("lines")
def test_what_is_no_id_is_replaced(given: str) -> None:
    seen: list[Any] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(get_contextvars()["request_id"])
        return HttpResponse("done")

    async def view_async(request: HttpRequest) -> HttpResponse:
        return view(request)

    request = RequestFactory().get("/", headers={REQUEST_ID_HEADER: given})
    answers = [
        request_id_middleware(view)(request),
        asyncio.run(request_id_middleware(view_async)(RequestFactory().get("/"))),
    ]
    assert [answer[REQUEST_ID_HEADER] for answer in answers] == seen
    assert {uuid.UUID(found).version for found in seen} == {4}
    assert seen[0] != seen[1]
