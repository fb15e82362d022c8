"""Who asks, as services want to know it."""

from __future__ import annotations

from typing import cast

from django.contrib.auth.models import User
from rest_framework.request import Request

from migrations_tools.states import Surface

SURFACE = Surface.API


def caller(request: Request) -> User:
    """The person who is logged in; views without one are never reached."""
    return cast(User, request.user)
