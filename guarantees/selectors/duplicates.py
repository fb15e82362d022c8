"""Guarantees that seem to be there already: number, bank, amount and expiry are the same.

Duplicates are flagged and never refused: a number may repeat, and only a person can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.db import connection

from guarantees.intake import Entry
from guarantees.models.number import PADDING
from guarantees.names import normalize_name

Key = tuple[str, object, Decimal, date | None]


def keys_of(
    number: str, bank: int | None, raw_bank: str, amount: Decimal, expiry: date | None
) -> Iterator[Key]:
    """What two entries of one guarantee share: a key by the known bank, and one by its name."""
    if bank is not None:
        yield number, bank, amount, expiry
    yield number, normalize_name(raw_bank), amount, expiry


def entry_keys(entry: Entry) -> list[Key]:
    return list(
        keys_of(entry.number, entry.bank.pk, entry.raw_bank_name, entry.amount, entry.expiry_date)
    )


def known_guarantees(entries: Iterable[Entry]) -> dict[Key, int]:
    """Keys of stored guarantees that have number, amount and expiry of one of ``entries``.

    The value is the newest guarantee with the key. One query.
    """
    asked = [(entry.number, entry.amount, entry.expiry_date) for entry in entries]
    columns: list[Any] = [list(column) for column in zip(*set(asked), strict=True)]
    if not columns:
        return {}
    known: dict[Key, int] = {}
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, [*columns, PADDING])
        for number, amount, expiry, bank, raw_bank, pk in cursor.fetchall():
            for key in keys_of(number, bank, raw_bank, amount, expiry):
                known[key] = max(pk, known.get(key, 0))
    return known


# The MD5 of the number as the index has it; entries are trimmed already. OFFSET 0 keeps the planner
# from reading all guarantees to look for a few.
_KNOWN = """
    SELECT asked.number, asked.amount, asked.expiry, found.bank_id, found.raw_bank_name, found.id
    FROM unnest(%s::text[], %s::numeric[], %s::date[]) AS asked(number, amount, expiry)
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (g.bank_id, g.raw_bank_name) g.bank_id, g.raw_bank_name, g.id
        FROM guarantees_guarantee g
        WHERE md5(btrim(g.number, %s)) = md5(asked.number)
            AND g.amount = asked.amount AND g.expiry_date IS NOT DISTINCT FROM asked.expiry
        ORDER BY g.bank_id, g.raw_bank_name, g.id DESC
        OFFSET 0
    ) found
"""
