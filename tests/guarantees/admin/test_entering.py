"""Guarantees typed in or pasted in the admin: looked at, then saved."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from guarantees.models import BatchKind, Guarantee, ImportBatch
from tests.guarantees.services.entering import dictionaries, entry

pytestmark = pytest.mark.django_db

VALUES = entry(related_to="contract")
PASTED = (
    "Guarantee No\tSupplier\tBank\tAmount\tContract\nA-1\tNoor\tRIBL\t5\tC\nA-2\tNoor\tRIBL\t6\tC"
)


@pytest.fixture
def browser() -> Client:
    user = User.objects.create_user("amal", is_staff=True)
    codes = ("add_guarantee", "view_importbatch")
    user.user_permissions.set(Permission.objects.filter(codename__in=codes))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def post(client: Client, name: str, **values: Any) -> str:
    answer = client.post(reverse(f"admin:guarantees_{name}"), values, follow=True)
    return str(answer.content.decode())


def test_a_typed_guarantee_is_looked_at_and_then_saved(browser: Client) -> None:
    dictionaries()
    shown = post(browser, "enter", look="yes", **VALUES)
    assert "31/12/2030</bdi> → <bdi><strong>2030-12-31" in shown
    assert "Save this guarantee" in shown
    assert not Guarantee.objects.exists()
    assert "1 guarantee was saved." in post(browser, "enter", save="yes", **VALUES)
    guarantee = Guarantee.objects.get()
    assert (guarantee.batch.kind, guarantee.batch.uploaded_by) == (BatchKind.MANUAL, "")
    assert guarantee.match_status == "ready"


def test_all_that_is_wrong_is_said_at_once_and_nothing_is_saved(browser: Client) -> None:
    wrong = VALUES | {"amount": "1e3", "expiry_date": "soon", "number": "\u200b"}
    for button in ("look", "save"):
        shown = post(browser, "enter", **{button: "yes"}, **wrong)
        for field in ("Guarantee number:", "Amount:", "Expiry date:"):
            assert field in shown
        assert "Save this guarantee" not in shown
    tampered = post(browser, "enter", save="yes", **VALUES | {"related_to": "nothing"})
    assert "Select a valid choice" in tampered
    assert not ImportBatch.objects.exists()


def test_a_form_sent_twice_is_saved_once_unless_it_is_meant(browser: Client) -> None:
    post(browser, "enter", save="yes", **VALUES)
    shown = post(browser, "enter", save="yes", **VALUES)
    assert "is there already" in shown
    assert Guarantee.objects.count() == 1
    post(browser, "enter", save="yes", again="yes", **VALUES)
    assert Guarantee.objects.count() == 2


def test_a_pasted_text_is_looked_at_and_comes_in_wholly_or_not_at_all(browser: Client) -> None:
    assert "Save these 2 guarantees" in post(browser, "paste", look="yes", text=PASTED)
    assert not Guarantee.objects.exists()
    broken = PASTED.replace("\t6\t", "\t\t")
    shown = post(browser, "paste", save="yes", text=broken)
    assert "Amount: is missing." in shown
    assert not Guarantee.objects.exists()
    assert "2 guarantees were saved." in post(browser, "paste", save="yes", text=PASTED)
    assert ImportBatch.objects.get().kind == BatchKind.PASTE
    assert "No guarantee was found" in post(browser, "paste", look="yes", text="good morning")
