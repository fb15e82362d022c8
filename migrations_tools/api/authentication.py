"""Who asks."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from drf_spectacular.contrib.knox_auth_token import KnoxTokenScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from knox import auth as knox
from rest_framework import authentication
from rest_framework.exceptions import AuthenticationFailed, UnsupportedMediaType
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request


class TokenAuthentication(knox.TokenAuthentication):
    """knox's tokens; what is no token at all is refused like one that is not known."""

    def authenticate_credentials(self, token: bytes) -> Any:
        if not token.isalnum():  # of ASCII; a database cannot be asked for everything
            raise AuthenticationFailed(_("Invalid token."))
        return super().authenticate_credentials(token)


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session; strangers are answered 401, as by tokens, not 403."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"

    def enforce_csrf(self, request: Request) -> None:
        """Looking for the form's CSRF token uses a form up: where none is read, it is refused
        before, or the view would take it for an empty body.
        """
        is_form = request._request.content_type == "multipart/form-data"
        if is_form and not any(isinstance(each, MultiPartParser) for each in request.parsers or ()):
            raise UnsupportedMediaType(request.content_type)
        super().enforce_csrf(request)


class _TokenScheme(KnoxTokenScheme):  # type: ignore[no-untyped-call]
    """How the OpenAPI description names it."""

    target_class = f"{__name__}.TokenAuthentication"


class _SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI description names it."""

    target_class = SessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": settings.SESSION_COOKIE_NAME}
