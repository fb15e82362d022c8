"""``Idempotency-Key``: a request that is sent twice is carried out once (SPEC §4).

The key is claimed, the deed done and the answer kept in one transaction. A second request with the
key waits for the first and is given its answer; after a refusal, which keeps nothing, it is tried
anew. Keys are forgotten after `KEPT`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import caller
from migrations_tools.engine.clock import database_time
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import IdempotencyKey

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255
KEPT: Final = timedelta(hours=24)
#: Tells that an answer is the one of an earlier request.
REPLAYED: Final = "Idempotent-Replayed"

View = TypeVar("View")
Rest = ParamSpec("Rest")


class InvalidKey(CarryoverError):
    """An ``Idempotency-Key`` that is empty, too long or not of printable ASCII."""

    code = "invalid_idempotency_key"
    http_status = 422


class KeyReused(CarryoverError):
    """The key belongs to another request."""

    code = "idempotency_key_reused"
    http_status = 422


def idempotent(
    handler: Callable[Concatenate[View, Request, Rest], Response], /
) -> Callable[Concatenate[View, Request, Rest], Response]:
    """Let a handler of a view that changes something be called once for each key.

    Without the header it is called every time. Refusals are raised as ever, and what they put on
    record stays.
    """

    @wraps(handler)
    def answer(
        view: View, request: Request, /, *args: Rest.args, **kwargs: Rest.kwargs
    ) -> Response:
        key = request.headers.get(HEADER)
        if key is None:
            return handler(view, request, *args, **kwargs)
        if not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
            raise InvalidKey(f"{HEADER} has 1 to {LONGEST} printable characters of ASCII.")
        with transaction.atomic():
            digest = _digest(request)
            held = _claim(request, key, digest)
            if held.status is not None:
                return _again(held, key, digest)
            try:
                response = handler(view, request, *args, **kwargs)
            except (CarryoverError, APIException, Http404, PermissionDenied) as refusal:
                held.delete()
                refused: Exception = refusal
            else:
                held.status, held.body = response.status_code, response.data
                held.location = response.get("Location", "")
                held.save(update_fields=["status", "body", "location"])
                return response
        raise refused

    return answer


def _claim(request: Request, key: str, digest: bytes) -> IdempotencyKey:
    """The key's row, locked; without a status it is ours. Waits for whoever has it in hand."""
    rows = IdempotencyKey.objects.filter(user=caller(request), key=key)
    rows.filter(created_at__lt=database_time() - KEPT).delete()
    IdempotencyKey.objects.bulk_create(
        [IdempotencyKey(user=caller(request), key=key, digest=digest)], ignore_conflicts=True
    )
    return rows.select_for_update().get()


def _again(held: IdempotencyKey, key: str, digest: bytes) -> Response:
    if bytes(held.digest) != digest:
        raise KeyReused(f"The key “{key}” belongs to another request.")
    headers = {REPLAYED: "true"} | ({"Location": held.location} if held.location else {})
    return Response(held.body, status=held.status, headers=headers)


def _digest(request: Request) -> bytes:
    wire = request._request
    return hashlib.sha256(
        b"\0".join([str(wire.method).encode(), wire.get_full_path().encode(), _body(wire)])
    ).digest()


def _body(wire: Any) -> bytes:
    """The bytes that were sent; a form with files is parsed, its boundary differs every time."""
    if wire.content_type != "multipart/form-data":
        return bytes(wire.body)
    fields = sorted((name, wire.POST.getlist(name)) for name in wire.POST)
    files = sorted(
        (name, file.name, hashlib.file_digest(file, "sha256").hexdigest())
        for name, file in wire.FILES.items()
    )
    for file in wire.FILES.values():
        file.seek(0)
    return repr((fields, files)).encode()
