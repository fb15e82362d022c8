"""Who asks."""

from __future__ import annotations

from rest_framework import authentication
from rest_framework.request import Request


class SessionAuthentication(authentication.SessionAuthentication):
    """The browser's session; strangers are answered 401, as by tokens, not 403."""

    def authenticate_header(self, request: Request) -> str:
        return "Session"
