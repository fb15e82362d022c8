"""How many database statements a request made, and how long they took (lessons.md "Figures").

The figures are in a context variable: requests that are served side by side, in threads or in
tasks of one event loop, count apart.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware

from migrations_tools.metrics.requests import observe_request

#: Headers of an answer, only where DEBUG is on.
COUNT_HEADER: Final = "X-Query-Count"
TIME_HEADER: Final = "X-Query-Milliseconds"

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class QueryCount:
    """Statements that were sent, BEGIN and COMMIT apart, and the seconds they took."""

    queries: int = 0
    seconds: float = 0.0


_current: ContextVar[QueryCount | None] = ContextVar("query_count", default=None)


@contextmanager
def counting_queries() -> Iterator[QueryCount]:
    """Count the statements of this context: of this thread, or of this task and what it awaits."""
    count = QueryCount()
    token = _current.set(count)
    for connection in connections.all(initialized_only=True):
        _watch(connection)
    try:
        yield count
    finally:
        _current.reset(token)


@sync_and_async_middleware
def query_count_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Log every request with its statements; with DEBUG the answer tells them in headers."""
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            started = time.perf_counter()
            with counting_queries() as count:
                response: HttpResponse = await get_response(request)
            return _told(request, response, count, time.perf_counter() - started)

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        with counting_queries() as count:
            response: HttpResponse = get_response(request)
        return _told(request, response, count, time.perf_counter() - started)

    return answer


def _told(
    request: HttpRequest, response: HttpResponse, count: QueryCount, seconds: float
) -> HttpResponse:
    """The route is told, not the address: addresses hold ids and what people searched for."""
    match = request.resolver_match
    route = match.route if match else None
    observe_request(
        route=route,
        method=request.method,
        status=response.status_code,
        seconds=seconds,
        queries=count.queries,
        query_seconds=count.seconds,
    )
    _log.info(
        "request",
        extra={
            "method": request.method,
            "route": route,
            "status": response.status_code,
            "queries": count.queries,
            "query_seconds": round(count.seconds, 6),
            "seconds": round(seconds, 6),
        },
    )
    if settings.DEBUG:
        response[COUNT_HEADER] = str(count.queries)
        response[TIME_HEADER] = f"{1_000 * count.seconds:.3f}"
    return response


@receiver(connection_created, dispatch_uid="migrations_tools.query_counts")
def _watch_new(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    _watch(connection)


def _watch(connection: BaseDatabaseWrapper) -> None:
    """Put the counter before all other wrappers: those are taken off from the end."""
    if _count not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, _count)


def _count(execute: Callable[..., Any], *args: Any) -> Any:
    """An execute wrapper of Django: adds to the figures of whoever runs it."""
    count = _current.get()
    if count is None:
        return execute(*args)
    count.queries += 1
    started = time.perf_counter()
    try:
        return execute(*args)
    finally:
        count.seconds += time.perf_counter() - started
