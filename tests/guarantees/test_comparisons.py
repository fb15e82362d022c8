"""Old rows beside the guarantees and actions that they became, and the page that shows it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from guarantees.models import Guarantee, ImportedRecord, ImportSession
from migrations_tools.comparisons import comparison_of, comparison_url, comparison_url_of
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "split_imported_records"


def record(number: int, **values: Any) -> ImportedRecord:
    ImportSession.objects.get_or_create(id=1, session_type="excel")
    said = {
        "guarantee_number": "LG-1",
        "amount": "1,000.50",
        "expiry_date": "2030-12-31",
        "raw_supplier_name": "Al Noor",
        "created_at": "2025-05-01 10:00:00",
    }
    return ImportedRecord.objects.create(id=number, session_id=1, **said | values)


def carry_over() -> None:
    run = runs.start_run(NAME, acting_user=system_user(), surface="command")
    assert run is not None
    runs.work_run(run)


def client_of(*permissions: str) -> Client:
    user = User.objects.create_user("amal", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_row_and_its_guarantee_say_the_same_until_one_of_them_changes() -> None:
    row = record(7)
    before = comparison_of(NAME, 0, "7")
    assert before is not None
    assert (before.new, before.differing) == ([], 0)
    carry_over()
    found = comparison_of(NAME, 0, "7")
    assert found is not None
    assert (found.legacy, found.new) == ([row], [Guarantee.objects.get()])
    assert found.differing == 0
    ImportedRecord.objects.update(amount="999")
    changed = comparison_of(NAME, 0, "7")
    assert changed is not None
    assert [(field.legacy, field.new) for field in changed.fields if field.differs] == [
        (999, Guarantee.objects.get().amount)
    ]


def test_an_action_row_is_compared_with_its_action() -> None:
    record(8)
    record(9, record_type="extension_action", expiry_date="2031-12-31")
    carry_over()
    found = comparison_of(NAME, 1, "9")
    assert found is not None
    action = ImportedRecord.objects.get(pk=9).migrated_action
    assert found.new == [action]
    assert found.differing == 0
    assert comparison_url_of(action) == comparison_url(NAME, 1, "9")
    assert comparison_url_of(Guarantee.objects.get()) == comparison_url(NAME, 0, "8")
    assert comparison_url_of(Guarantee(number="new", pk=0)) == ""


@pytest.mark.parametrize(("step", "key"), [(0, "10"), (2, "7"), (0, "x"), (0, "9" * 30), (0, "٣")])
def test_what_is_no_row_is_no_comparison(step: int, key: str) -> None:
    assert comparison_of(NAME, step, key) is None
    assert comparison_of("no_such_migration", step, key) is None
    assert comparison_url("no_such_migration", step, key) == ""


def test_the_page_marks_differences_for_those_who_may_see_both_sides() -> None:
    record(7)
    carry_over()
    ImportedRecord.objects.update(amount="999")
    address = comparison_url(NAME, 0, "7")
    client = client_of("view_importedrecord", "view_guarantee")
    shown = client.get(address).content.decode()
    assert "One field differs." in shown
    assert reverse("admin:guarantees_importedrecord_change", args=[7]) in shown
    assert client.get(comparison_url(NAME, 0, "99")).status_code == 404
    listed = client.get(reverse("admin:guarantees_importedrecord_changelist")).content.decode()
    assert address in listed
    User.objects.get(username="amal").user_permissions.remove(
        Permission.objects.get(codename="view_guarantee")
    )
    assert client.get(address).status_code == 403
