"""Looking for guarantees that are there already."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from guarantees.models import Guarantee
from guarantees.models.number import PADDING
from guarantees.selectors import duplicates
from guarantees.selectors.duplicates import duplicate_groups
from tests.guarantees.factories import BankFactory, GuaranteeFactory


@pytest.mark.django_db
def test_the_index_is_used_whatever_the_planner_believes_of_the_numbers() -> None:
    first = GuaranteeFactory.create(number="LG-1")
    columns = [field.attname for field in Guarantee._meta.concrete_fields if field.attname != "id"]
    values = {name: getattr(first, name) for name in columns}

    def store(numbers: list[str]) -> None:
        Guarantee.objects.bulk_create(
            Guarantee(**values | {"number": number}) for number in numbers
        )

    store(["LG-1"] * 500)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE guarantees_guarantee")  # all guarantees have one number
        store([f"LG-{number}" for number in range(2, 3_000)])
        asked: list[Any] = [["LG-7", "LG-8"], [first.amount] * 2, [first.expiry_date] * 2]
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"EXPLAIN {duplicates._KNOWN}", [*asked, PADDING])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "guarantee_newest_of_number" in plan, plan


@pytest.mark.django_db
def test_guarantees_with_the_same_number_bank_amount_and_expiry_are_a_group():
    bank = BankFactory.create()
    same = [GuaranteeFactory.create(number=number, bank=bank) for number in ("D-1", " D-1 ")]
    GuaranteeFactory.create(number="D-1", bank=BankFactory.create())
    GuaranteeFactory.create(number="D-1", bank=bank, amount=5)
    unknown = [GuaranteeFactory.create(number="D-2", raw_bank_name=n) for n in ("Who", "WHO")]
    first, second = duplicate_groups()
    assert (first["key"], first["bank"], first["count"]) == ("D-2", None, 2)
    assert first["guarantees"] == [found.pk for found in unknown]
    assert (second["key"], second["bank"], second["count"]) == ("D-1", bank.pk, 2)
    assert second["guarantees"] == [found.pk for found in same]
