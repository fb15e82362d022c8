"""What goes wrong before a view of the API is reached, in its envelope too (SPEC §4)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.decorators import sync_and_async_middleware
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.errors import handle_error
from migrations_tools.exceptions import CarryoverError

_ROOT: Final = "/api/"


class BadRequest(CarryoverError):
    """Something of the request, such as its host, is not as it has to be."""

    code = "bad_request"
    http_status = 400


class LengthRequired(CarryoverError):
    """A body without its length, which Django takes for none: what it asks for would be lost."""

    code = "length_required"
    http_status = 411


class Failed(CarryoverError):
    """An error on our side; it is logged where it happened."""

    code = "internal_error"
    http_status = 500


#: Status of a page of Django's own → what is told in its place.
_TOLD: Final[dict[int, Exception]] = {
    400: BadRequest("This request cannot be answered: its host or its form is not right."),
    403: PermissionDenied(),
    404: NotFound(),
    411: LengthRequired("Send the body whole, with its Content-Length, not in chunks."),
}
#: Headers of errors that say more than the envelope.
_KEPT: Final = ("Allow", "Retry-After", "WWW-Authenticate")
_FAILED: Final = Failed("This failed on our side. The request id helps to find out why.")


@sync_and_async_middleware
def envelope_middleware(get_response: Callable[[HttpRequest], Any]) -> Callable[..., Any]:
    """Refuse what no view could read, and tell pages of errors as the API tells errors.

    Put it before whatever may refuse a request: Django's own security comes behind it.
    """
    if iscoroutinefunction(get_response):

        async def answer_async(request: HttpRequest) -> HttpResponse:
            refused = _refusal(request)
            return refused or _told(request, await get_response(request))

        return answer_async

    def answer(request: HttpRequest) -> HttpResponse:
        return _refusal(request) or _told(request, get_response(request))

    return answer


def _refusal(request: HttpRequest) -> HttpResponse | None:
    chunked = "Transfer-Encoding" in request.headers and not request.META.get("CONTENT_LENGTH")
    return _envelope(request, 411) if chunked and request.path_info.startswith(_ROOT) else None


def _told(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    is_json = response.get("Content-Type", "").startswith("application/json")
    if response.status_code < 400 or is_json or not request.path_info.startswith(_ROOT):
        return response
    if isinstance(response, Response):  # of a view with another kind of answer: a page, YAML
        kept = {name: response[name] for name in _KEPT if name in response}
        return JsonResponse(response.data, status=response.status_code, headers=kept)
    return response if settings.DEBUG else _envelope(request, response.status_code)


def _envelope(request: HttpRequest, status: int) -> HttpResponse:
    told = handle_error(_TOLD.get(status, _FAILED), {"request": Request(request)})
    return JsonResponse(told.data, status=status)
