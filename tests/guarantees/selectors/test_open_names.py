"""Names that wait for a decision, grouped as people decide them."""

from __future__ import annotations

import pytest

from guarantees.models import Supplier
from guarantees.selectors.open_names import OpenName, open_names, with_suggestions
from guarantees.services.entries import enter_guarantee
from guarantees.services.matching import decide_supplier
from tests.guarantees.factories import SupplierFactory
from tests.guarantees.services.entering import dictionaries, entry, keeper, who

pytestmark = pytest.mark.django_db


def enter(number: str, **values: str) -> int:
    return enter_guarantee(entry(number=number, **values), **who()).guarantees[0].pk


def names(party: str = "supplier", **asked: object) -> list[OpenName]:
    return with_suggestions(party, open_names(party, **asked))  # type: ignore[arg-type]


def test_a_name_is_told_once_for_a_batch_with_who_may_be_meant():
    supplier, _ = dictionaries()
    first = enter("1", supplier="Al Nour Trading")
    enter("2", supplier="Al Nour Trading")
    enter("3", supplier="Al Nour Trading", bank="who?")
    other = enter("4", supplier="Somebody")
    found = names()
    assert [(name.guarantee, name.raw_name, name.guarantees) for name in found] == [
        (first, "Al Nour Trading", 3),
        (other, "Somebody", 1),
    ]
    assert [(found.pk, round(found.score, 2)) for found in found[0].suggestions] == [
        (supplier.pk, 0.93)
    ]
    assert found[1].suggestions == ()
    assert [name.raw_name for name in names("bank")] == ["who?"]
    assert [name.raw_name for name in names(search="SOMEB")] == ["Somebody"]
    assert names(batch=found[0].batch.pk + 1) == []
    decide_supplier(first, supplier.pk, acting_user=keeper(), surface="api")
    assert [name.raw_name for name in names()] == ["Somebody"]


def test_known_names_that_are_not_certain_are_told_apart():
    supplier, _ = dictionaries()
    Supplier.objects.create(name="Al Nour Trading")  # nearly the same
    pk = enter("1")
    assert names() == []
    [found] = names(is_known=True)
    assert (found.guarantee, found.known, found.is_certain) == (pk, supplier, False)
    [bank] = names("bank", is_known=True)
    assert bank.is_certain


def test_any_number_of_names_takes_the_same_queries(django_assert_num_queries):
    dictionaries()
    enter("1", supplier="Unknown 1")
    with django_assert_num_queries(7):
        assert len(names()) == 1
    for number in range(2, 9):
        SupplierFactory.create()
        enter(str(number), supplier=f"Quite another {number}")
    with django_assert_num_queries(7):
        assert len(names()) == 8
