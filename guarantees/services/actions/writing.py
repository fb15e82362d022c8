"""Writing with history, and telling the department's day."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import date, datetime

from django.contrib.auth.models import User
from django.db import models
from django.utils.timezone import get_default_timezone

from migrations_tools.states import Surface

#: Tells the present instant, aware; tests set it.
Clock = Callable[[], datetime]


def local_day(at: datetime) -> date:
    """The calendar day where the department works (`TIME_ZONE`)."""
    return at.astimezone(get_default_timezone()).date()


def history_reason(action: str, surface: str, reason: str = "") -> str:
    """Why a row changed, as its history says: ``extension of LG-1 (api): as agreed``."""
    told = f"{action} ({Surface(surface).value})"
    return f"{told}: {reason}" if reason else told


def save(
    obj: models.Model,
    *,
    acting_user: User,
    reason: str,
    update_fields: Iterable[str] | None = None,
) -> None:
    """Write ``obj`` with a history row that names who and why."""
    sign(obj, acting_user=acting_user, reason=reason)
    obj.save(update_fields=None if update_fields is None else list(update_fields))


def sign(obj: models.Model, *, acting_user: User, reason: str) -> None:
    """Whose change the next one of ``obj`` is, and why; read by django-simple-history."""
    obj._history_user = acting_user  # type: ignore[attr-defined]  # the package's own
    obj._change_reason = reason  # type: ignore[attr-defined]  # likewise
