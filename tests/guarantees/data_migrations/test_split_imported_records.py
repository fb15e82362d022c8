"""The migration end to end, by the services that commands, admin and API call."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from guarantees.data_migrations.split_imported_records import (
    ActionStep,
    GuaranteeStep,
    SplitImportedRecords,
)
from guarantees.models import (
    Bank,
    Guarantee,
    GuaranteeAction,
    ImportBatch,
    ImportedRecord,
    Supplier,
)
from guarantees.services.actions import ActionRequest, issue_action
from migrations_tools.definitions.options import NoOptions
from migrations_tools.definitions.sources import KeyRange
from migrations_tools.engine.selection import Selection
from migrations_tools.models import LedgerEntry, Run
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.services.actors import system_user
from migrations_tools.services.rollback import roll_back_run
from migrations_tools.services.verification import verify_definition, verify_run
from migrations_tools.states import RunState
from tests.guarantees.data_migrations.rows import stage, stage_session

pytestmark = pytest.mark.django_db(transaction=True)

NAME = SplitImportedRecords.name


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), "surface": "command"}


def split(**tuning: Any) -> Run:
    """A run carried to its end; there was something to do."""
    run = runs.start_run(NAME, tuning=tuning, **actor())
    assert run is not None
    run = runs.work_run(run)
    assert run.state == RunState.COMPLETED
    return run


def take_back(run: Run, *, force: bool = False) -> Run:
    rollback = roll_back_run(run, reason="test", force=force, **actor())
    assert rollback is not None
    return runs.work_run(rollback)


def outcomes(run: Run) -> dict[str, int]:
    return {name: number for name, number in summarise(run)["outcomes"].items() if number}


def failed_checks() -> dict[str, list[str]]:
    answer = verify_definition(NAME, **actor())
    return {
        check["code"]: [named["key"] for named in check["sample"]]
        for check in answer["checks"]
        if not check["ok"]
    }


def batches() -> list[tuple[str, date | None, str | None, int, int]]:
    return list(
        ImportBatch.objects.order_by("kind", "legacy_ref", "day").values_list(
            "kind", "day", "legacy_ref", "total_records", "ready_records"
        )
    )


# ----------------------------------------------------------------------- examples of guarantees.md


def test_three_manual_sessions_of_one_day_are_one_batch():
    for pk in (1, 2, 3):
        stage_session(pk, "manual")
        stage(pk, created_at=f"2024-03-05 0{pk}:00:00")
    split()
    assert batches() == [("manual", date(2024, 3, 5), None, 3, 3)]


def test_two_local_days_are_two_batches():
    stage_session(1, "manual")
    stage(1, created_at="2024-03-05 20:59:00")  # 23:59 in Riyadh
    stage(1, created_at="2024-03-05 21:01:00")  # 00:01
    split()
    assert [batch[1:4:2] for batch in batches()] == [
        (date(2024, 3, 5), 1),
        (date(2024, 3, 6), 1),
    ]


def test_a_session_with_an_import_and_an_action():
    stage_session(50)
    imported = stage(50, guarantee_number="LG-1", created_at="2024-03-05 08:00:00")
    extension = stage(
        50,
        guarantee_number="LG-1",
        record_type="extension_action",
        created_at="2024-04-05 08:00:00",
    )
    split()
    guarantee, action = Guarantee.objects.get(), GuaranteeAction.objects.get()
    assert batches() == [("excel", date(2024, 3, 5), "session:50", 1, 1)]
    assert action.guarantee == guarantee
    for record in (imported, extension):
        record.refresh_from_db()
    assert (imported.migrated_guarantee, imported.migrated_action) == (guarantee, None)
    assert imported.import_batch == guarantee.batch
    assert (extension.migrated_guarantee, extension.migrated_action) == (None, action)
    assert extension.import_batch is None
    assert failed_checks() == {}


def test_one_number_in_three_sessions_is_three_guarantees():
    for pk in (1, 2, 3):
        stage_session(pk)
        stage(pk, guarantee_number="LG-1")
    run = split()
    assert Guarantee.objects.filter(number="LG-1").count() == 3
    assert ImportedRecord.objects.filter(migrated_guarantee__number="LG-1").count() == 3
    (risk,) = summarise(run)["risks"]
    assert risk.startswith("1 guarantee numbers occur in several rows (3 in all)")
    health = SplitImportedRecords.health()
    assert (health["repeated_numbers"], health["rows_of_repeated_numbers"]) == (1, 3)


def test_one_bad_row_beside_ten_good_ones():
    stage_session(1)
    for _ in range(10):
        stage(1)
    bad = stage(1, guarantee_number=None, supplier_id=999)
    run = split()
    assert outcomes(run) == {"applied": 11}
    guarantee = Guarantee.objects.get(number=f"UNKNOWN-{bad.pk}")
    assert (guarantee.supplier, guarantee.match_status) == (None, "needs_review")
    summary = summarise(run)
    assert summary["warnings"] == {"missing_number": 1, "unknown_supplier": 1}
    assert [(found["key"], found["code"]) for found in summary["problems"]] == [
        (str(bad.pk), "unknown_supplier"),
        (str(bad.pk), "missing_number"),
    ]
    assert failed_checks() == {}


def test_rows_added_to_a_migrated_session_join_its_batch():
    stage_session(1)
    stage(1)
    split()
    before = list(Guarantee.objects.values())
    added = [stage(1), stage(1)]
    assert outcomes(split()) == {"applied": 2}
    assert batches() == [("excel", date(2024, 3, 5), "session:1", 3, 3)]
    new = Guarantee.objects.filter(legacy_records__in=added)
    assert list(Guarantee.objects.exclude(pk__in=new).values()) == before
    assert failed_checks() == {}


def test_a_link_broken_by_hand_fails_the_verification_by_name():
    stage_session(1)
    record, _ = stage(1), stage(1)
    run = split()
    assert verify_run(run, **actor())["ok"]
    ImportedRecord.objects.filter(pk=record.pk).update(migrated_guarantee=None)
    answer = verify_run(run, **actor())
    assert not answer["ok"]
    named = {check["code"]: check["sample"] for check in answer["checks"] if not check["ok"]}
    assert [sample["key"] for sample in named["link_lost"]] == [str(record.pk)]
    assert [sample["key"] for sample in named["accounting"]] == [str(record.pk)]


def test_a_link_changed_by_hand_fails_the_verification_by_name():
    stage_session(1)
    first, second = stage(1), stage(1)
    split()
    second.refresh_from_db()
    target = second.migrated_guarantee_id
    second.migrated_guarantee = None
    second.save()
    ImportedRecord.objects.filter(pk=first.pk).update(migrated_guarantee_id=target)
    failed = failed_checks()
    assert failed["number_differs"] == [str(first.pk)]
    assert failed["accounting"] == [str(second.pk)]


# ------------------------------------------------------------------------------------------ rules


def test_an_import_row_in_a_session_of_actions_is_an_action():
    stage_session(1, "excel")
    stage_session(2, " Release_Action ")
    stage(1, guarantee_number="LG-1", created_at="2024-03-05 08:00:00")
    for record_type in (None, "", " IMPORT "):
        stage(
            2,
            guarantee_number="LG-1",
            record_type=record_type,
            created_at="2024-04-05 08:00:00",
        )
    split()
    assert list(GuaranteeAction.objects.values_list("action_type", flat=True)) == ["release"] * 3
    assert {action.guarantee for action in GuaranteeAction.objects.all()} == {
        Guarantee.objects.get()
    }
    assert [batch[2] for batch in batches()] == ["session:1"]


def test_unsupported_types_are_skipped_and_listed():
    stage_session(1)
    skipped = [stage(1, record_type="modification"), stage(1, record_type="renewal_request")]
    run = split()
    summary = summarise(run)
    assert summary["outcomes"]["skipped"] == summary["codes"]["unsupported_type"] == 2
    assert [found["key"] for found in summary["problems"]] == [str(row.pk) for row in skipped]
    assert not ImportBatch.objects.exists()
    assert failed_checks() == {}


def test_an_action_belongs_to_the_newest_guarantee_imported_before_it():
    def row(pk: int, created_at: str | None, record_type: str = "import", **values: Any) -> None:
        number = {"guarantee_number": "LG-1"} | values
        stage(1, id=pk, created_at=created_at, record_type=record_type, **number)

    stage_session(1, created_at="2024-03-04 00:00:00")
    row(90, "2024-03-01 00:00:00")  # the oldest, with the highest number
    row(20, "2024-03-05 00:00:00", guarantee_number=" LG-1\t")
    row(10, "2024-03-09 00:00:00")
    row(31, "2024-03-05 00:00:00", "extension_action")  # at the same time as 20, and after it
    row(19, "2024-03-05 00:00:00", "extension_action")  # at the same time as 20, and before it
    row(33, "2024-02-01 00:00:00", "release_action")  # before all of them
    row(34, None, "release_action")  # at the time of its session
    row(35, "2024-03-20 00:00:00", "release_action", guarantee_number="LG-2")
    split()
    found = {
        action.legacy_records.get().pk: action.guarantee
        and action.guarantee.legacy_records.get().pk
        for action in GuaranteeAction.objects.all()
    }
    assert found == {31: 20, 19: 90, 33: None, 34: 90, 35: None}


def test_references_to_people_of_the_dictionaries_are_kept():
    supplier, bank = Supplier.objects.create(name="S"), Bank.objects.create(name_en="B")
    stage_session(1)
    stage(1, supplier_id=supplier.pk, bank_id=bank.pk)
    split()
    guarantee = Guarantee.objects.get()
    assert (guarantee.supplier, guarantee.bank) == (supplier, bank)


def test_actions_are_locked_and_ready_guarantees_protected():
    stage_session(1)
    stage(1, guarantee_number="LG-1", match_status="approved")
    stage(1, record_type="release_action")
    split()
    action, guarantee = GuaranteeAction.objects.get(), Guarantee.objects.get()
    with pytest.raises(IntegrityError), transaction.atomic():
        GuaranteeAction.objects.filter(pk=action.pk).update(notes="changed")
    guarantee.amount = Decimal(1)
    with pytest.raises(IntegrityError), transaction.atomic():
        guarantee.save()


def test_every_write_is_in_the_history():
    stage_session(1)
    stage(1)
    run = split()
    (entry,) = Guarantee.history.all()
    assert (entry.history_type, entry.history_change_reason) == ("+", f"run {run.pk}")
    assert entry.history_user == system_user()


def test_the_old_row_is_changed_in_its_links_only():
    stage_session(1)
    record = stage(1)
    before: dict[str, Any] = {**ImportedRecord.objects.values().get(pk=record.pk)}
    split()
    after: dict[str, Any] = {**ImportedRecord.objects.values().get(pk=record.pk)}
    assert {name for name in before if before[name] != after[name]} == {
        "migrated_guarantee_id",
        "import_batch_id",
    }


# -------------------------------------------------------------------------------- again, and back


def stage_a_department() -> None:
    """Sessions of every kind, with actions, repeats and faults."""
    for pk, session_type in enumerate(["excel", "manual", "smart_paste", "release_action"], 1):
        stage_session(pk, session_type)
        for day in range(5, 8):
            stage(
                pk,
                guarantee_number=f"LG-{pk if pk < 4 else 1}",
                amount=f"{pk},{day}00",
                created_at=f"2024-03-0{day} 2{pk}:30:00" if pk < 4 else "2024-04-01 00:00:00",
            )
    stage(1, record_type="extension_action", guarantee_number="LG-2")
    stage(99, guarantee_number="", amount="nothing", expiry_date="2025-02-30")
    stage(None, record_type="modification")


def result() -> dict[int, Any]:
    """What every old row became, without keys."""
    facts = ("number", "amount", "created_at")
    return {
        record.pk: (
            record.migrated_guarantee
            and [getattr(record.migrated_guarantee, name) for name in facts],
            record.migrated_action
            and record.migrated_action.guarantee
            and record.migrated_action.guarantee.legacy_records.get().pk,
            record.import_batch and (record.import_batch.legacy_ref, record.import_batch.day),
        )
        for record in ImportedRecord.objects.all()
    }


def test_the_result_does_not_depend_on_the_batches():
    stage_a_department()
    first = split(batch_size=1)
    one_by_one, totals = result(), batches()
    take_back(first)
    split(batch_size=100)
    assert result() == one_by_one
    assert batches() == totals


def test_a_second_run_has_nothing_to_do():
    stage_a_department()
    split()
    assert runs.start_run(NAME, **actor()) is None


def test_dual_written_rows_are_never_copied():
    stage_session(1)
    stage(1)
    split()
    written = Guarantee.objects.get()
    record = ImportedRecord.objects.get()
    pairs = Guarantee.objects.create(
        number="LG-9", batch=written.batch, import_kind="excel", import_date=date(2024, 5, 1)
    )
    stage(
        1,
        guarantee_number="LG-9",
        content_hash=None,
        migrated_guarantee=pairs,
        import_batch=written.batch,
    )
    stage(1)
    run = split()
    assert outcomes(run) == {"applied": 1, "unchanged": 1}
    assert Guarantee.objects.filter(number="LG-9").count() == 1
    assert ImportedRecord.objects.get(pk=record.pk).migrated_guarantee == written


def test_a_row_imported_again_after_it_was_migrated_is_never_overwritten():
    stage_session(1)
    record = stage(1, amount="100")
    split()
    ImportedRecord.objects.filter(pk=record.pk).update(amount="200", content_hash=b"new")
    run = split()
    assert outcomes(run) == {"conflict": 1}
    (problem,) = summarise(run)["problems"]
    assert problem["code"] == "changed_after_migration"
    assert "amount: “200.00” in the row, “100.00” here" in problem["detail"]
    assert Guarantee.objects.get().amount == 100
    ImportedRecord.objects.filter(pk=record.pk).update(amount="100.0", content_hash=b"newer")
    assert outcomes(split()) == {"unchanged": 1}


def test_everything_is_taken_back_locked_actions_and_protected_guarantees_too():
    stage_a_department()
    before = list(ImportedRecord.objects.order_by("pk").values())
    rollback = take_back(split())
    assert set(outcomes(rollback)) == {"restored"}
    assert not Guarantee.objects.exists()
    assert not GuaranteeAction.objects.exists()
    assert not ImportBatch.objects.exists()
    assert list(ImportedRecord.objects.order_by("pk").values()) == before
    assert verify_run(rollback, **actor())["ok"]
    assert failed_checks().keys() <= {"nothing_examined"}
    split()
    assert failed_checks() == {}


def test_what_a_person_changed_stays_and_its_batch_counts_it():
    stage_session(1)
    stage(1, match_status="needs_review")
    stage(1, match_status="needs_review")
    run = split()
    edited = Guarantee.objects.order_by("pk").first()
    assert edited is not None
    edited.comment = "seen by a person"
    edited.save()
    assert outcomes(take_back(run)) == {"restored": 1, "conflict": 1}
    assert Guarantee.objects.get() == edited
    assert batches() == [("excel", date(2024, 3, 5), "session:1", 1, 0)]
    assert failed_checks() == {}


def test_a_transaction_asks_a_constant_number_of_queries(django_assert_num_queries):
    stage_a_department()
    ImportedRecord.objects.update(supplier_id=1, bank_id=2)
    for step, queries in ((GuaranteeStep, 2), (ActionStep, 3)):
        rows = step.source.read(Selection(0), KeyRange()).rows
        assert len(rows) > 2
        with django_assert_num_queries(queries):
            step(NoOptions()).load(rows)


def test_the_two_steps_share_the_rows_out_between_them():
    stage_a_department()
    guarantees = set(ImportedRecord.objects.becoming_guarantees().values_list("pk", flat=True))
    others = set(ImportedRecord.objects.not_becoming_guarantees().values_list("pk", flat=True))
    assert not guarantees & others
    assert len(guarantees | others) == ImportedRecord.objects.count()


def test_the_reading_of_a_batch_uses_the_index():
    """With statistics as of many rows, a batch is read by the key and not by sorting the table."""
    stage_session(1)
    ImportedRecord.objects.bulk_create(
        [
            ImportedRecord(id=pk, session_id=1, record_type="import", comment="x" * 200)
            for pk in range(1, 3_001)
        ]
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE guarantees_importedrecord, guarantees_importsession")
    rows = ImportedRecord.objects.becoming_guarantees().filter(pk__gt=10).order_by("pk")
    assert "guarantees_importedrecord_pkey" in rows.values("pk")[:50].explain()


# ----------------------------------------------------------------------- what guarantees are now


def currently() -> dict[str, tuple[Any, Any, str]]:
    """Expiry, amount and status by the number of the guarantee."""
    return {
        found.number: (found.current_expiry, found.current_amount, found.status)
        for found in Guarantee.objects.all()
    }


def stage_a_life() -> None:
    """Three guarantees: extended twice, extended and released, left alone."""
    stage_session(1)
    for number in ("LG-1", "LG-2", "LG-3"):
        stage(1, guarantee_number=number, amount="500", expiry_date="2024-12-31")
    for number, kind, made, expiry in (
        ("LG-1", "extension_action", "2024-06-02", "2026-12-31"),
        ("LG-1", "extension_action", "2024-06-01", "2025-12-31"),
        ("LG-1", "extension_action", "2024-06-03", "not known"),
        ("LG-2", "extension_action", "2024-06-01", "2025-06-30"),
        ("LG-2", "release_action", "2024-06-02", None),
    ):
        stage(
            1,
            guarantee_number=number,
            record_type=kind,
            created_at=f"{made} 08:00:00",
            expiry_date=expiry,
        )


IMPORTED = (date(2024, 12, 31), Decimal("500.00"), "active")
LIVED = {
    "LG-1": (date(2026, 12, 31), Decimal("500.00"), "active"),
    "LG-2": (date(2025, 6, 30), Decimal("500.00"), "released"),
    "LG-3": IMPORTED,
}


def test_guarantees_are_currently_what_their_actions_made_of_them():
    stage_a_life()
    run = split(batch_size=1)
    assert currently() == LIVED
    assert {found.expiry_date for found in Guarantee.objects.all()} == {date(2024, 12, 31)}
    assert outcomes(run) == {"applied": 8}  # the guarantees are not counted a second time
    assert failed_checks() == {}
    assert verify_run(run, **actor())["ok"]


def test_an_action_that_comes_later_changes_its_guarantee_and_its_rollback_changes_it_back():
    stage_a_life()
    split()
    stage(1, guarantee_number="LG-3", record_type="release_action", created_at="2025-01-01")
    later = split()
    assert currently() == LIVED | {"LG-3": (*IMPORTED[:2], "released")}
    rollback = take_back(later)
    assert outcomes(rollback) == {"restored": 1}
    assert currently() == LIVED
    assert verify_run(rollback, **actor())["ok"]
    assert failed_checks() == {}


def test_only_guarantees_with_actions_are_looked_at():
    stage_a_life()
    run = split()
    step = len(SplitImportedRecords.steps) - 1
    looked_at = LedgerEntry.objects.filter(run=run, step=step).values_list("key", flat=True)
    acted_on = Guarantee.objects.filter(number__in=["LG-1", "LG-2"])
    assert sorted(looked_at) == sorted(str(found.pk) for found in acted_on)


def test_what_a_person_issued_on_a_migrated_guarantee_stays_and_is_no_failure():
    supplier, bank = Supplier.objects.create(name="S"), Bank.objects.create(name_en="B")
    stage_session(1)
    stage(1, guarantee_number="LG-1", supplier_id=supplier.pk, bank_id=bank.pk)
    stage(1, guarantee_number="LG-1", record_type="extension_action", expiry_date="2026-12-31")
    run = split()
    request = ActionRequest(action_type="extension", number="LG-1")
    issue_action(request, **actor())
    assert currently()["LG-1"][0] == date(2027, 12, 31)
    assert failed_checks() == {}
    assert verify_run(run, **actor())["ok"]
    assert outcomes(take_back(run)) == {"conflict": 1, "restored": 1}
    assert currently()["LG-1"][0] == date(2027, 12, 31)
    assert failed_checks() == {}


def test_a_current_value_changed_past_the_services_fails_the_verification_by_name():
    stage_a_life()
    split()
    first = ImportedRecord.objects.filter(migrated_action__guarantee__number="LG-2").earliest("pk")
    Guarantee.objects.filter(number="LG-2").update(status="active")
    assert failed_checks() == {"current_state_differs": [str(first.pk)]}
