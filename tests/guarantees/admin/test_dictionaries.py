"""Suppliers, banks and their other names in the admin: the services write them, as on the API."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from guarantees.models import Bank, Supplier, SupplierAlias, SupplierOverride
from tests.guarantees.factories import BankFactory, GuaranteeFactory, SupplierFactory

pytestmark = pytest.mark.django_db


def page(model, view: str, *arguments: object) -> str:
    return reverse(f"admin:guarantees_{model._meta.model_name}_{view}", args=arguments)


def told(answer) -> str:
    """Messages and faults of the page that an answer leads to."""
    return str(answer.content, "utf-8")


def seen(client, address: str) -> str:
    return str(client.get(address).context["adminform"].form.seen)


def test_names_are_added_and_changed_with_who_and_why(admin_client):
    assert admin_client.post(page(Supplier, "add"), {"name": "  Al  Noor  "}).status_code == 302
    supplier = Supplier.objects.get()
    assert (supplier.name, supplier.normalized_name) == ("Al  Noor", "al noor")
    change = page(Supplier, "change", supplier.pk)
    assert admin_client.post(change, {"name": "Gulf", "display_name": "G"}).status_code == 302
    supplier.refresh_from_db()
    assert (supplier.name, supplier.display_name, supplier.normalized_name) == ("Gulf", "G", "gulf")
    history = [(row.history_change_reason, str(row.history_user)) for row in supplier.history.all()]
    assert history == [("changed (admin)", "admin"), ("added (admin)", "admin")]
    admin_client.post(change, {"name": "Gulf", "display_name": "G"})
    assert supplier.history.count() == 2  # saved as it stood


def test_other_names_are_for_somebody_of_the_dictionary(admin_client):
    supplier, bank = SupplierFactory.create(name="Al Noor"), BankFactory.create(name_en="Riyad")
    for name, sent in (
        ("supplieralias", {"supplier": "al noor", "name": "Noor Trdng", "uses": 9, "source": "x"}),
        ("supplieroverride", {"supplier": str(supplier.pk), "name": "N", "notes": "as told"}),
        ("bankalias", {"bank": f"Riyad ({bank.pk})", "name": "Riyadh"}),
    ):
        answer = admin_client.post(reverse(f"admin:guarantees_{name}_add"), sent)
        assert answer.status_code == 302, told(answer)
    alias = SupplierAlias.objects.get()
    assert (alias.supplier, alias.uses, alias.source) == (supplier, 0, "")
    assert SupplierOverride.objects.get().notes == "as told"
    refused = admin_client.post(page(SupplierAlias, "add"), {"supplier": "who?", "name": "W"})
    assert "The dictionary knows nobody of that name." in told(refused)


@pytest.mark.parametrize(
    ("model", "sent", "words"),
    [
        (Supplier, {"name": " "}, "This field is required."),
        (Supplier, {"name": "۔،"}, "needs a name"),
        (Bank, {"short_code": "RIBL"}, "needs a name"),
        (Supplier, {"name": "a" * 1_001}, "at most 1000 characters"),
    ],
)
def test_nobody_is_called_nothing(admin_client, model, sent, words):
    assert words in told(admin_client.post(page(model, "add"), sent))
    assert not model.objects.exists()


@pytest.mark.parametrize("factory", [SupplierFactory, BankFactory])
def test_who_is_named_is_not_removed_and_the_page_says_why(admin_client, factory):
    used, unused = factory.create(), factory.create()
    model = type(used)
    GuaranteeFactory.create(**{model._meta.model_name: used})
    words = "cannot be removed: guarantees or actions name it."
    for method in (admin_client.get, admin_client.post):
        answer = method(page(model, "delete", used.pk), {"post": "yes"}, follow=True)
        assert answer.redirect_chain == [(page(model, "change", used.pk), 302)]
        assert words in told(answer)
    chosen = {"action": "delete_selected", "_selected_action": [used.pk, unused.pk], "post": "yes"}
    assert words in told(admin_client.post(page(model, "changelist"), chosen, follow=True))
    assert model.objects.count() == 2
    assert admin_client.post(page(model, "delete", unused.pk), {"post": "yes"}).status_code == 302
    assert list(model.objects.all()) == [used]
    removed = model.history.filter(id=unused.pk).latest()
    assert (removed.history_type, removed.history_change_reason) == ("-", "removed (admin)")
    assert removed.history_user.username == "admin"


def test_a_clerk_adds_and_does_not_remove():
    clerk = User.objects.create_user("clerk", is_staff=True)
    rights = Permission.objects.filter(codename__in=["view_supplier", "add_supplier"])
    clerk.user_permissions.set(rights)
    client = Client()
    client.force_login(clerk)
    assert client.post(page(Supplier, "add"), {"name": "Gulf"}).status_code == 302
    pk = Supplier.objects.get().pk
    for view in ("change", "delete"):
        sent = {"name": "Other", "post": "yes"}
        assert client.post(page(Supplier, view, pk), sent).status_code == 403
    assert Supplier.objects.get().name == "Gulf"


def test_the_second_of_two_people_is_told_what_the_first_changed(admin_client):
    supplier = SupplierFactory.create(name="Al Noor", display_name="Noor")
    address = page(Supplier, "change", supplier.pk)
    mine = {"name": "Al Noor", "display_name": "Mine", "_seen": seen(admin_client, address)}
    theirs = {"name": "Al Noor Ltd", "display_name": "Theirs"}
    assert admin_client.post(address, theirs).status_code == 302
    refused = admin_client.post(address, mine)
    assert "“Display name” is “Theirs” now" in told(refused)
    assert "changed (admin), admin" in told(refused)
    assert 'value="Mine"' in told(refused)
    supplier.refresh_from_db()
    assert supplier.display_name == "Theirs"
    # the person has been told, and means it; what they did not touch stays as it is now
    again = mine | {"_seen": refused.context["adminform"].form.seen}
    done = admin_client.post(address, again, follow=True)
    assert "“Name” is “Al Noor Ltd” now" in told(done)
    supplier.refresh_from_db()
    assert (supplier.name, supplier.display_name) == ("Al Noor Ltd", "Mine")


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("no json", "Gulf"),
        ("[]", "Gulf"),
        ("[" * 100_000, "Gulf"),
        ('{"name": 5}', "Al Noor"),  # the page showed something else: told, not written
    ],
)
def test_a_form_with_a_broken_memory_of_what_it_showed_does_no_harm(admin_client, sent, stored):
    supplier = SupplierFactory.create(name="Al Noor")
    address = page(Supplier, "change", supplier.pk)
    admin_client.post(address, {"name": "Gulf", "display_name": "", "_seen": sent})
    supplier.refresh_from_db()
    assert supplier.name == stored


def test_a_name_is_looked_for_anew_in_every_form(admin_client):
    supplier = SupplierFactory.create(name="Al Noor")
    form = admin.site._registry[SupplierAlias].form
    assert (
        form({"supplier": "al noor", "name": "x"}).fields["supplier"].clean("al noor") == supplier
    )
    Supplier.objects.filter(pk=supplier.pk).delete()
    other = SupplierFactory.create(name="Al Noor")
    assert form().fields["supplier"].clean("al noor") == other
