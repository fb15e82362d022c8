"""One envelope for every error of the API (SPEC §4).

``{"error": {"code", "message", "request_id", "details"?}}``; fields are listed for 422.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from typing import Any, Final

from django.core.exceptions import (
    BadRequest,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
)
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from migrations_tools.api.request_ids import REQUEST_ID_HEADER, request_id_of
from migrations_tools.exceptions import CarryoverError
from migrations_tools.text import storable_text

_INVALID: Final = "validation_failed"
_INVALID_SENTENCE: Final = gettext_noop("Some values cannot be used; see the fields.")
_FAILED: Final = "internal_error"
_FAILED_SENTENCE: Final = gettext_noop(
    "This failed on our side. The request id helps to find out why."
)

_log = logging.getLogger(__name__)


class TooLarge(CarryoverError):
    """A body, or a file, that is larger than is read."""

    code = "too_large"
    http_status = 413


def handle_error(error: Exception, context: dict[str, Any]) -> Response:
    """DRF's ``EXCEPTION_HANDLER``. An unexpected error is logged and told without its words."""
    request = context.get("request")
    request_id = str(uuid.uuid4()) if request is None else request_id_of(request._request)
    told = _as_drf(error)
    answer = exception_handler(told, context) or Response()
    envelope: dict[str, Any]
    if isinstance(told, CarryoverError):
        answer.status_code = told.http_status
        envelope = {"code": told.code, "message": told.message, "details": _details(told)}
    elif isinstance(told, exceptions.ValidationError):
        answer.status_code = status.HTTP_422_UNPROCESSABLE_ENTITY
        fields = list(_flat("", told.get_full_details()))
        envelope = {
            "code": _INVALID,
            "message": _(_INVALID_SENTENCE),
            "details": {"fields": fields},
        }
    elif isinstance(told, exceptions.APIException):
        envelope = {"code": str(told.get_codes()), "message": str(told.detail)}
    else:
        _log.error("request %s failed", request_id, exc_info=error)
        answer.status_code = status.HTTP_500_INTERNAL_SERVER_ERROR
        envelope = {"code": _FAILED, "message": _(_FAILED_SENTENCE)}
    envelope["request_id"] = request_id
    answer.data = {"error": {name: _tellable(value) for name, value in envelope.items() if value}}
    answer[REQUEST_ID_HEADER] = request_id
    return answer


def _tellable(value: Any) -> Any:
    """``value`` without lone surrogates, which no answer can hold: some words quote the request."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {_tellable(name): _tellable(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_tellable(each) for each in value]
    return value


def _details(refusal: CarryoverError) -> dict[str, Any]:
    """What the refusal names; the values that cannot be are listed as `fields`, as DRF's are.

    A 422 always lists them (SPEC §4): where no value is named, it is the whole request.
    """
    named = dict(refusal.fields)
    if isinstance(named.get("details"), list):
        return {"fields": named.pop("details")} | named
    if refusal.http_status == status.HTTP_422_UNPROCESSABLE_ENTITY:
        field = {"field": named.pop("field", ""), "code": refusal.code, "message": refusal.message}
        return {"fields": [field]} | named
    return named


def _as_drf(error: Exception) -> Exception:
    """Django's own words for 404 and 403, as DRF says them: theirs name models and paths."""
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, RequestDataTooBig):
        return TooLarge(_("The request is too large; send files by the upload addresses."))
    if isinstance(error, (SuspiciousOperation, BadRequest, MultiPartParserError)):
        # too many fields or files, a form that is none, …
        return exceptions.ParseError()
    return error


def _flat(path: str, found: Any) -> Iterator[dict[str, str]]:
    """DRF's nested messages as a list of ``field`` (a path with dots), ``code``, ``message``."""
    if isinstance(found, list):
        for entry in found:
            yield from _flat(path, entry)
    elif set(found) == {"code", "message"} and not isinstance(found["message"], (dict, list)):
        yield {"field": path, "code": str(found["code"]), "message": str(found["message"])}
    else:
        for name, entry in found.items():
            yield from _flat(f"{path}.{name}" if path else str(name), entry)
