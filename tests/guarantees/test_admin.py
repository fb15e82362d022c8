"""The department's admin pages: readable, constant in queries, read-only where immutable."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from guarantees.models import (
    ActionSession,
    Bank,
    BankAlias,
    GuaranteeAction,
    ImportedRecord,
    ImportSession,
    Supplier,
    SupplierAlias,
    SupplierOverride,
)
from tests.guarantees.factories import (
    ActionSessionFactory,
    BankFactory,
    GuaranteeActionFactory,
    GuaranteeFactory,
    SupplierFactory,
)
from tests.guarantees.services import acting

pytestmark = pytest.mark.django_db

MODELS = [
    model
    for model in apps.get_app_config("guarantees").get_models()
    if not model.__name__.startswith("Historical")
]


def make_one_of_each(number: int) -> None:
    supplier, bank = SupplierFactory.create(), BankFactory.create()
    SupplierAlias.objects.create(supplier=supplier, name="alias")
    SupplierOverride.objects.create(supplier=supplier, name="override")
    BankAlias.objects.create(bank=bank, name="alias")
    guarantee = GuaranteeFactory.create(supplier=supplier, bank=bank)
    session = ActionSessionFactory.create(day=date(2025, 1, 1) + timedelta(days=number))
    action = GuaranteeActionFactory.create(guarantee=guarantee, session=session, issued=True)
    ImportSession.objects.create(id=number, session_type="excel")
    ImportedRecord.objects.create(session_id=number, migrated_guarantee=guarantee)
    ImportedRecord.objects.create(session_id=number, migrated_action=action)


def page(view: str, obj, *arguments: object) -> str:
    return reverse(f"admin:guarantees_{obj._meta.model_name}_{view}", args=arguments)


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_the_same_number_of_queries_whatever_its_length(admin_client, model):
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            assert admin_client.get(page("changelist", model)).status_code == 200
        return len(captured)

    make_one_of_each(1)
    queries()  # fills caches of content types
    few = queries()
    for number in range(2, 12):
        make_one_of_each(number)
    assert queries() == few


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_looked_at_and_searched(admin_client, model):
    make_one_of_each(1)
    assert model in admin.site._registry
    obj = model.objects.first()
    assert admin_client.get(page("change", model, obj.pk)).status_code == 200
    if admin.site._registry[model].search_fields:
        assert admin_client.get(page("changelist", model), {"q": "a"}).status_code == 200


@pytest.mark.parametrize("model", [Supplier, Bank])
def test_dictionaries_can_be_added_to(admin_client, model):
    assert admin_client.get(page("add", model)).status_code == 200


def test_an_issued_action_can_only_be_read(admin_client):
    action = GuaranteeActionFactory.create(issued=True, notes="as issued")
    assert admin_client.post(page("change", action, action.pk), {"notes": "no"}).status_code == 403
    assert admin_client.post(page("delete", action, action.pk), {"post": "yes"}).status_code == 403
    action.refresh_from_db()
    assert action.notes == "as issued"


def test_a_draft_can_be_edited_but_not_issued_by_a_form(admin_client):
    draft = GuaranteeActionFactory.create()
    form = {"action_date": "2025-06-01", "notes": "changed", "status": "issued", "reason": ""}
    assert admin_client.post(page("change", draft, draft.pk), form).status_code == 302
    draft.refresh_from_db()
    assert (draft.notes, draft.status) == ("changed", "draft")


def test_a_protected_guarantee_shows_its_business_fields_read_only(admin_client):
    guarantee = GuaranteeFactory.create(protected=True, number="G-77")
    response = admin_client.post(page("change", guarantee, guarantee.pk), {"number": "changed"})
    assert response.status_code == 302
    guarantee.refresh_from_db()
    assert guarantee.number == "G-77"
    assert admin_client.post(page("delete", guarantee, guarantee.pk)).status_code == 403


def test_an_old_state_is_looked_at_and_not_brought_back_by_a_form(admin_client):
    for guarantee in (GuaranteeFactory.create(), GuaranteeFactory.create().batch):
        rows = type(guarantee).objects.filter(pk=guarantee.pk)
        before = page("simple_history", guarantee, guarantee.pk, guarantee.history.last().pk)
        rows.update(created_at=datetime(2025, 1, 1, tzinfo=UTC))
        assert admin_client.get(before).status_code == 200
        assert admin_client.post(before, {}).status_code == 403
        assert rows.get().created_at == datetime(2025, 1, 1, tzinfo=UTC)


def test_lists_with_immutable_rows_offer_no_bulk_deletion(admin_client):
    make_one_of_each(1)
    for obj in (GuaranteeFactory.create(), GuaranteeActionFactory.create()):
        assert b"delete_selected" not in admin_client.get(page("changelist", obj)).content


def test_staged_rows_are_read_only(admin_client):
    make_one_of_each(1)
    for model in (ImportSession, ImportedRecord):
        assert admin_client.get(page("add", model)).status_code == 403
        pk = model.objects.values_list("pk", flat=True).first()
        assert admin_client.post(page("change", model, pk), {}).status_code == 403


def test_a_draft_discarded_in_the_admin_is_counted_no_longer(admin_client):
    acting.guarantee()
    drafted = acting.draft()
    admin_client.post(page("delete", drafted, drafted.pk), {"post": "yes"})
    assert not GuaranteeAction.objects.exists()
    assert ActionSession.objects.get().total_actions == 0


def test_a_draft_of_a_locked_session_can_only_be_read(admin_client):
    acting.guarantee()
    drafted = acting.draft()
    assert "_save" in admin_client.get(page("change", drafted, drafted.pk)).content.decode()
    ActionSession.objects.update(is_locked=True)
    assert "_save" not in admin_client.get(page("change", drafted, drafted.pk)).content.decode()
    assert admin_client.post(page("delete", drafted, drafted.pk)).status_code == 403
