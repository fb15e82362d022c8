"""What the texts of a staged row say, and the warnings about what they do not (N8, N13–N17)."""

from __future__ import annotations

from collections.abc import Container
from datetime import date, datetime, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

from django.utils.translation import gettext_noop

from guarantees.models import MatchStatus
from guarantees.models.number import comparable
from guarantees.reading import ValueNotUnderstood, read_amount, read_date, read_legacy_instant
from migrations_tools.definitions import Warning_

Warnings = list[str | Warning_]

_ZERO: Final = Decimal(0)

#: Legacy status → status; any other is for a person to look at (N15).
MATCH_STATUSES: Final = {
    "ready": MatchStatus.READY.value,
    "approved": MatchStatus.READY.value,
}


def number_of(row: Any, warnings: Warnings) -> str:
    """The number as written, or ``UNKNOWN-<old id>`` (N13)."""
    number: str | None = row.guarantee_number
    if number and comparable(number):
        return number
    warnings.append(
        Warning_(
            "missing_number",
            gettext_noop("The row has no number; it is called UNKNOWN-%(row)s.") % {"row": row.pk},
        )
    )
    return f"UNKNOWN-{row.pk}"


def amount_of(row: Any, warnings: Warnings) -> Decimal | None:
    """The amount; None where it is blank or not understood (N17)."""
    try:
        amount = read_amount(row.amount, legacy=True)
    except ValueNotUnderstood as error:
        warnings.append(Warning_("bad_amount", error.detail))
        return None
    if amount is not None and amount <= _ZERO:
        warnings.append(
            Warning_(
                "unusual_amount",
                gettext_noop("“%(amount)s” is not above zero; it stays.") % {"amount": row.amount},
            )
        )
    return amount


def date_of(text: str | None, what: str, day_first: bool, warnings: Warnings) -> date | None:
    """A calendar date; None where it is blank or not understood (N17)."""
    try:
        return read_date(text, day_first=day_first)
    except ValueNotUnderstood as error:
        warnings.append(Warning_("bad_date", f"{what}: {error.detail}"))
        return None


def created_at_of(row: Any, warnings: Warnings) -> datetime:
    """When the row was made, UTC: its own time, else its session's, else the import's (N17)."""
    try:
        instant = read_legacy_instant(row.created_at)
    except ValueNotUnderstood as error:
        instant, code, why = (
            None,
            "bad_date",
            gettext_noop("Created at: %(detail)s") % {"detail": error.detail},
        )
    else:
        if instant is not None:
            return instant
        code, why = "missing_created_at", "The row has no time of its own"
    instant = session_instant(row.session_created_at)
    source = "its import" if instant is None else "its session"
    found: datetime = instant or row.staged_at
    warnings.append(Warning_(code, f"{why.rstrip('.')}; it has the time of {source}, {found}."))
    return found


def session_instant(text: str | None) -> datetime | None:
    """The time of a session; None where it has none that can be understood."""
    try:
        return read_legacy_instant(text)
    except ValueNotUnderstood:
        return None


def local_day(instant: datetime, zone: tzinfo) -> date:
    """The calendar day on which ``instant`` fell where the department works."""
    return instant.astimezone(zone).date()


def reference_of(
    pk: int | None, known: Container[int], what: str, warnings: Warnings
) -> int | None:
    """The id, or None where nothing has it (N14)."""
    if pk is None or pk in known:
        return pk
    warnings.append(
        Warning_(
            f"unknown_{what}",
            gettext_noop("There is no %(what)s %(pk)s.") % {"what": what, "pk": pk},
        )
    )
    return None


@lru_cache(maxsize=1_024)  # there are a few
def match_status_of(text: str | None) -> str:
    """N15; white space and case make no difference."""
    word = (text or "").strip().lower()
    return MATCH_STATUSES.get(word, MatchStatus.NEEDS_REVIEW.value)
