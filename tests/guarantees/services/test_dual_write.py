"""Both systems side by side: every write goes to both or to neither, and the migration finds the
old rows done.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from guarantees.cutovers import GUARANTEES
from guarantees.models import (
    ActionSession,
    Guarantee,
    GuaranteeAction,
    ImportedRecord,
    ImportSession,
)
from guarantees.services.actions import ActionRequest, issue_action
from guarantees.services.correcting import correct_guarantee
from guarantees.services.entries import enter_guarantee, paste_guarantees
from guarantees.services.imports import import_workbook
from guarantees.services.matching import decide_bank, decide_supplier
from migrations_tools.cutover.stages import Stage
from migrations_tools.models import Cutover
from tests.guarantees.data_migrations.rows import stage as stage_row
from tests.guarantees.data_migrations.rows import stage_session
from tests.guarantees.data_migrations.test_split_imported_records import (
    failed_checks,
    outcomes,
    split,
)
from tests.guarantees.factories import SupplierFactory
from tests.guarantees.services.acting import NIGHT, clerk
from tests.guarantees.services.entering import (
    dictionaries,
    entry,
    keeper,
    totals,
    who,
)
from tests.guarantees.services.entering import written as written_new
from tests.guarantees.services.test_imports import failing
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx

BOTH = (Stage.DUAL_WRITE, Stage.SHADOW, Stage.LIVE, Stage.RAMP_DOWN)
PASTED = "Guarantee No: P-1\nSupplier: S\nBank: B\nAmount: 5\nPO: 9"


def at(stage: str) -> None:
    Cutover.objects.update_or_create(key=GUARANTEES.key.name, defaults={"stage": stage})


def acting() -> dict[str, Any]:
    return {"acting_user": clerk(), "surface": "api", "now": lambda: NIGHT}


def enter_all(tmp_path: Any) -> None:
    """A file, a form, a text, a decision and three actions."""
    _, bank = dictionaries()
    rows = [("A", *ROW[1:]), ("B", *ROW[1:])]
    import_workbook(
        xlsx(tmp_path / "May.xlsx", HEADINGS, *rows),
        acting_user=keeper(),
        surface="api",
        now=lambda: NIGHT,
    )
    enter_guarantee(entry(bank="who?", comment="c", issue_date="1/2/2025"), **who())
    paste_guarantees(PASTED, **who())
    open_ = Guarantee.objects.get(number="LG-1")
    decide_bank(open_.pk, bank.pk, acting_user=keeper(), surface="api")
    for values in (
        {"action_type": "extension", "notes": "as agreed"},
        {"action_type": "reduction", "new_amount": Decimal(7)},
        {"action_type": "release"},
    ):
        issue_action(ActionRequest(number="A", **values), **acting())


def written() -> dict[str, int]:
    models = (ImportSession, ImportedRecord, GuaranteeAction, ActionSession)
    return written_new() | {model.__name__: model._default_manager.count() for model in models}


@pytest.mark.django_db
@pytest.mark.parametrize("stage", Stage.values)
def test_old_rows_are_written_while_both_systems_are(stage, tmp_path):
    at(stage)
    enter_all(tmp_path)
    assert totals() == [("excel", 2, 2), ("manual", 1, 1), ("paste", 1, 0)]
    guarantees, actions = Guarantee.objects.count(), GuaranteeAction.objects.count()
    assert (guarantees, actions) == (4, 3)
    expected = (guarantees, actions) if stage in BOTH else (0, 0)
    linked = ImportedRecord.objects.filter(migrated_guarantee__isnull=False).count()
    acted = ImportedRecord.objects.filter(migrated_action__isnull=False).count()
    assert (linked, acted) == expected
    only_new = list(GUARANTEES.key.only_in_new())
    assert len(only_new) == (0 if stage in BOTH else 7)
    assert ("guarantee LG-1" in only_new) == (stage not in BOTH)


@pytest.mark.django_db
def test_old_rows_say_what_the_old_system_would(tmp_path):
    at(Stage.DUAL_WRITE)
    enter_all(tmp_path)
    guarantee = Guarantee.objects.get(number="LG-1")
    record = ImportedRecord.objects.get(guarantee_number="LG-1")
    assert record.session is not None
    assert (record.session.session_type, record.session.record_count) == ("manual", 1)
    told = {
        "raw_supplier_name": "al noor trading",
        "raw_bank_name": "who?",
        "amount": "1000.50",
        "issue_date": "2025-02-01",
        "expiry_date": "2030-12-31",
        "normalized_supplier": "al noor trading",
        "supplier_display_name": "Al Noor Trading Company",
        "contract_number": "C-7",
        "related_to": "contract",
        "comment": "c",
        "record_type": "import",
        "created_at": "2025-05-01 22:30:00.000000",
        # decided afterwards
        "match_status": "ready",
        "bank_id": guarantee.bank_id,
        "supplier_id": guarantee.supplier_id,
        "migrated_guarantee_id": guarantee.pk,
        "import_batch_id": guarantee.batch_id,
        "content_hash": None,
    }
    assert {name: getattr(record, name) for name in told} == told
    [file] = ImportSession.objects.filter(session_type="excel")
    assert (file.file_name, file.record_count, file.records.count()) == ("May.xlsx", 2, 2)
    extension, reduction, release = ImportedRecord.objects.filter(
        migrated_action__isnull=False
    ).order_by("pk")
    assert (extension.record_type, extension.expiry_date, extension.comment) == (
        "extension_action",
        "2031-12-31",
        "as agreed",
    )
    assert (reduction.record_type, reduction.amount) == ("reduction_action", "1000.50")
    assert (release.record_type, release.expiry_date, release.amount) == (
        "release_action",
        "2031-12-31",
        "7.00",
    )


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("stage", [Stage.DUAL_WRITE, Stage.LIVE])
def test_a_run_finds_them_unchanged_and_verification_passes(stage, tmp_path):
    stage_session(1)
    stage_row(1)
    split()
    at(stage)
    enter_all(tmp_path)
    before = written()
    run = split()
    assert outcomes(run) == {"unchanged": 7}
    assert written() == before
    assert failed_checks() == {}
    # a row that the old system adds to the file's session joins its batch
    file = Guarantee.objects.get(number="B")
    session = ImportedRecord.objects.get(guarantee_number="B").session_id
    stage_row(session, guarantee_number="C", created_at="2025-05-01 22:30:00")
    assert outcomes(split()) == {"applied": 1}
    assert Guarantee.objects.get(number="C").batch_id == file.batch_id
    assert failed_checks() == {}


def enter() -> Any:
    return enter_guarantee(entry(number="NEW"), **who())


def release() -> Any:
    return issue_action(ActionRequest(number="OLD", action_type="release"), **acting())


def decide() -> Any:
    found = Guarantee.objects.get(number="OLD")
    supplier = found.supplier
    assert supplier is not None
    return decide_supplier(found.pk, supplier.pk, acting_user=keeper(), surface="api")


def correct() -> Any:
    found = Guarantee.objects.get(number="OLD")
    return correct_guarantee(found.pk, {"amount": "900"}, acting_user=keeper(), surface="admin")


def modify() -> Any:
    request = ActionRequest(
        number="OLD", action_type="modification", changes={"comment": "c"}, reason="misread"
    )
    return issue_action(request, **acting())


FAILURES: list[tuple[Callable[[], Any], str, str]] = [
    (enter, "guarantees_importsession", "true"),
    (enter, "guarantees_importedrecord", "true"),
    (enter, "guarantees_guarantee", "true"),
    (enter, "guarantees_historicalguarantee", "true"),
    (enter, "guarantees_importbatch", "true"),
    (release, "guarantees_importedrecord", "true"),
    (release, "guarantees_guarantee", "true"),
    (release, "guarantees_guaranteeaction", "NEW.status = 'issued'"),
    (release, "guarantees_actionsession", "NEW.issued_actions > 0"),
    (decide, "guarantees_importedrecord", "true"),
    (decide, "guarantees_guarantee", "true"),
    (decide, "guarantees_importbatch", "true"),
    (decide, "guarantees_supplieralias", "true"),
    (decide, "guarantees_historicalguarantee", "true"),
    (correct, "guarantees_importedrecord", "true"),
    (correct, "guarantees_guarantee", "true"),
    (correct, "guarantees_historicalguarantee", "true"),
    (modify, "guarantees_importsession", "true"),
    (modify, "guarantees_importedrecord", "NEW.record_type = 'modification'"),
    (modify, "guarantees_importedrecord", "NEW.comment = 'c'"),
    (modify, "guarantees_guarantee", "true"),
    (modify, "guarantees_historicalguaranteeaction", "true"),
]


@pytest.mark.django_db
@pytest.mark.parametrize("stage", [Stage.DUAL_WRITE, Stage.LIVE])
def test_a_failure_at_any_write_leaves_nothing_of_either_side(stage):
    at(stage)
    dictionaries()
    enter_guarantee(entry(number="OLD"), **who())
    clerk()
    before, guarantee = written(), Guarantee.objects.values().get()
    for deed, table, when in FAILURES:
        with transaction.atomic(), failing(table, when):
            with pytest.raises(DatabaseError, match="injected"), transaction.atomic():
                deed()
            assert written() == before, (deed, table)
            assert Guarantee.objects.values().get() == guarantee
    for deed in (enter, decide, correct, modify, release):
        deed()
    assert ImportedRecord.objects.count() == 4
    assert Guarantee.objects.get(number="OLD").import_date == date(2025, 5, 2)


@pytest.mark.django_db
@pytest.mark.parametrize("stage", Stage.values)
def test_the_old_row_follows_what_is_corrected(stage):
    at(Stage.DUAL_WRITE)
    dictionaries()
    found = enter_guarantee(entry(number="OLD"), **who()).guarantees[0]
    before = ImportedRecord.objects.values().get()
    at(stage)
    other = SupplierFactory.create(name="Other", display_name="أخرى")
    values = {"number": "NEW", "amount": "٩٠٠", "expiry_date": "", "supplier": other.pk}
    correct_guarantee(found.pk, values, acting_user=keeper(), surface="admin")
    changes = {"raw_bank_name": "Bank of Riyad Ltd.", "issue_date": "1/2/2025", "currency": "USD"}
    asked = ActionRequest(
        number="NEW", action_type="modification", changes=changes, reason="misread"
    )
    issue_action(asked, **acting())
    record = ImportedRecord.objects.filter(migrated_guarantee=found).values().get()
    expected = {
        "guarantee_number": "NEW",
        "amount": "900.00",
        "expiry_date": None,
        "supplier_id": other.pk,
        "supplier_display_name": "أخرى",
        "raw_bank_name": "Bank of Riyad Ltd.",
        "normalized_bank": "bank of riyad",
        "issue_date": "2025-02-01",
    }
    assert record == before | (expected if stage in BOTH else {})


@pytest.mark.django_db(transaction=True)
def test_verification_finds_corrected_rows_alike():
    stage_session(1)
    stage_row(1, guarantee_number="OLD", match_status="needs_review")
    split()
    at(Stage.DUAL_WRITE)
    pk = Guarantee.objects.get().pk
    values = {"amount": "7", "number": "NEW", "issue_date": "2025-01-01"}
    correct_guarantee(pk, values, acting_user=keeper(), surface="admin")
    assert failed_checks() == {}
