"""Deciding names in the admin, and guarantees that are there twice."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from guarantees.models import Guarantee, Supplier
from guarantees.services.entries import enter_guarantee
from guarantees.services.matching import decide_supplier
from tests.guarantees.admin.test_acting import client
from tests.guarantees.factories import BankFactory, GuaranteeFactory, SupplierFactory
from tests.guarantees.services.entering import dictionaries, entry, keeper, who

pytestmark = pytest.mark.django_db

NAMES = reverse("admin:guarantees_guarantee_matching")
ACCEPT = reverse("admin:guarantees_guarantee_accept")
RIGHTS = ("view_guarantee", "change_guarantee", "add_supplier")


def enter(number: str, **values: str) -> Guarantee:
    return enter_guarantee(entry(number=number, **values), **who()).guarantees[0]


def at(found: Guarantee, party: str = "supplier") -> str:
    return reverse("admin:guarantees_guarantee_decide", args=[party, found.pk])


def decide(user: Client, found: Guarantee, **values: Any) -> Any:
    return user.post(at(found), {"seen": "", "step": "decide"} | values, follow=True)


def test_names_are_listed_with_whom_they_may_mean():
    dictionaries()
    enter("1", supplier="Al Nour Trading")
    enter("2", supplier="Al Nour Trading", bank="who?")
    enter("3", supplier="Nobody of that kind")
    user = client(*RIGHTS)
    rows = user.get(NAMES).context["rows"]
    assert [(row.raw_name, row.guarantees, len(row.suggestions)) for row in rows] == [
        ("Al Nour Trading", 2, 1),
        ("Nobody of that kind", 1, 0),
    ]
    assert len(user.get(NAMES, {"q": "nour"}).context["rows"]) == 1
    assert [r.raw_name for r in user.get(NAMES, {"party": "bank"}).context["rows"]] == ["who?"]
    for asked in ({"page": "999"}, {"page": "x"}, {"batch": "9" * 30}, {"q": "a\x00"}):
        assert user.get(NAMES, asked).status_code == 200
    assert user.get(NAMES, {"party": "nobody"}).status_code == 404


def test_a_name_is_decided_after_a_look_at_what_that_reaches():
    supplier, _ = dictionaries()
    first = enter("1", supplier="Nuur")
    enter("2", supplier="Nuur", bank="who?")
    user = client(*RIGHTS)
    asked = {"choice": "other", "other": "AL NOOR TRADING", "seen": ""}
    page = user.post(at(first), asked | {"step": "preview"})
    told = page.content.decode()
    assert "2 guarantees are decided." in told
    assert "1 of them becomes ready." in told
    assert not Guarantee.objects.filter(supplier=supplier).exists()
    done = decide(user, first, **asked)
    assert "2 guarantees are of Al Noor Trading Company now." in done.content.decode()
    assert Guarantee.objects.filter(supplier=supplier).count() == 2


def test_somebody_new_is_added():
    dictionaries()
    found = enter("1", supplier="Nuur")
    user = client(*RIGHTS)
    decide(user, found, choice="new", name="Nuur Roads")
    assert Guarantee.objects.get().supplier == Supplier.objects.get(name="Nuur Roads")
    # who may not add a supplier is not offered it
    other = enter("2", supplier="Quite another")
    user = client("view_guarantee", "change_guarantee")
    assert user.post(at(other), {"choice": "new", "name": "X"}).status_code == 422
    assert Supplier.objects.count() == 2


def test_what_cannot_be_is_told_on_the_form():
    dictionaries()
    SupplierFactory.create(name="Al Noor Trading Co.")  # the same name
    found = enter("1", supplier="Nuur")
    user = client(*RIGHTS)
    cases = [
        ({"choice": "other", "other": "Al Noor Trading"}, "Not certain who that is"),
        ({"choice": "other", "other": "who?"}, "knows nobody of that name"),
        ({"choice": "other", "other": ""}, "Choose somebody."),
        ({"choice": "new", "name": " "}, "Give a name."),
        ({"choice": "17"}, "valid choice"),
        ({}, "This field is required"),
    ]
    for values, sentence in cases:
        answer = user.post(at(found), {"seen": "", "step": "decide"} | values)
        assert (answer.status_code, sentence in answer.content.decode()) == (422, True), values
    assert Guarantee.objects.get().supplier is None
    taken = user.post(at(found), {"choice": "new", "name": "AL NOOR trading", "step": "decide"})
    assert (taken.status_code, "already" in taken.content.decode()) == (409, True)


def test_a_decision_made_meanwhile_is_told_to_the_second_one():
    supplier, _ = dictionaries()
    other = SupplierFactory.create(name="Somebody else")
    found = enter("1", supplier="Nuur")
    decide_supplier(found.pk, supplier.pk, acting_user=keeper(), surface="api")
    answer = decide(client(*RIGHTS), found, choice="other", other=str(other.pk))
    assert (answer.status_code, "Somebody has decided" in answer.content.decode()) == (409, True)
    assert Guarantee.objects.get().supplier == supplier


def test_suggestions_are_accepted_together_after_they_were_counted():
    supplier, _ = dictionaries()
    first, second = enter("1", supplier="Al Nour Trading"), enter("2", supplier="Al Noor Tradinq")
    enter("3", supplier="Al Nour Trading")
    user = client(*RIGHTS)
    choices = [f"{row.pk}:{supplier.pk}:" for row in (first, second)] + ["x", "1:2", f"{2**70}:1:"]
    page = user.post(ACCEPT, {"party": "supplier", "choice": choices})
    assert "2 names decided, for 3 guarantees." in page.content.decode()
    assert Guarantee.objects.filter(supplier=None).count() == 3
    sent: dict[str, Any] = {"confirm": "yes", "party": "supplier", "choice": choices}
    done = user.post(ACCEPT, sent, follow=True).content.decode()
    assert "2 guarantees are of Al Noor Trading Company now." in done
    assert Guarantee.objects.filter(supplier=supplier).count() == 3
    again = user.post(ACCEPT, sent, follow=True).content.decode()
    assert "Somebody has decided the supplier" in again
    nothing = user.post(ACCEPT, {"party": "supplier"}, follow=True).content.decode()
    assert "Select at least one name" in nothing


def test_looking_needs_one_permission_and_deciding_another():
    dictionaries()
    found = enter("1", supplier="Nuur")
    assert client("view_bank").get(NAMES).status_code == 403
    looker = client("view_guarantee")
    assert looker.get(NAMES).status_code == 200
    assert "/matching/supplier/" not in looker.get(NAMES).content.decode()
    assert looker.get(at(found)).status_code == 403
    assert looker.post(at(found)).status_code == 403
    assert looker.post(ACCEPT, {"party": "supplier"}).status_code == 403
    user = client(*RIGHTS)
    assert user.get(at(found, "nobody")).status_code == 404
    assert user.get(at(found).replace(str(found.pk), str(2**64))).status_code == 404
    protected = GuaranteeFactory.create(protected=True)
    assert user.get(at(protected)).status_code == 409


def test_lists_of_names_and_duplicates_take_the_same_queries(django_assert_max_num_queries):
    dictionaries()
    user, pages = client(*RIGHTS), (NAMES, reverse("admin:guarantees_guarantee_duplicates"))
    bank = BankFactory.create()

    def fill(name: str) -> None:
        enter(name, supplier=f"Quite another {name}")
        for _ in range(2):
            GuaranteeFactory.create(number=f"D-{name}", bank=bank)

    fill("1")
    counts = {}
    for page in pages:
        user.get(page)
        with django_assert_max_num_queries(20) as few:
            user.get(page)
        counts[page] = len(few)
    for number in range(2, 8):
        fill(str(number))
    for page in pages:
        with django_assert_max_num_queries(counts[page]):
            user.get(page)


def test_guarantees_that_are_there_twice_are_shown_together():
    bank = BankFactory.create()
    first, second = (GuaranteeFactory.create(number="D-1", bank=bank) for _ in range(2))
    GuaranteeFactory.create(number="D-2", bank=bank)
    page = reverse("admin:guarantees_guarantee_duplicates")
    assert client("view_bank").get(page).status_code == 403
    [group] = client("view_guarantee").get(page).context["groups"]
    assert group["members"] == [first, second]
