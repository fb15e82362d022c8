"""Who acts, at what time, and at the same time as whom."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from migrations_tools.exceptions import CarryoverError
from migrations_tools.states import Surface
from sessions_app.models import Session
from sessions_app.services.agent_sessions import Clock, start_session

NOON = datetime(2025, 3, 1, 12, tzinfo=UTC)


def by(user: User) -> dict[str, Any]:
    """The acting user and the surface, as every action asks for them."""
    return {"acting_user": user, "surface": Surface.API}


def at(hours: float) -> Clock:
    """A clock that stands so many hours after noon."""
    return lambda: NOON + timedelta(hours=hours)


def started(**values: Any) -> Session:
    """A session that was started at noon."""
    return start_session(now=at(0), **values)


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """The answers, or refusals, of calls that start together on connections of their own."""
    together = threading.Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        try:
            together.wait()
            return call()
        except CarryoverError as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
