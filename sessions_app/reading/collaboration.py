"""Values of ``sessionmanagements`` documents (collaboration.md R1, R2, R6, R8).

Verification reads the same documents by SQL of its own
(`sessions_app.data_migrations.collaboration_facts`): a change here needs one there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from sessions_app.models import ParticipantRole

#: What is trimmed from texts, and what a blank text consists of.
BLANKS: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u200b\u200e\u200f\u2028\u2029\u202f\u205f\u3000\ufeff"
)

_LONGEST_ID: Final = 100
_LONGEST_EMAIL: Final = 320
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_ID: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{_LONGEST_ID}}}")
_NO_ID: Final = frozenset({"null", "undefined", "none", "nan"})
_EMAIL: Final = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9][A-Za-z0-9-]{0,61}[A-Za-z0-9]"
)
_INSTANT: Final = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?"
    r"(?: ?(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?))?)?",
    re.ASCII,
)
_OBJECT_ID: Final = re.compile(r"[0-9a-f]{24}", re.IGNORECASE | re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def trimmed(text: str) -> str:
    return text.strip(BLANKS)


def session_id_of(value: Any) -> str | None:
    """The canonical session id that a value means, or None where it is none (R1)."""
    if isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, str):
        text = trimmed(value)
    elif isinstance(value, int | float | Decimal):
        text = _number_text(Decimal(repr(value)) if isinstance(value, float) else Decimal(value))
    else:
        return None
    if _UUID.fullmatch(text):
        return text.lower()
    if not _ID.fullmatch(text) or text.lower() in _NO_ID:
        return None
    return text


def _number_text(number: Decimal) -> str:
    """Digits of a whole number; a fraction is no id, nor is what is far too long for one."""
    if number.is_finite() and number.adjusted() < _LONGEST_ID and number == int(number):
        return str(int(number))
    return ""


def email_of(value: Any) -> str | None:
    """The address in lower case, or None where the value is no address (R2)."""
    text = trimmed(value) if isinstance(value, str) else ""
    return text.lower() if len(text) <= _LONGEST_EMAIL and _EMAIL.fullmatch(text) else None


def is_blank(value: Any) -> bool:
    """Whether there is nothing: no value, or a text without a sign."""
    return value is None or (isinstance(value, str) and not trimmed(value))


def instant_of(value: Any) -> datetime | None:
    """The UTC instant of an ISO text; without an offset it is UTC. None where it is none (R8)."""
    match = _INSTANT.fullmatch(trimmed(value)) if isinstance(value, str) else None
    if match is None:
        return None
    *numbers, fraction, sign, hours, minutes = match.groups()
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    if int(hours or 0) > 23 or int(minutes or 0) > 59:
        return None
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    microsecond = int((fraction or "")[:6].ljust(6, "0"))
    try:
        written = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=UTC)
        return written + offset if sign == "-" else written - offset
    except (ValueError, OverflowError):
        return None


def object_id_time(row_id: str) -> datetime | None:
    """When an ObjectId was made: its first four bytes are seconds. None for other ids."""
    if not _OBJECT_ID.fullmatch(row_id):
        return None
    return _EPOCH + timedelta(seconds=int(row_id[:8], 16))


class Access(NamedTuple):
    """The role that an access word grants, and the warning it deserves, if any (R6)."""

    role: ParticipantRole
    warning: str = ""


_ACCESS: Final[Mapping[str, Access]] = {
    word: Access(role)
    for role, words in (
        (ParticipantRole.EDITOR, ("edit", "editor", "write")),
        (ParticipantRole.VIEWER, ("view", "viewer", "read")),
        (ParticipantRole.ADMIN, ("admin",)),
    )
    for word in words
}
_MISSING: Final = Access(ParticipantRole.EDITOR, "access_missing")
_UNKNOWN: Final = Access(ParticipantRole.VIEWER, "access_unknown")


def access_of(document: Mapping[str, Any]) -> Access:
    """What the access word of an invitation grants; a missing key and null differ."""
    if "access" not in document:
        return _MISSING
    word = document["access"]
    return _ACCESS.get(trimmed(word).casefold(), _UNKNOWN) if isinstance(word, str) else _UNKNOWN
