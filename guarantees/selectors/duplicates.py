"""Guarantees that seem to be there already: number, bank, amount and expiry are the same.

Duplicates are flagged and never refused: a number may repeat, and only a person can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from decimal import Decimal
from typing import Any

from django.contrib.postgres.aggregates import ArrayAgg
from django.db import connection, transaction
from django.db.models import Case, Count, Max, QuerySet, TextField, Value, When
from django.db.models.functions import Lower

from guarantees.intake import Entry
from guarantees.models import Guarantee
from guarantees.models.number import PADDING, trimmed
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
    with transaction.atomic(), connection.cursor() as cursor:
        # what the planner knows of the numbers may be from before the import that asks
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(_KNOWN, [*columns, PADDING])
        found = cursor.fetchall()
        cursor.execute("SET LOCAL enable_seqscan = on")
    for number, amount, expiry, bank, raw_bank, pk in found:
        for key in keys_of(number, bank, raw_bank, amount, expiry):
            known[key] = max(pk, known.get(key, 0))
    return known


# The MD5 of the number as the index has it; entries are trimmed already. The inner order is the
# index's: whatever the planner believes of the numbers – its statistics may be from before the very
# import that asks –, no other way to the rows is cheaper.
_KNOWN = """
    SELECT asked.number, asked.amount, asked.expiry, found.bank_id, found.raw_bank_name, found.id
    FROM unnest(%s::text[], %s::numeric[], %s::date[]) AS asked(number, amount, expiry)
    CROSS JOIN LATERAL (
        SELECT DISTINCT ON (same.bank_id, same.raw_bank_name) same.*
        FROM (
            SELECT g.bank_id, g.raw_bank_name, g.id
            FROM guarantees_guarantee g
            WHERE md5(btrim(g.number, %s)) = md5(asked.number)
                AND g.amount = asked.amount AND g.expiry_date IS NOT DISTINCT FROM asked.expiry
            ORDER BY g.created_at DESC, g.id DESC
            OFFSET 0
        ) same
        ORDER BY same.bank_id, same.raw_bank_name, same.id DESC
    ) found
"""


def duplicate_groups() -> QuerySet[Any, Any]:
    """Guarantees that share number, bank, amount and expiry, a row for each group.

    Rows have ``key``, ``bank`` (null where it is not known: then the raw names are the same),
    ``amount``, ``expiry_date``, ``guarantees`` (their ids) and ``count``; the newest come first.
    """
    unknown = Case(
        When(bank__isnull=True, then=Lower(trimmed("raw_bank_name"))),
        default=Value(""),
        output_field=TextField(),
    )
    return (
        Guarantee.objects.order_by()
        .annotate(key=trimmed("number"), unknown_bank=unknown)
        .values("key", "bank", "unknown_bank", "amount", "expiry_date")
        .annotate(count=Count("pk"), newest=Max("pk"), guarantees=ArrayAgg("pk", order_by="pk"))
        .filter(count__gt=1)
        .order_by("-newest")
    )
