"""Statements are counted for the request that makes them, whatever else is served meanwhile."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from asgiref.sync import sync_to_async
from django.db import DatabaseError, connection, connections
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from migrations_tools.api.query_counts import (
    COUNT_HEADER,
    TIME_HEADER,
    counting_queries,
    query_count_middleware,
)


def ask(times: int) -> None:
    with connection.cursor() as cursor:
        for _ in range(times):
            cursor.execute("SELECT 1")


def ask_elsewhere(times: int) -> None:
    """In another thread, whose connection nobody else closes."""
    try:
        ask(times)
    finally:
        connections.close_all()


def answer(request: HttpRequest) -> HttpResponse:
    ask(int(request.GET["times"]))
    return HttpResponse("done")


@pytest.mark.django_db
def test_every_statement_counts_also_one_that_fails() -> None:
    with counting_queries() as outer:
        ask(2)
        with counting_queries() as inner, pytest.raises(DatabaseError):
            connection.cursor().execute("SELECT nothing_there")
    with pytest.raises(DatabaseError):
        ask(1)
    assert (inner.queries, outer.queries) == (1, 2)
    assert outer.seconds > 0


@pytest.mark.django_db
def test_a_wrapper_of_somebody_else_is_kept() -> None:
    seen: list[str] = []

    def note(execute, sql, *rest):
        seen.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note), counting_queries() as count:
        ask(1)
    ask(1)
    assert (seen, count.queries) == (["SELECT 1"], 1)


@pytest.mark.django_db(transaction=True)
def test_threads_count_apart() -> None:
    together = Barrier(4)

    def work(times: int) -> int:
        try:
            with counting_queries() as count:
                for _ in range(times):
                    together.wait(timeout=30)
                    ask(times)
                for _ in range(4 - times):
                    together.wait(timeout=30)
            return count.queries
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, (1, 2, 3, 4))) == [1, 4, 9, 16]


@pytest.mark.django_db(transaction=True)
def test_tasks_of_one_event_loop_count_apart() -> None:
    async def work(times: int) -> int:
        with counting_queries() as count:
            for _ in range(times):
                await sync_to_async(ask_elsewhere)(1)
                await asyncio.sleep(0)
        return count.queries

    async def all_at_once() -> list[int]:
        return list(await asyncio.gather(*(work(times) for times in (1, 2, 3))))

    assert asyncio.run(all_at_once()) == [1, 2, 3]


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [True, False])
def test_a_request_is_logged_with_its_statements(
    debug: bool, settings: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture
) -> None:
    settings.DEBUG = debug  # type: ignore[attr-defined]  # the fixture of pytest-django
    request = RequestFactory().get("/anywhere/", {"times": "3"})
    with caplog.at_level(logging.INFO, "migrations_tools.api.query_counts"):
        response = query_count_middleware(answer)(request)
    [record] = caplog.records
    assert (record.queries, record.status, record.method) == (3, 200, "GET")  # type: ignore[attr-defined]
    assert record.seconds >= record.query_seconds > 0  # type: ignore[attr-defined]
    assert "anywhere" not in record.getMessage()
    assert (response.get(COUNT_HEADER) == "3") is debug
    assert response.has_header(TIME_HEADER) is debug


@pytest.mark.django_db
def test_an_asynchronous_view_is_counted_too(settings: pytest.FixtureRequest) -> None:
    settings.DEBUG = True  # type: ignore[attr-defined]

    async def answer_async(request: HttpRequest) -> HttpResponse:
        await sync_to_async(ask_elsewhere)(int(request.GET["times"]))
        return HttpResponse("done")

    async def served() -> HttpResponse:
        request = RequestFactory().get("/", {"times": "2"})
        response: HttpResponse = await query_count_middleware(answer_async)(request)
        return response

    assert asyncio.run(served())[COUNT_HEADER] == "2"
