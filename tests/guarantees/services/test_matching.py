"""Deciding whom a name means."""

from __future__ import annotations

from typing import Any

import pytest

from guarantees.entry_errors import (
    DecidedMeanwhile,
    DecisionRefused,
    GuaranteeProtected,
    NameTaken,
    NoSuchRow,
)
from guarantees.models import BankAlias, Guarantee, SupplierAlias
from guarantees.services.entries import enter_guarantee
from guarantees.services.many_decisions import Choice, decide_many
from guarantees.services.matching import (
    Decided,
    decide_as_new,
    decide_bank,
    decide_name,
    decide_supplier,
    preview_decision,
)
from migrations_tools.exceptions import PermissionRefused
from tests.guarantees.factories import GuaranteeFactory, SupplierFactory
from tests.guarantees.services.acting import clerk
from tests.guarantees.services.entering import dictionaries, entry, keeper, totals, who, written

pytestmark = pytest.mark.django_db

WHO: dict[str, Any] = {"surface": "api"}


def entered(**values: Any) -> Guarantee:
    return enter_guarantee(entry(**values), **who()).guarantees[0]


def decide(found: Guarantee, party: Any, **asked: Any) -> Decided:
    deed = decide_supplier if party._meta.model_name == "supplier" else decide_bank
    return deed(found.pk, party.pk, acting_user=keeper(), **WHO | asked)


def test_a_decision_teaches_and_reaches_open_rows_of_the_same_name():
    supplier, bank = dictionaries()
    first, second = entered(supplier="Nuur"), entered(supplier="Nuur", number="2")
    open_bank = entered(supplier="Nuur", bank="who?", number="3")
    other_name = entered(supplier="nuur", number="4")
    decided = decide(first, supplier, reason="asked them")
    assert decided.guarantees == [first.pk, second.pk, open_bank.pk]
    assert (decided.ready, decided.has_taught, decided.guarantee.supplier) == (2, True, supplier)
    rows = Guarantee.objects.order_by("pk").values_list("pk", "supplier", "match_status")
    assert list(rows) == [
        (first.pk, supplier.pk, "ready"),
        (second.pk, supplier.pk, "ready"),
        (open_bank.pk, supplier.pk, "needs_review"),
        (other_name.pk, None, "needs_review"),
    ]
    assert totals() == [("manual", 4, 2)]
    alias = SupplierAlias.objects.get()
    assert (alias.name, alias.normalized_name, alias.source, alias.uses) == (
        "Nuur",
        "nuur",
        "decision",
        1,
    )
    version = first.history.latest("history_id")
    assert (version.history_type, version.history_user, version.history_change_reason) == (
        "~",
        keeper(),
        "supplier decided (api): asked them",
    )
    # the next one of that name is certain
    assert entered(supplier="NUUR Co.", number="5").match_status == "ready"
    # and the last open name makes its row ready
    assert decide(open_bank, bank).ready == 1
    assert BankAlias.objects.get().name == "who?"
    assert totals() == [("manual", 5, 4)]


def test_a_decision_that_stands_makes_the_row_ready_though_others_look_alike():
    supplier, bank = dictionaries()
    SupplierFactory.create(name="Al Nour Trading")
    found = entered(bank="who?")
    assert (found.supplier, found.match_status) == (supplier, "needs_review")
    decide(found, supplier)
    decided = decide(found, bank)
    assert (decided.guarantee.match_status, decided.ready) == ("ready", 1)


def test_the_same_decision_again_is_counted_and_changes_no_status():
    supplier, _ = dictionaries()
    found = entered(supplier="Nuur")
    decide(found, supplier)
    again = decide(found, supplier)
    assert (again.ready, again.has_taught, again.guarantees) == (0, False, [found.pk])
    assert SupplierAlias.objects.get().uses == 2
    assert totals() == [("manual", 1, 1)]


def test_a_blank_name_is_nobodys_in_particular():
    supplier, _ = dictionaries()
    first = GuaranteeFactory.create(raw_supplier_name="")
    GuaranteeFactory.create(raw_supplier_name="", batch=first.batch)
    assert decide(first, supplier).guarantees == [first.pk]
    assert not SupplierAlias.objects.exists()


def test_protected_unknown_and_forbidden_ones_are_refused():
    supplier, bank = dictionaries()
    protected = GuaranteeFactory.create(protected=True, raw_supplier_name="Nuur")
    found = entered()
    before = written()
    refusals = [
        (GuaranteeProtected, protected.pk, supplier.pk, keeper()),
        (NoSuchRow, 0, supplier.pk, keeper()),
        (NoSuchRow, found.pk, 0, keeper()),
        (PermissionRefused, found.pk, supplier.pk, clerk("add_guarantee", name="guest")),
    ]
    for refusal, guarantee, party, user in refusals:
        with pytest.raises(refusal):
            decide_supplier(guarantee, party, acting_user=user, **WHO)
    with pytest.raises(NoSuchRow):
        decide_bank(found.pk, bank.pk + 1, acting_user=keeper(), **WHO)
    assert written() == before


def test_a_protected_row_of_the_same_name_is_left_alone():
    supplier, _ = dictionaries()
    found = GuaranteeFactory.create(raw_supplier_name="Nuur")
    protected = GuaranteeFactory.create(protected=True, raw_supplier_name="Nuur", batch=found.batch)
    assert decide(found, supplier).guarantees == [found.pk]
    protected.refresh_from_db()
    assert protected.supplier is None


def test_a_preview_counts_what_a_decision_reaches_and_writes_nothing():
    supplier, _ = dictionaries()
    first = entered(supplier="Nuur")
    entered(supplier="Nuur", number="2", bank="who?")
    before = written()
    seen = preview_decision("supplier", first.pk, supplier.pk, acting_user=keeper(), **WHO)
    assert (seen.guarantees, seen.ready, seen.chosen, seen.raw_name) == (2, 1, supplier, "Nuur")
    assert written() == before
    decided = decide(first, supplier)
    assert (len(decided.guarantees), decided.ready) == (seen.guarantees, seen.ready)
    for asked in ((first.pk, 2**70), (2**70, supplier.pk), (first.pk, 0)):
        with pytest.raises(NoSuchRow):
            preview_decision("supplier", *asked, acting_user=keeper(), **WHO)


def test_somebody_new_is_added_and_decided_in_one_step():
    dictionaries()
    user = clerk("change_guarantee", "add_supplier", "add_bank", name="chief")
    found = entered(supplier="Nuur", bank="بنك جديد")
    asked: dict[str, Any] = {"acting_user": user, "surface": "api"}
    decided = decide_as_new("supplier", found.pk, " Nuur Contracting ", **asked)
    supplier = decided.guarantee.supplier
    assert supplier is not None
    assert (supplier.name, supplier.normalized_name) == ("Nuur Contracting", "nuur contracting")
    assert supplier.history.get().history_user == user
    bank = decide_as_new("bank", found.pk, "بنك جديد", **asked).guarantee.bank
    assert bank is not None
    assert (bank.name_ar, bank.name_en) == ("بنك جديد", "")
    assert entered(supplier="nuur", bank="بنك جديد", number="2").match_status == "ready"
    before = written()
    with pytest.raises(NameTaken, match="Al Noor Trading Company"):
        decide_as_new("supplier", found.pk, "AL NOOR TRADING", **asked)
    for name in ("", " \n", "a\x00"):
        with pytest.raises(DecisionRefused):
            decide_as_new("supplier", found.pk, name, **asked)
    with pytest.raises(PermissionRefused):
        decide_as_new("supplier", found.pk, "X", acting_user=keeper(), surface="api")
    assert written() == before


def test_a_decision_made_meanwhile_is_not_overwritten_by_who_looked_before():
    supplier, _ = dictionaries()
    other = SupplierFactory.create(name="Somebody else")
    found = entered(supplier="Nuur")
    decide(found, supplier)
    with pytest.raises(DecidedMeanwhile, match="Al Noor Trading Company"):
        decide_name("supplier", found.pk, other.pk, acting_user=keeper(), seen=None, **WHO)
    assert Guarantee.objects.get(pk=found.pk).supplier == supplier


def test_many_decisions_stand_or_are_refused_each_by_itself():
    supplier, _ = dictionaries()
    first, second = entered(supplier="Nuur"), entered(supplier="Noor T", number="2")
    choices = [
        Choice(first.pk, supplier.pk, seen=None),
        Choice(second.pk, 2**70),
        Choice(second.pk, supplier.pk, seen=supplier.pk),
        Choice(second.pk, supplier.pk),
    ]
    result = decide_many("supplier", choices, acting_user=keeper(), **WHO)
    assert [decided.guarantee for decided in result.decided] == [first, second]
    assert [refusal.code for _, refusal in result.refused] == ["not_found", "changed_meanwhile"]
    with pytest.raises(PermissionRefused):
        decide_many("bank", [], acting_user=clerk("view_guarantee"), **WHO)
