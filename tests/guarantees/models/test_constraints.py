"""What the database accepts, and what legacy rows need it to accept."""

from datetime import date
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction

from guarantees.models import (
    ActionType,
    BatchKind,
    Guarantee,
    ImportBatch,
    ImportedRecord,
    ImportSession,
)
from tests.guarantees.factories import (
    GuaranteeActionFactory,
    GuaranteeFactory,
    ImportBatchFactory,
)

pytestmark = pytest.mark.django_db


class TestImportBatch:
    @pytest.mark.parametrize("kind", [BatchKind.MANUAL, BatchKind.PASTE])
    def test_a_day_has_one_batch_of_a_daily_kind(self, kind):
        ImportBatchFactory.create(kind=kind, day="2025-05-01")
        ImportBatchFactory.create(kind=kind, day="2025-05-02")
        with pytest.raises(IntegrityError, match="one_batch_per_day"), transaction.atomic():
            ImportBatchFactory.create(kind=kind, day="2025-05-01")
        with pytest.raises(IntegrityError, match="daily_batch_has_a_day"), transaction.atomic():
            ImportBatchFactory.create(kind=kind, day=None)

    def test_a_day_has_as_many_excel_batches_as_files(self):
        for _ in range(2):
            ImportBatchFactory.create(kind=BatchKind.EXCEL, day="2025-05-01")
        assert ImportBatch.objects.count() == 2

    def test_a_legacy_session_has_one_batch(self):
        ImportBatchFactory.create(legacy_ref="session:50")
        with pytest.raises(IntegrityError), transaction.atomic():
            ImportBatchFactory.create(legacy_ref="session:50")


class TestAction:
    @pytest.mark.parametrize(
        ("previous", "new"), [(100, 100), (100, 101), (100, 0), (100, -1), (None, 50), (100, None)]
    )
    def test_a_reduction_goes_to_a_smaller_amount_above_zero(self, previous, new):
        with pytest.raises(IntegrityError, match="reduction_to_a"), transaction.atomic():
            GuaranteeActionFactory.create(
                action_type=ActionType.REDUCTION, previous_amount=previous, new_amount=new
            )

    def test_a_reduction_keeps_the_expiry(self):
        values = {
            "action_type": ActionType.REDUCTION,
            "previous_amount": Decimal(100),
            "new_amount": Decimal("99.99"),
        }
        GuaranteeActionFactory.create(**values)
        with pytest.raises(IntegrityError, match="reduction_to_a"), transaction.atomic():
            GuaranteeActionFactory.create(**values, new_expiry=date(2026, 1, 1))

    @pytest.mark.parametrize("value", [{"new_expiry": date(2026, 1, 1)}, {"new_amount": 1}])
    def test_a_release_sets_nothing_new(self, value):
        with pytest.raises(IntegrityError, match="release_sets_nothing"), transaction.atomic():
            GuaranteeActionFactory.create(action_type=ActionType.RELEASE, **value)

    @pytest.mark.parametrize("action_type", [ActionType.EXTENSION, ActionType.RELEASE])
    def test_legacy_actions_may_know_hardly_anything(self, action_type):
        action = GuaranteeActionFactory.create(
            guarantee=None,
            number="UNKNOWN-7",
            action_type=action_type,
            previous_amount=Decimal("-5.00"),
            issued=True,
        )
        action.refresh_from_db()
        assert (action.guarantee, action.new_expiry, action.is_locked) == (None, None, True)

    def test_an_idempotency_key_is_used_once(self):
        GuaranteeActionFactory.create(idempotency_key="k")
        for _ in range(2):
            GuaranteeActionFactory.create()
        with pytest.raises(IntegrityError, match="idempotency_key"), transaction.atomic():
            GuaranteeActionFactory.create(idempotency_key="k")


class TestStaging:
    def test_rows_are_kept_as_exported_and_references_may_dangle(self):
        ImportSession.objects.create(id=7, session_type="", created_at="2025-05-01 10:00:00")
        record = ImportedRecord.objects.create(
            id=41, session_id=999, supplier_id=999, amount=" 1,234 ", guarantee_number="n" * 100_000
        )
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        record.refresh_from_db()
        assert (record.session_id, record.amount, record.created_at) == (999, " 1,234 ", None)

    def test_links_are_one_to_one_and_a_row_has_one_of_the_two(self):
        guarantee, action = GuaranteeFactory.create(), GuaranteeActionFactory.create()
        ImportedRecord.objects.create(migrated_guarantee=guarantee)
        ImportedRecord.objects.create(migrated_action=action)
        for links in (
            {"migrated_guarantee": guarantee},
            {"migrated_action": action},
            {
                "migrated_guarantee": GuaranteeFactory.create(),
                "migrated_action": GuaranteeActionFactory.create(),
            },
        ):
            with pytest.raises(IntegrityError, match="record_"), transaction.atomic():
                ImportedRecord.objects.create(**links)


class TestNumbers:
    def test_guarantees_of_a_number_are_found_whatever_space_is_around_it(self):
        found = {GuaranteeFactory.create(number=number) for number in ("B-1", " B-1\n", "B-1\xa0")}
        GuaranteeFactory.create(number="B-11")
        GuaranteeFactory.create(number="b-1")
        assert set(Guarantee.objects.with_number("\tB-1 ")) == found

    def test_a_number_may_be_long_but_not_empty(self):
        long = GuaranteeFactory.create(number="n" * 100_000)
        assert Guarantee.objects.with_number("n" * 100_000).get() == long
        with (
            pytest.raises(IntegrityError, match="guarantee_number_not_blank"),
            transaction.atomic(),
        ):
            GuaranteeFactory.create(number="")

    def test_the_newest_of_a_number_is_read_from_the_index(self):
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = Guarantee.objects.with_number("B-1").order_by("-created_at", "-id")[:1].explain()
        assert "guarantee_newest_of_number" in plan
        assert "Sort" not in plan


def test_history_keeps_every_version_of_a_guarantee():
    guarantee = GuaranteeFactory.create(number="B-1")
    guarantee.number = "B-2"
    guarantee.save()
    pk = guarantee.pk
    guarantee.delete()
    versions = Guarantee.history.filter(id=pk).order_by("history_id")
    assert [(v.history_type, v.number) for v in versions] == [
        ("+", "B-1"),
        ("~", "B-2"),
        ("-", "B-2"),
    ]


def test_history_copies_no_index_but_that_of_the_key():
    with connection.cursor() as cursor:
        columns = {
            tuple(constraint["columns"])
            for constraint in connection.introspection.get_constraints(
                cursor, Guarantee.history.model._meta.db_table
            ).values()
            if constraint["index"] and not constraint["primary_key"]
        }
    assert columns == {("id",), ("history_date", "id"), ("history_user_id",)}
