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
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.api.access import caller
from migrations_tools.engine.advisory import advisory_lock
from migrations_tools.engine.clock import database_time
from migrations_tools.exceptions import CarryoverError
from migrations_tools.models import IdempotencyKey

HEADER: Final = "Idempotency-Key"
LONGEST: Final = 255
KEPT: Final = timedelta(hours=24)
#: Tells that an answer is the one of an earlier request.
REPLAYED: Final = "Idempotent-Replayed"

#: Answers that keep nothing: the request may be tried again with its key.
_REFUSALS: Final = (CarryoverError, APIException, Http404, PermissionDenied)

#: Set on handlers that take a key.
_MARK: Final = "carryover_takes_key"

Handler = TypeVar("Handler", bound=Callable[..., Response])
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


class KeyInUse(CarryoverError):
    """Another request with the key is being carried out."""

    code = "idempotency_key_in_use"


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
        key = _key(request)
        if key is None:
            return handler(view, request, *args, **kwargs)
        with transaction.atomic():
            digest = _digest(request)
            held = _claim(request, key, digest)
            if held.status is not None:
                return _again(held, key, digest)
            try:
                response = handler(view, request, *args, **kwargs)
            except _REFUSALS as refusal:
                held.delete()
                refused: Exception = refusal
            else:
                return _keep(held, response)
        raise refused

    return _told(answer)


def idempotent_apart(
    handler: Callable[Concatenate[View, Request, Rest], Response], /
) -> Callable[Concatenate[View, Request, Rest], Response]:
    """`idempotent` for a deed with transactions of its own, such as asking a run to stop.

    Of two requests at once the second is refused with KeyInUse. A process that ends between the
    deed and its answer leaves the key free: so the deed must refuse by itself to be done twice.
    """

    @wraps(handler)
    def answer(
        view: View, request: Request, /, *args: Rest.args, **kwargs: Rest.kwargs
    ) -> Response:
        key = _key(request)
        if key is None:
            return handler(view, request, *args, **kwargs)
        with advisory_lock(f"carryover idempotency {caller(request).pk} {key}") as taken:
            if not taken:
                raise KeyInUse(
                    _("A request with the key “%(key)s” is being carried out.") % {"key": key}
                )
            digest = _digest(request)
            with transaction.atomic():
                held = _claim(request, key, digest)
            if held.status is not None or bytes(held.digest) != digest:
                return _again(held, key, digest)
            try:
                response = handler(view, request, *args, **kwargs)
            except _REFUSALS:
                held.delete()
                raise
            return _keep(held, response)

    return _told(answer)


def takes_key(handler: object) -> bool:
    """Whether a handler of a view carries a request with a key out once."""
    return bool(getattr(handler, _MARK, False))


def _told(handler: Handler) -> Handler:
    """Wrappers of the handler keep the mark."""
    setattr(handler, _MARK, True)
    return handler


def _key(request: Request) -> str | None:
    key = request.headers.get(HEADER)
    if key is not None and not (0 < len(key) <= LONGEST and key.isascii() and key.isprintable()):
        raise InvalidKey(
            _("%(header)s has 1 to %(longest)s printable characters of ASCII.")
            % {"header": HEADER, "longest": LONGEST}
        )
    return key


def _keep(held: IdempotencyKey, response: Response) -> Response:
    held.status, held.body = response.status_code, response.data
    held.location = response.get("Location", "")
    held.save(update_fields=["status", "body", "location"])
    return response


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
        raise KeyReused(_("The key “%(key)s” belongs to another request.") % {"key": key})
    headers = {REPLAYED: "true"} | ({"Location": held.location} if held.location else {})
    return Response(held.body, status=held.status, headers=headers)


def _digest(request: Request) -> bytes:
    wire = request._request
    return hashlib.sha256(
        b"\0".join([str(wire.method).encode(), wire.get_full_path().encode(), _body(request)])
    ).digest()


def _body(request: Request) -> bytes:
    """The bytes that were sent; a form with files is parsed, its boundary differs every time.

    It is parsed as the view does it: who reads no forms refuses them here, too.
    """
    wire: Any = request._request
    if wire.content_type != "multipart/form-data":
        return bytes(wire.body)
    _ = request.data
    fields = sorted((name, wire.POST.getlist(name)) for name in wire.POST)
    files = sorted(
        (name, file.name, hashlib.file_digest(file, "sha256").hexdigest())
        for name, file in wire.FILES.items()
    )
    for file in wire.FILES.values():
        file.seek(0)
    return repr((fields, files)).encode()
