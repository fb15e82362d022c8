"""Every check of the verification finds what it is for, and names the old row."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from guarantees.data_migrations.split_checks import CHECKS
from guarantees.data_migrations.split_imported_records import SplitImportedRecords
from guarantees.models import Guarantee, GuaranteeAction, ImportBatch, ImportedRecord
from migrations_tools.definitions import SQLCheck
from migrations_tools.models import Batch, LedgerEntry, RowChange, Run
from migrations_tools.states import Operation, Outcome, RunKind, RunState
from migrations_tools.verification.results import Result
from migrations_tools.verification.sql_checks import run_check
from tests.guarantees.data_migrations.rows import stage
from tests.guarantees.factories import (
    GuaranteeActionFactory,
    GuaranteeFactory,
    ImportBatchFactory,
    run,
)

pytestmark = pytest.mark.django_db

CODES = [
    code
    for check in CHECKS
    for code in ([check.code] if isinstance(check, SQLCheck) else check.titles)
]


def verify() -> dict[str, Result]:
    return {
        result.code: result for check in SplitImportedRecords.checks for result in run_check(check)
    }


def failing() -> dict[str, list[str]]:
    """Keys of the wrong rows, by code."""
    return {
        code: [named["key"] for named in result.sample]
        for code, result in verify().items()
        if not result.ok
    }


@dataclass
class Migrated:
    """One old row that is a guarantee, one that is an action, as a run would have left them."""

    guarantee: Guarantee
    action: GuaranteeAction
    batch: ImportBatch
    record: ImportedRecord
    action_record: ImportedRecord
    run: Run


@pytest.fixture
def migrated() -> Migrated:
    batch = ImportBatchFactory.create(total_records=1, ready_records=0)
    guarantee = GuaranteeFactory.create(
        number="LG-1",
        batch=batch,
        amount=Decimal("1234.50"),
        issue_date=date(2024, 3, 1),
        expiry_date=date(2025, 12, 31),
        current_expiry=date(2026, 12, 31),
    )
    action = GuaranteeActionFactory.create(
        issued=True, guarantee=guarantee, previous_amount=Decimal(5), new_expiry=date(2026, 12, 31)
    )
    record = stage(
        guarantee_number="LG-1",
        amount="SAR 1,234.50",
        issue_date="1 Mar 2024",
        expiry_date="2025-12-31",
        migrated_guarantee=guarantee,
        import_batch=batch,
    )
    action_record = stage(
        guarantee_number="LG-1",
        amount="5",
        issue_date="nonsense",
        expiry_date="31/12/2026",
        record_type="extension_action",
        migrated_action=action,
    )
    applying = run()
    reach = {step: {"upper": str(action_record.pk)} for step in ("0", "1")}
    Run.objects.filter(pk=applying.pk).update(state=RunState.COMPLETED, key_ranges=reach)
    of_run = Batch.objects.create(run=applying, step=0, number=1)
    pairs: list[tuple[Model, ImportedRecord]] = [(guarantee, record), (action, action_record)]
    for made, old in pairs:
        RowChange.objects.create(
            run=applying,
            batch=of_run,
            step=0,
            key=str(old.pk),
            digest=b"",
            model=made._meta.label_lower,
            pk_text=str(made.pk),
            operation=Operation.INSERT,
        )
        decide(applying, old, Outcome.APPLIED)
    return Migrated(guarantee, action, batch, record, action_record, applying)


def decide(by: Run, record: ImportedRecord, outcome: str) -> None:
    """A ledger entry for the row."""
    batch, _ = Batch.objects.get_or_create(run=by, step=0, number=1)
    LedgerEntry.objects.create(
        run=by, batch=batch, step=0, key=str(record.pk), outcome=outcome, digest=b""
    )


def sql(*statements: str) -> None:
    """Damage that no program of ours can do: past triggers and history."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in ("guarantees_guarantee", "guarantees_guaranteeaction"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for statement in statements:
            cursor.execute(statement)


def test_what_a_run_left_is_right(migrated: Migrated) -> None:
    results = verify()
    assert failing() == {}
    assert list(results) == CODES
    assert results["accounting"].examined == 2
    assert results["number_differs"].examined == 2
    assert results["action_not_locked"].examined == 1


def test_nothing_at_all_is_right() -> None:
    assert failing() == {}


# ----------------------------------------------------------------------------------- every old row


def test_a_row_whose_link_was_taken_away_is_named(migrated: Migrated) -> None:
    sql(
        "UPDATE guarantees_importedrecord SET migrated_guarantee_id = NULL, import_batch_id = NULL "
        f"WHERE id = {migrated.record.pk}"
    )
    key = str(migrated.record.pk)
    assert failing() == {"accounting": [key], "link_lost": [key]}
    assert "applied" in verify()["accounting"].sample[0]["detail"]


def test_a_row_linked_to_another_object_by_hand_is_named(migrated: Migrated) -> None:
    other = GuaranteeFactory.create(
        number="LG-1",
        batch=migrated.batch,
        amount=Decimal("1234.50"),
        issue_date=date(2024, 3, 1),
        expiry_date=date(2025, 12, 31),
    )
    ImportBatch.objects.update(total_records=2)
    sql(
        f"UPDATE guarantees_importedrecord SET migrated_guarantee_id = {other.pk} "
        f"WHERE id = {migrated.record.pk}"
    )
    assert failing() == {"link_lost": [str(migrated.record.pk)]}


def test_a_row_that_a_whole_run_passed_over_is_named(migrated: Migrated) -> None:
    missed = stage(id=5)
    assert failing() == {"accounting": ["5"]}
    assert "no run tells of it" in verify()["accounting"].sample[0]["detail"]
    decide(migrated.run, missed, Outcome.SKIPPED)
    assert failing() == {}


@pytest.mark.parametrize(
    ("outcome", "accounted"),
    [(Outcome.SKIPPED, True), (Outcome.QUARANTINED, True), (Outcome.CONFLICT, False)],
)
def test_skipped_and_quarantined_rows_are_accounted_for(
    migrated: Migrated, outcome: str, accounted: bool
) -> None:
    decide(migrated.run, stage(), outcome)
    assert ("accounting" not in failing()) == accounted


def test_a_row_staged_after_the_run_waits_for_the_next_one(migrated: Migrated) -> None:
    stage()
    assert failing() == {}


def test_after_a_rollback_nothing_is_expected_of_the_rows(migrated: Migrated) -> None:
    Run.objects.update(state=RunState.ROLLED_BACK)
    sql(
        "UPDATE guarantees_importedrecord SET migrated_guarantee_id = NULL, "
        "migrated_action_id = NULL, import_batch_id = NULL"
    )
    assert failing() == {}


def test_a_row_restored_by_a_partial_rollback_is_not_missed(migrated: Migrated) -> None:
    Run.objects.update(state=RunState.PARTIALLY_ROLLED_BACK)
    decide(run(RunKind.ROLLBACK, migrated.run), migrated.action_record, Outcome.RESTORED)
    sql(
        "UPDATE guarantees_importedrecord SET migrated_action_id = NULL "
        f"WHERE id = {migrated.action_record.pk}",
        "DELETE FROM guarantees_guaranteeaction",
    )
    assert failing() == {}


def test_a_row_with_both_links_is_named(migrated: Migrated) -> None:
    sql(
        "ALTER TABLE guarantees_importedrecord DROP CONSTRAINT record_has_one_link",
        "DROP INDEX record_action_one_to_one",
        f"UPDATE guarantees_importedrecord SET migrated_action_id = {migrated.action.pk} "
        f"WHERE id = {migrated.record.pk}",
    )
    found = failing()
    assert found["both_links"] == [str(migrated.record.pk)]
    first, second = sorted([migrated.record.pk, migrated.action_record.pk])
    assert found["link_not_one_to_one"] == [str(first)]
    (named,) = verify()["link_not_one_to_one"].sample
    assert named["detail"].startswith(f"Rows {first}, {second} have action")


# ----------------------------------------------------------------------------------- links, values


DAMAGE: dict[str, tuple[str, Callable[[Migrated], ImportedRecord]]] = {
    "link_dangling": (
        "ALTER TABLE guarantees_importedrecord DISABLE TRIGGER ALL; "
        "UPDATE guarantees_importedrecord SET migrated_guarantee_id = 987654321 "
        "WHERE migrated_guarantee_id IS NOT NULL",
        lambda migrated: migrated.record,
    ),
    "number_differs": (
        "UPDATE guarantees_guarantee SET number = 'LG-2'",
        lambda migrated: migrated.record,
    ),
    "amount_differs": (
        "UPDATE guarantees_guaranteeaction SET previous_amount = 6",
        lambda migrated: migrated.action_record,
    ),
    "date_differs": (
        "UPDATE guarantees_guarantee SET issue_date = '2024-01-03'",
        lambda migrated: migrated.record,
    ),
    "batch_disagrees": (
        "UPDATE guarantees_importedrecord SET import_batch_id = NULL",
        lambda migrated: migrated.record,
    ),
}


@pytest.mark.parametrize("code", DAMAGE)
def test_a_difference_across_the_link_is_found_and_its_row_named(
    migrated: Migrated, code: str
) -> None:
    damage, named = DAMAGE[code]
    sql(damage)
    assert failing()[code] == [str(named(migrated).pk)]


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE guarantees_guarantee SET amount = NULL",
        "UPDATE guarantees_guarantee SET expiry_date = NULL",
        "UPDATE guarantees_guaranteeaction SET new_expiry = NULL",
        "UPDATE guarantees_guaranteeaction SET number = 'UNKNOWN-1'",
    ],
)
def test_a_lost_value_is_found(migrated: Migrated, damage: str) -> None:
    sql(damage)
    assert len(failing()) >= 1


def test_both_values_of_a_difference_are_told(migrated: Migrated) -> None:
    sql("UPDATE guarantees_guarantee SET amount = 1234.51")
    results = verify()
    assert results["amount_differs"].sample == [
        {
            "key": str(migrated.record.pk),
            "detail": "amount: “SAR 1,234.50” in the old row, “1234.51” here",
        }
    ]
    (named,) = results["amount_sum_differs"].sample
    assert named["detail"] == "Guarantees come to 0.01 more than the old rows say"


def test_dates_are_read_in_the_order_that_is_set_when_the_checks_run(
    migrated: Migrated, settings: Any
) -> None:
    ImportedRecord.objects.filter(pk=migrated.record.pk).update(issue_date="03/01/2024")
    assert list(failing()) == ["date_differs"]
    settings.CARRYOVER_DAY_FIRST = False
    assert failing() == {}


def test_the_name_given_to_a_blank_number_is_exempt(migrated: Migrated) -> None:
    sql(
        f"UPDATE guarantees_guarantee SET number = 'UNKNOWN-{migrated.record.pk}'",
        "UPDATE guarantees_importedrecord SET guarantee_number = ' ' "
        f"WHERE id = {migrated.record.pk}",
    )
    assert failing() == {}


def test_a_value_that_a_person_changed_here_is_counted_apart(migrated: Migrated) -> None:
    migrated.guarantee.amount = Decimal(99)
    migrated.guarantee.save()
    results = verify()
    assert failing() == {}
    assert results["amount_differs"].edited_since == 1


def test_a_change_by_a_run_explains_nothing(migrated: Migrated) -> None:
    migrated.guarantee.amount = Decimal(99)
    migrated.guarantee._change_reason = f"run {migrated.run.pk}"  # type: ignore[attr-defined]
    migrated.guarantee.save()
    assert set(failing()) == {"amount_differs", "amount_sum_differs"}


# ----------------------------------------------------------------------------- batches and actions


def test_a_batch_that_miscounts_is_named(migrated: Migrated) -> None:
    key = f"batch {migrated.batch.pk}"
    ImportBatch.objects.update(total_records=2, ready_records=1)
    assert failing() == {"batch_totals": [key], "batch_ready": [key]}


def test_an_action_that_is_open_again_is_named(migrated: Migrated) -> None:
    sql(
        "UPDATE guarantees_guaranteeaction "
        "SET status = 'draft', is_locked = false, issued_at = NULL"
    )
    key = str(migrated.action_record.pk)
    assert failing() == {"action_not_issued": [key], "action_not_locked": [key]}
