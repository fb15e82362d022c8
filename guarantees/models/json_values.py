"""Values of fields as JSON keeps them, in the changes of an action and in what happened."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Model


def kept(value: Any) -> Any:
    """The value as JSON keeps it: rows by their number, days and amounts as text."""
    if isinstance(value, Model):
        return value.pk
    return str(value) if isinstance(value, date | Decimal) else value
