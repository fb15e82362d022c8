"""Writing rows with a history that says who changed them, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import Model

from migrations_tools.states import Surface

#: Tells the present instant, aware; tests set it.
Clock = Callable[[], datetime]


def history_reason(action: str, surface: str, reason: str = "") -> str:
    """Why a row changed, as its history says in every language: ``end (api): all is done``."""
    told = f"{action} ({Surface(surface).value})"
    return f"{told}: {reason}" if reason else told


def sign(obj: Model, *, acting_user: User, reason: str = "") -> None:
    """Whose change the next one of ``obj`` is, and why; read by django-simple-history."""
    obj._history_user = acting_user  # type: ignore[attr-defined]  # the package's own
    obj._change_reason = reason  # type: ignore[attr-defined]  # likewise


def save(
    obj: Model,
    *,
    acting_user: User,
    reason: str = "",
    update_fields: Iterable[str] | None = None,
) -> None:
    """Write ``obj`` with a history row that names who and why."""
    sign(obj, acting_user=acting_user, reason=reason)
    obj.save(update_fields=None if update_fields is None else list(update_fields))


def delete(obj: Model, *, acting_user: User, reason: str = "") -> None:
    """Delete ``obj``; its history stays, with who and why."""
    sign(obj, acting_user=acting_user, reason=reason)
    obj.delete()
