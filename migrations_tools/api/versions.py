"""``ETag`` and ``If-Match``: nobody overwrites what they have not seen (SPEC §4).

The tag of an object is a digest of its representation, so it changes with all that a caller sees.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.utils.http import parse_etags, quote_etag
from django.utils.translation import gettext as _
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from migrations_tools.exceptions import CarryoverError


class Outdated(CarryoverError):
    """The object is no longer what the caller read."""

    code = "precondition_failed"
    http_status = 412


def tagged(data: Any, *, status: int = 200, location: str = "") -> Response:
    """The answer with an object's representation and its ``ETag``."""
    headers = {"ETag": etag(data)} | ({"Location": location} if location else {})
    return Response(data, status=status, headers=headers)


def etag(data: Any) -> str:
    """The strong tag of a representation."""
    rendered: bytes = JSONRenderer().render(data)
    return quote_etag(hashlib.sha256(rendered).hexdigest()[:32])


def require_match(request: Request, data: Any) -> None:
    """Refuse a change of what is no longer as the caller's ``If-Match`` has it.

    ``data`` is the representation of the object as it is now, read under a lock that the change is
    made under. Without the header nothing is refused. Raises Outdated.
    """
    given = request.headers.get("If-Match")
    if given is None:
        return
    tags = parse_etags(given)
    if "*" not in tags and etag(data) not in tags:
        raise Outdated(_("It has changed since you read it. Read it again, then change it."))
