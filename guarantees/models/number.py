"""How guarantee numbers are compared: as written, but for the white space around them."""

from __future__ import annotations

from django.db.models import F, Func, TextField, Value

PADDING = " \t\n\r\v\f\xa0"


def comparable(number: str) -> str:
    """The part of a number that counts in comparisons."""
    return number.strip(PADDING)


def trimmed(column: str) -> Func:
    """The same in SQL, as the indexes have it."""
    return Func(F(column), Value(PADDING), function="BTRIM", output_field=TextField())
