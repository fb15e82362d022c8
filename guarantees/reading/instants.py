"""Instants of the old system: UTC, as text."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

from django.utils.translation import gettext as _

from guarantees.reading.dates import PLAUSIBLE_YEARS
from guarantees.reading.errors import ValueNotUnderstood

# What `datetime.fromisoformat` is trusted with; it also takes week dates and bare digits.
_ISO: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
)


def read_legacy_instant(text: str | None) -> datetime | None:
    """An aware instant in UTC; blank is None, a bare date its first moment (guarantees.md N17).

    Text without an offset is UTC. Raises `ValueNotUnderstood`: ``not_an_instant``.
    """
    if text is None:
        return None
    if not _ISO.fullmatch(text):
        text = text.strip().removesuffix(" UTC").replace(" +", "+")
        if not text:
            return None
        if not _ISO.fullmatch(text):
            raise _not_an_instant(text)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise _not_an_instant(text) from None
    if instant.year not in PLAUSIBLE_YEARS:
        raise _not_an_instant(text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _not_an_instant(text: str) -> ValueNotUnderstood:
    return ValueNotUnderstood("not_an_instant", text, _("is no point in time."))
