"""Protected guarantees, against every way round them (guarantees.md "Protected")."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from guarantees.models import ActionType, Guarantee, GuaranteeStatus
from guarantees.models.guarantee import BUSINESS_FIELDS
from migrations_tools.states import Operation, RunKind
from tests.guarantees.factories import (
    BankFactory,
    GuaranteeActionFactory,
    GuaranteeFactory,
    ImportBatchFactory,
    SupplierFactory,
    journal,
    run,
)

pytestmark = pytest.mark.django_db

PROTECTED = "is protected"

#: Another value for every business field.
OTHER_VALUES: dict[str, Callable[[], object]] = {
    "supplier": SupplierFactory.create,
    "bank": BankFactory.create,
    "batch": ImportBatchFactory.create,
    "amount": lambda: Decimal("1.00"),
    "currency": lambda: "USD",
    "issue_date": lambda: date(2024, 1, 1),
    "expiry_date": lambda: date(2024, 1, 1),
    "import_date": lambda: date(2024, 1, 1),
    "created_at": lambda: "2024-01-01T00:00:00Z",
    "match_status": lambda: "needs_review",
    "import_kind": lambda: "manual",
}


def update(guarantee: Guarantee, **values: object) -> int:
    return Guarantee.objects.filter(pk=guarantee.pk).update(**values)


@pytest.mark.parametrize("field", BUSINESS_FIELDS)
def test_a_business_field_cannot_be_changed(field):
    guarantee = GuaranteeFactory.create(protected=True)
    other = OTHER_VALUES.get(field, lambda: "changed")()
    with pytest.raises(IntegrityError, match=PROTECTED), transaction.atomic():
        update(guarantee, **{field: other})


def test_saving_bulk_updating_and_raw_sql_meet_the_same_refusal():
    guarantee = GuaranteeFactory.create(protected=True)
    guarantee.number = "changed"
    with pytest.raises(IntegrityError, match=PROTECTED), transaction.atomic():
        guarantee.save()
    with pytest.raises(IntegrityError, match=PROTECTED), transaction.atomic():
        Guarantee.objects.bulk_update([guarantee], ["number"])
    for statement in (
        "UPDATE guarantees_guarantee SET number = 'changed'",
        "SET LOCAL session_replication_role = replica; UPDATE guarantees_guarantee SET amount = 1",
        "UPDATE guarantees_guarantee SET id = id + 1",
    ):
        with pytest.raises(IntegrityError, match=PROTECTED), transaction.atomic():
            connection.cursor().execute(statement)


def test_what_it_currently_is_stays_editable():
    guarantee = GuaranteeFactory.create(protected=True)
    guarantee.current_expiry = date(2026, 12, 31)
    guarantee.current_amount = Decimal("500.00")
    guarantee.status = GuaranteeStatus.RELEASED
    guarantee.save()
    guarantee.refresh_from_db()
    assert guarantee.current_expiry == date(2026, 12, 31)
    assert guarantee.expiry_date == date(2025, 12, 31)
    assert set(BUSINESS_FIELDS) == {field.name for field in Guarantee._meta.fields} - {
        "id",
        "is_protected",
        "current_amount",
        "current_expiry",
        "status",
    }


def test_an_unprotected_guarantee_is_edited_and_deleted_freely():
    guarantee = GuaranteeFactory.create()
    assert update(guarantee, number="changed", amount=1) == 1
    guarantee.delete()
    assert not Guarantee.objects.exists()


@pytest.mark.parametrize("protected", [True, False])
def test_protection_is_neither_given_nor_taken_by_an_update(protected):
    guarantee = GuaranteeFactory.create(protected=protected, match_status="ready")
    with pytest.raises(IntegrityError, match="set by the migration only"), transaction.atomic():
        update(guarantee, is_protected=not protected)


def test_only_a_ready_guarantee_is_protected():
    with pytest.raises(IntegrityError, match="protected_guarantee_is_ready"), transaction.atomic():
        GuaranteeFactory.create(is_protected=True, match_status="needs_review")


def modification(guarantee: Guarantee, **values: object) -> None:
    values = {"issued": True, "reason": "typing error in the letter"} | values
    GuaranteeActionFactory.create(
        guarantee=guarantee, action_type=ActionType.MODIFICATION, **values
    )


class TestModification:
    def test_the_transaction_that_issues_it_may_change_the_guarantee(self):
        guarantee = GuaranteeFactory.create(protected=True)
        modification(guarantee, changes={"amount": ["1000.00", "900.00"]})
        update(guarantee, amount=Decimal("900.00"))
        guarantee.refresh_from_db()
        assert (guarantee.amount, guarantee.is_protected) == (Decimal("900.00"), True)

    def test_issuing_a_draft_opens_it_too(self):
        guarantee = GuaranteeFactory.create(protected=True)
        modification(guarantee, issued=False)
        draft = guarantee.actions.get()
        draft.status, draft.is_locked, draft.issued_at = "issued", True, guarantee.created_at
        with transaction.atomic():  # a savepoint is the same transaction
            draft.save()
        with transaction.atomic():
            assert update(guarantee, number="changed") == 1

    def test_a_draft_an_extension_or_another_guarantee_opens_nothing(self):
        guarantee = GuaranteeFactory.create(protected=True)
        modification(guarantee, issued=False)
        modification(GuaranteeFactory.create(protected=True))
        GuaranteeActionFactory.create(guarantee=guarantee, issued=True, reason="extended")
        with pytest.raises(IntegrityError, match=PROTECTED), transaction.atomic():
            update(guarantee, number="changed")

    @pytest.mark.parametrize("reason", ["", "  ", "\n\t"])
    def test_it_needs_a_reason(self, reason):
        guarantee = GuaranteeFactory.create(protected=True)
        with (
            pytest.raises(IntegrityError, match="issued_modification_has_a_reason"),
            transaction.atomic(),
        ):
            modification(guarantee, reason=reason)

    @pytest.mark.django_db(transaction=True)
    def test_later_transactions_are_closed_again(self):
        guarantee = GuaranteeFactory.create(protected=True)
        with transaction.atomic():
            modification(guarantee, issued_in=None)
            update(guarantee, number="changed")
        with pytest.raises(IntegrityError, match=PROTECTED), transaction.atomic():
            update(guarantee, number="again")

    def test_one_that_was_taken_back_opens_nothing(self):
        guarantee = GuaranteeFactory.create(protected=True)
        savepoint = transaction.savepoint()
        modification(guarantee)
        transaction.savepoint_rollback(savepoint)
        with pytest.raises(IntegrityError, match=PROTECTED), transaction.atomic():
            update(guarantee, number="changed")


class TestDeletion:
    @pytest.mark.parametrize("made_by_the_run", [True, False])
    def test_only_the_rollback_of_the_run_that_made_it_deletes_it(self, made_by_the_run):
        guarantee = GuaranteeFactory.create(protected=True)
        apply = run()
        if made_by_the_run:
            journal(apply, Operation.INSERT, guarantee)
        journal(run(RunKind.ROLLBACK, parent=apply), Operation.DELETE, guarantee)
        if made_by_the_run:
            guarantee.delete()
            assert not Guarantee.objects.exists()
        else:
            with pytest.raises(IntegrityError, match=PROTECTED), transaction.atomic():
                guarantee.delete()

    def test_nobody_else_deletes_it(self):
        guarantee = GuaranteeFactory.create(protected=True)
        for delete in (guarantee.delete, Guarantee.objects.filter(pk=guarantee.pk).delete):
            with pytest.raises(IntegrityError, match=PROTECTED), transaction.atomic():
                delete()
