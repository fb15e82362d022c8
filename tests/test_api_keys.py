"""Every address that changes something by POST takes an ``Idempotency-Key``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from drf_spectacular.generators import EndpointEnumerator

from migrations_tools.api.idempotency import takes_key

#: POSTs without one, and why.
WITHOUT: Final = {
    "auth/login/": "an answer with a token is not kept",
    "auth/logout/": "its token is gone with it",
    "auth/logoutall/": "likewise",
    "guarantees/paste/preview/": "it changes nothing",
    "import-batches/uploads/{pk}/commit/": "the upload itself is confirmed once, and says so",
}


def posts() -> Iterator[tuple[str, Any]]:
    """Address and handler of every POST."""
    endpoints: Any = EndpointEnumerator()
    for path, _pattern, method, view in endpoints.get_api_endpoints():
        if method == "POST" and path.startswith("/api/v1/"):
            actions = getattr(view, "actions", None) or {"post": "post"}
            yield path.removeprefix("/api/v1/"), getattr(view.cls, actions["post"])


def test_whatever_is_posted_can_be_sent_again_with_its_key() -> None:
    found = {path: takes_key(handler) for path, handler in posts()}
    assert len(found) > 60
    assert {path for path, takes in found.items() if not takes} == set(WITHOUT)
