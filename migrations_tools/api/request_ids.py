"""An id for every request: its own or a new one, in the logs and in the answer (SPEC §6)."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from django.core.signals import request_finished
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.utils.decorators import sync_and_async_middleware
from structlog.contextvars import bind_contextvars, unbind_contextvars

REQUEST_ID_HEADER: Final = "X-Request-ID"

#: What a caller may send as the id of its request; anything else gets a new one.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")


@sync_and_async_middleware
def request_id_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Bind ``request_id`` to every line that is logged for a request; put it before the others.

    It stays until the request is finished: Django tells of failed ones after its middleware.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            bind_contextvars(request_id=request_id_of(request))
            response: HttpResponse = await get_response(request)
            response[REQUEST_ID_HEADER] = request_id_of(request)
            return response

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        bind_contextvars(request_id=request_id_of(request))
        response: HttpResponse = get_response(request)
        response[REQUEST_ID_HEADER] = request_id_of(request)
        return response

    return answer


def request_id_of(request: HttpRequest) -> str:
    """The id that the caller sent, if it is one, else a new one; always the same of a request."""
    known: str | None = getattr(request, "_carryover_request_id", None)
    if known is None:
        given = request.headers.get(REQUEST_ID_HEADER, "")
        known = given if _REQUEST_ID.fullmatch(given) else str(uuid.uuid4())
        request._carryover_request_id = known  # type: ignore[attr-defined]  # ours
    return known


@receiver(request_finished, dispatch_uid="migrations_tools.request_ids")
def _forget(**kwargs: Any) -> None:
    unbind_contextvars("request_id")
