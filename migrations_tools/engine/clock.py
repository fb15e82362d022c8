"""Time is the database's: workers on several machines agree on it, and their clocks may jump."""

from __future__ import annotations

from datetime import datetime

from django.db import connection
from django.db.models.expressions import RawSQL


def database_clock() -> RawSQL:
    """The database's clock as an expression; it goes on within a transaction."""
    return RawSQL("clock_timestamp()", [])


def database_time() -> datetime:
    """What the database's clock says now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: datetime = cursor.fetchone()[0]
    return now
