"""Charsets that requests claim.

Django reads the address in the charset that ``Content-Type`` names, whatever Python knows by that
name: ``rot13`` or ``zlib`` end in an error outside of everything that could answer it.
"""

from __future__ import annotations

from typing import Any, Final

from django.core.handlers.asgi import ASGIHandler, ASGIRequest
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest
from django.utils.http import parse_header_parameters

_PRINTABLE: Final = bytes(range(0x20, 0x7F))
_BEYOND: Final = bytes(range(0x80, 0x100))


def is_readable(charset: str) -> bool:
    """Whether it is one of texts, in which ASCII is ASCII: addresses are."""
    try:
        decoded = (_PRINTABLE + _BEYOND).decode(charset, "replace")
    except (LookupError, ValueError):
        return False
    return decoded.startswith(_PRINTABLE.decode("ascii"))


class _Request(HttpRequest):
    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        """As Django does it; a charset that is none is passed over."""
        given = meta.get("CONTENT_TYPE", "")
        self.content_type, self.content_params = parse_header_parameters(given)
        charset = self.content_params.get("charset", "")
        if is_readable(charset):
            self.encoding = charset


class _WSGIRequest(_Request, WSGIRequest):
    pass


class _ASGIRequest(_Request, ASGIRequest):
    pass


class CarefulWSGIHandler(WSGIHandler):
    """Django's, with requests that can be read."""

    request_class = _WSGIRequest


class CarefulASGIHandler(ASGIHandler):
    """Django's, with requests that can be read."""

    request_class = _ASGIRequest
