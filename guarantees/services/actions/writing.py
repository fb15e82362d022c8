"""The department's day."""

from __future__ import annotations

from datetime import date, datetime

from django.utils.timezone import get_default_timezone


def local_day(at: datetime) -> date:
    """The calendar day where the department works (`TIME_ZONE`)."""
    return at.astimezone(get_default_timezone()).date()
