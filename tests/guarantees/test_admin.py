"""The department's admin pages: readable, constant in queries, read-only where immutable."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from guarantees.action_errors import GuaranteeProtected, NotFound
from guarantees.models import (
    ActionSession,
    Bank,
    BankAlias,
    Guarantee,
    GuaranteeAction,
    ImportedRecord,
    ImportSession,
    RejectedRow,
    Supplier,
    SupplierAlias,
    SupplierOverride,
)
from guarantees.services.actions import edit_draft
from guarantees.services.correcting import correct_guarantee
from migrations_tools.exceptions import PermissionRefused
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
    RejectedRow.objects.create(batch=guarantee.batch, row=number, cells={}, problems=[])
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


def test_a_draft_is_edited_by_its_rules_and_not_issued_by_a_form(admin_client):
    acting.guarantee()
    draft = acting.draft()
    address = page("change", draft, draft.pk)
    ours = {"previous_expiry": "2020-01-01", "status": "issued", "action_date": "2020-01-01"}
    later = ours | {"new_expiry": "2027-03-01", "notes": "changed"}
    assert admin_client.post(address, later).status_code == 302
    earlier = admin_client.post(address, {"new_expiry": "2025-01-01", "notes": "refused"})
    assert "is not later" in earlier.content.decode()
    amount = admin_client.post(address, {"new_expiry": "2027-03-01", "new_amount": "5"})
    assert "not for actions of the type extension" in amount.content.decode()
    edited = GuaranteeAction.objects.get()
    assert (edited.notes, edited.status, edited.new_expiry, edited.new_amount) == (
        ("changed", "draft", date(2027, 3, 1), None)
    )
    assert (edited.previous_expiry, edited.action_date) == (
        (draft.previous_expiry, draft.action_date)
    )
    assert edited.history.latest().history_user.username == "admin"


def test_a_draft_that_somebody_changed_meanwhile_is_not_overwritten(admin_client):
    acting.guarantee()
    draft = acting.draft(notes="first\nsecond")
    address = page("change", draft, draft.pk)
    seen = admin_client.get(address).context["adminform"].form.seen
    mine = {"new_expiry": "2028-01-01", "new_amount": "", "reason": "", "notes": "mine"}
    request = acting.asked(new_expiry=date(2027, 3, 1), notes="theirs")
    edit_draft(draft.pk, request, acting_user=acting.clerk(), surface="api")
    refused = admin_client.post(address, mine | {"_seen": seen})
    assert "“New expiry” is “March 1, 2027” now" in refused.content.decode()
    edited = GuaranteeAction.objects.get()
    assert (edited.notes, edited.new_expiry) == ("theirs", date(2027, 3, 1))
    again = mine | {"_seen": refused.context["adminform"].form.seen}
    assert admin_client.post(address, again).status_code == 302
    edited.refresh_from_db()
    assert (edited.notes, edited.new_expiry) == ("mine", date(2028, 1, 1))


def test_a_draft_of_a_modification_keeps_what_it_modifies(admin_client):
    found = acting.guarantee()
    other = SupplierFactory.create()
    changes = {"supplier": other.pk, "expiry_date": "2027-01-31", "amount": "900", "comment": "c"}
    draft = acting.draft("modification", changes=changes, reason="as agreed")
    address = page("change", draft, draft.pk)
    refused = admin_client.post(address, {"notes": "no reason", "reason": ""})
    assert "needs a reason" in refused.content.decode()
    assert admin_client.post(address, {"notes": "told", "reason": "twice"}).status_code == 302
    edited = GuaranteeAction.objects.get()
    assert (edited.notes, edited.reason, edited.changes) == ("told", "twice", draft.changes)
    assert acting.currently(found) == (found.current_expiry, found.current_amount, "active")


def test_a_correction_of_an_imported_value_is_what_the_guarantee_currently_has(admin_client):
    guarantee = acting.guarantee(number="LG-9")
    values = {
        "number": "LG-9",
        "supplier": guarantee.supplier_id,
        "bank": guarantee.bank_id,
        "currency": "SAR",
        "amount": "2500",
        "expiry_date": "2026-06-30",
        "match_status": "ready",
        "current_amount": "1",
    }
    address = page("change", guarantee, guarantee.pk)
    assert admin_client.post(address, values).status_code == 302
    stored = Guarantee.objects.get()
    assert (stored.amount, stored.expiry_date) == (Decimal(2500), date(2026, 6, 30))
    assert (stored.current_amount, stored.current_expiry) == (stored.amount, stored.expiry_date)
    assert stored.match_status == "needs_review"  # the batch counts what is ready
    assert stored.history.latest().history_change_reason == "correct (admin)"
    refused = admin_client.post(address, values | {"currency": "riyal"})
    assert refused.status_code == 200
    histories = stored.history.count()
    assert admin_client.post(address, values).status_code == 302
    assert stored.history.count() == histories


def test_an_issued_action_outlives_the_correction_of_what_was_imported(admin_client):
    guarantee = acting.guarantee()
    acting.issue("reduction", new_amount=Decimal(400))
    correct_guarantee(
        guarantee.pk, {"amount": "900"}, acting_user=acting.clerk("change_guarantee"), surface="api"
    )
    stored = Guarantee.objects.get()
    assert (stored.amount, stored.current_amount) == (Decimal(900), Decimal(400))


def test_what_cannot_be_corrected_is_refused_by_the_service():
    guarantee = GuaranteeFactory.create(protected=True)
    asked: dict[str, Any] = {"values": {"amount": "5"}, "surface": "api"}
    with pytest.raises(GuaranteeProtected):
        correct_guarantee(guarantee.pk, acting_user=acting.clerk("change_guarantee"), **asked)
    with pytest.raises(PermissionRefused):
        correct_guarantee(guarantee.pk, acting_user=acting.clerk("view_guarantee"), **asked)
    with pytest.raises(NotFound):
        correct_guarantee(0, acting_user=acting.clerk("change_guarantee"), **asked)
    assert Guarantee.objects.get().amount == guarantee.amount


def test_no_guarantee_is_deleted(admin_client):
    for guarantee in (GuaranteeFactory.create(), GuaranteeFactory.create(protected=True)):
        gone = admin_client.post(page("delete", guarantee, guarantee.pk), {"post": "yes"})
        assert gone.status_code == 403
    assert Guarantee.objects.count() == 2


def test_a_protected_guarantee_shows_its_business_fields_read_only(admin_client):
    guarantee = GuaranteeFactory.create(protected=True, number="G-77")
    response = admin_client.post(page("change", guarantee, guarantee.pk), {"number": "changed"})
    assert response.status_code == 302
    guarantee.refresh_from_db()
    assert guarantee.number == "G-77"


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


def test_a_correction_never_undoes_what_somebody_corrected_meanwhile(admin_client):
    guarantee = GuaranteeFactory.create(comment="first")
    address = page("change", guarantee, guarantee.pk)
    form = admin_client.get(address).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    mine = {name: "" if value is None else value for name, value in shown.items()}
    mine |= {"_seen": form.seen}
    by: dict[str, Any] = {"acting_user": acting.clerk("change_guarantee"), "surface": "api"}
    correct_guarantee(guarantee.pk, {"comment": "theirs"}, **by)
    refused = admin_client.post(address, mine | {"comment": "ours"})
    assert "“Comment” is “theirs” now" in refused.content.decode()
    told = admin_client.post(address, mine | {"contract_number": "C-5"}, follow=True)
    assert "“Comment” is “theirs” now" in told.content.decode()
    stored = Guarantee.objects.get()
    assert (stored.comment, stored.contract_number) == ("theirs", "C-5")
