"""Two people who decide names at the same moment, on connections of their own."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection

from guarantees.entry_errors import DecisionRefused
from guarantees.models import Guarantee, ImportBatch, Supplier, SupplierAlias
from guarantees.services.matching import decide_as_new
from tests.guarantees.factories import GuaranteeFactory
from tests.guarantees.services.acting import clerk

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*asked: tuple[Guarantee, str]) -> list[str]:
    """What each is told who adds a supplier of that name for that guarantee: “” or a code."""
    together = Barrier(len(asked))
    people = [clerk("change_guarantee", "add_supplier", name=f"p{n}") for n in range(len(asked))]

    def send(asking: tuple[tuple[Guarantee, str], User]) -> str:
        (found, name), person = asking
        together.wait(timeout=10)
        by: dict[str, Any] = {"acting_user": person, "surface": "admin"}
        try:
            decide_as_new("supplier", found.pk, name, seen=None, **by)
        except DecisionRefused as refused:
            return refused.code
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(len(asked)) as pool:
        return list(pool.map(send, zip(asked, people, strict=True)))


def unknown(number: str) -> Guarantee:
    found: Guarantee = GuaranteeFactory.create(
        number=number, supplier=None, raw_supplier_name="Nuur", match_status="needs_review"
    )
    return found


def test_of_two_who_decide_one_guarantee_the_second_is_told_and_adds_nobody():
    found = unknown("1")
    answers = at_once((found, "Nuur Contracting"), (found, "Nuur Trading"))
    assert sorted(answers) == ["", "changed_meanwhile"]
    [added] = Supplier.objects.filter(name__startswith="Nuur")
    found.refresh_from_db()
    assert found.supplier == added
    assert list(SupplierAlias.objects.values_list("supplier", "uses")) == [(added.pk, 1)]


def test_of_two_who_add_one_name_for_two_batches_the_second_finds_it():
    first, second = unknown("1"), unknown("2")
    assert first.batch_id != second.batch_id
    answers = at_once((first, "Nuur Contracting"), (second, "NUUR contracting"))
    assert sorted(answers) == ["", "name_taken"]
    assert Supplier.objects.filter(normalized_name="nuur contracting").count() == 1
    decided = Guarantee.objects.filter(pk__in=[first.pk, second.pk], supplier__isnull=False)
    assert decided.count() == ImportBatch.objects.filter(guarantees__in=decided).count() == 1
