"""Suppliers, banks and their other names by the API."""

from __future__ import annotations

import pytest

from guarantees.models import Bank, Supplier, SupplierAlias
from tests.guarantees.api.calling import Caller, chief, code, faults, person
from tests.guarantees.services.acting import guarantee

pytestmark = pytest.mark.django_db


@pytest.fixture
def api() -> Caller:
    return Caller(chief())


def test_a_supplier_is_added_changed_and_removed(api):
    added = api.post("suppliers/", {"name": "Al Noor Trading Company"})
    assert added.status_code == 201, added.content
    told = added.json()
    assert added["Location"] == f"/api/v1/suppliers/{told['id']}/"
    assert (told["name"], told["display_name"]) == ("Al Noor Trading Company", "")
    stored = Supplier.objects.get()
    assert stored.normalized_name == "al noor trading"
    assert stored.history.get().history_change_reason == "added (api)"

    path = f"suppliers/{told['id']}/"
    changed = api.patch(path, {"name": "النور"}, If_Match=added["ETag"])
    assert (changed.status_code, changed.json()["name"]) == (200, "النور")
    assert Supplier.objects.get().normalized_name == "النور"
    assert api.patch(path, {"name": "x"}, If_Match=added["ETag"]).status_code == 412
    assert api.get(path)["ETag"] == changed["ETag"]
    assert api.delete(path, If_Match=added["ETag"]).status_code == 412
    assert api.delete(path, If_Match=changed["ETag"]).status_code == 204
    assert (api.get(path).status_code, api.delete(path).status_code) == (404, 404)
    assert Supplier.history.count() == 3


def test_other_names_belong_to_somebody(api):
    supplier, bank = Supplier.objects.create(name="S"), Bank.objects.create(name_en="B")
    for path, body in [
        ("supplier-aliases/", {"supplier": supplier.pk, "name": "Noor Trdng"}),
        ("supplier-overrides/", {"supplier": supplier.pk, "name": "Noor", "notes": "asked"}),
        ("bank-aliases/", {"bank": bank.pk, "name": "Riyadh Bank"}),
    ]:
        party = "bank" if "bank" in body else "supplier"
        made = api.post(path, body)
        assert (made.status_code, made.json() | body) == (201, made.json())
        assert api.get(path, {party: body[party]}).json()["count"] == 1
        assert api.get(path, {party: 99}).json()["count"] == 0
        assert api.post(path, body | {party: 99}).status_code == 404
        assert faults(api.post(path, body | {party: 10**30})) == [(party, "max_value")]
    assert SupplierAlias.objects.get().normalized_name == "noor trdng"
    assert [found["id"] for found in api.get("suppliers/", {"search": "trdng"}).json()["results"]]


def test_whoever_guarantees_name_is_not_removed(api):
    found = guarantee()
    for path in (f"suppliers/{found.supplier_id}/", f"banks/{found.bank_id}/"):
        answer = api.delete(path)
        assert (answer.status_code, code(answer)) == (409, "in_use")
        assert api.get(path).status_code == 200


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, ("name_en", "missing")),
        ({"name_en": "", "name_ar": " "}, ("name_en", "missing")),
        ({"name_en": "..."}, ("name_en", "missing")),
        ({"short_code": "x" * 51}, ("short_code", "max_length")),
        ({"name_ar": "\0"}, ("name_ar", "null_characters_not_allowed")),
        ({"name_ar": "\udc80"}, ("name_ar", "surrogate_characters_not_allowed")),
        ({"name": "x"}, ("name", "unknown_field")),
    ],
)
def test_a_bank_needs_a_name_that_can_be(api, body, expected):
    answer = api.post("banks/", body)
    assert (answer.status_code, faults(answer)) == (422, [expected])
    assert not Bank.objects.exists()


def test_dictionaries_are_changed_by_those_who_may(api):
    supplier = Supplier.objects.create(name="S")
    looker = Caller(person("view_supplier", "add_supplier"))
    assert looker.post("suppliers/", {"name": "T"}).status_code == 201
    assert looker.patch(f"suppliers/{supplier.pk}/", {"name": "U"}).status_code == 403
    assert looker.delete(f"suppliers/{supplier.pk}/").status_code == 403
    assert looker.get("banks/").status_code == 403
    assert sorted(Supplier.objects.values_list("name", flat=True)) == ["S", "T"]
