"""Importing workbooks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from guarantees.entry_errors import AlreadyImported, DictionaryChanged
from guarantees.models import Guarantee, ImportBatch, Supplier
from guarantees.services import imports
from guarantees.services.import_reports import WorkbookReport
from guarantees.services.imports import import_workbook, preview_workbook
from guarantees.services.recording import references_checked
from migrations_tools.exceptions import ImportRefused, PermissionRefused
from migrations_tools.models import Transition
from tests.guarantees.services.acting import NIGHT, clerk
from tests.guarantees.services.entering import dictionaries, keeper, totals, written
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx
from tests.guarantees.workbooks.xls import xls

pytestmark = pytest.mark.django_db

WHO: dict[str, Any] = {"surface": "api"}


def run(path: Path, **asked: Any) -> WorkbookReport:
    return import_workbook(path, acting_user=keeper(), now=lambda: NIGHT, **WHO | asked)


def preview(path: Path, **asked: Any) -> WorkbookReport:
    return preview_workbook(path, acting_user=keeper(), **WHO | asked)


def numbered(*numbers: Any) -> list[tuple[Any, ...]]:
    return [(number, *ROW[1:]) for number in numbers]


def test_a_workbook_becomes_one_batch_with_its_guarantees(tmp_path):
    supplier, bank = dictionaries()
    report = run(xlsx(tmp_path / "May.xlsx", HEADINGS, *numbered("A", 17), ("B", "X", *ROW[2:])))
    batch = ImportBatch.objects.get()
    assert report.batch == batch
    assert (batch.kind, batch.file_name, batch.sha256) == ("excel", "May.xlsx", report.sha256)
    assert (str(batch.day), batch.uploaded_by) == ("2025-05-02", keeper().email)
    assert totals() == [("excel", 3, 2)]
    assert (report.read, report.accepted, report.ready, report.rejected_count) == (3, 3, 2, 0)
    first, second, third = Guarantee.objects.order_by("pk")
    assert (first.number, second.number, first.amount) == ("A", "17", Decimal("1000.50"))
    assert (first.supplier, first.bank, third.supplier, third.bank) == (supplier, bank, None, bank)
    assert (first.created_at, first.batch, first.import_kind) == (NIGHT, batch, "excel")
    reasons = set(Guarantee.history.values_list("history_change_reason", "history_user"))
    assert reasons == {("import of May.xlsx (api)", keeper().pk)}
    told = Transition.objects.get(action="import_workbook").details
    assert told["sha256"] == batch.sha256
    assert (told["batch"], told["imported"], told["rejected"]) == (batch.pk, 3, 0)


def test_bad_rows_are_rejected_with_all_their_reasons_and_cost_the_others_nothing(tmp_path):
    rows = [*numbered("A"), (None, None, "B", "1e3", None, "now"), ("total", *[None] * 5)]
    report = run(xlsx(tmp_path / "a.xlsx", HEADINGS, *rows))
    assert totals() == [("excel", 1, 0)]
    reasons = {
        row.number: [(problem.field, problem.code) for problem in row.judged.problems]
        for row in report.rejected
    }
    assert reasons == {
        3: [
            ("number", "missing"),
            ("supplier", "missing"),
            ("amount", "exponent"),
            ("contract_or_order", "missing"),
            ("expiry_date", "not_a_date"),
        ],
        4: [
            ("supplier", "missing"),
            ("bank", "missing"),
            ("amount", "missing"),
            ("contract_or_order", "missing"),
        ],
    }


def test_a_preview_shows_every_row_and_writes_nothing(tmp_path):
    supplier, bank = dictionaries()
    rows = [*numbered("A"), ("B", "Al Nour Trading", *ROW[2:]), ("C", "S")]
    report = preview(xlsx(tmp_path / "a.xlsx", HEADINGS, *rows))
    assert set(written().values()) == {0}
    assert not Transition.objects.exists()
    told = [row.as_json() for row in report.rows]
    assert [(row["row"], row["status"]) for row in told] == [
        (2, "ready"),
        (3, "needs_review"),
        (4, "rejected"),
    ]
    assert told[0]["values"] == {
        "number": "A",
        "supplier": {
            "written": "Al Noor Trading",
            "id": supplier.pk,
            "found_by": "exact",
            "certain": True,
            "suggestions": [],
        },
        "bank": {
            "written": "Riyad Bank",
            "id": bank.pk,
            "found_by": "exact",
            "certain": True,
            "suggestions": [],
        },
        "contract_number": "C-7",
        "related_to": "contract",
        "amount": "1000.50",
        "currency": "SAR",
        "issue_date": None,
        "expiry_date": "2030-12-31",
        "type": "",
        "comment": "",
    }
    likely = told[1]["values"]["supplier"]
    assert (likely["id"], likely["found_by"]) == (None, "fuzzy")
    assert likely["suggestions"] == [{"id": supplier.pk, "name": supplier.name, "score": 0.93}]
    # the import does what the preview has shown
    done = run(tmp_path / "a.xlsx")
    assert (done.accepted, done.ready, done.rejected_count) == (
        report.accepted,
        report.ready,
        report.rejected_count,
    )


def test_the_same_file_again_needs_a_confirmation(tmp_path):
    file = xlsx(tmp_path / "a.xlsx", HEADINGS, *numbered("A"))
    first = run(file)
    assert first.batch is not None
    renamed = file.rename(tmp_path / "b.xlsx")
    before = written()
    with pytest.raises(AlreadyImported) as refused:
        run(renamed)
    assert refused.value.fields == {"batch": first.batch.pk}
    assert written() == before
    assert preview(renamed).imported_before == first.batch.pk
    again = run(renamed, confirm=True)
    assert (again.accepted, again.flagged_count) == (1, 1)
    assert totals() == [("excel", 1, 0), ("excel", 1, 0)]


def test_duplicates_in_the_file_and_in_the_database_are_flagged(tmp_path):
    dictionaries()
    run(xlsx(tmp_path / "a.xlsx", HEADINGS, *numbered("A")))
    stored = Guarantee.objects.get()
    rows = [
        ROW,
        ("A", "Other", "RIBL", *ROW[3:]),  # the same bank by its code
        ("A", *ROW[1:3], "1000.51", *ROW[4:]),
        ROW,
        (" LG-1 ", "Other", *ROW[2:]),
        (*ROW[:2], "Other Bank", *ROW[3:]),
        (*ROW[:5], None),
    ]
    report = run(xlsx(tmp_path / "b.xlsx", HEADINGS, *rows))
    flags = {row.number: [flag.code for flag in row.judged.warnings] for row in report.flagged}
    assert flags == {3: ["duplicate"], 5: ["duplicate_in_file"], 6: ["duplicate_in_file"]}
    assert f"guarantee {stored.pk} " in report.flagged[0].judged.warnings[0].message
    assert "row 2 has the same" in report.flagged[2].judged.warnings[0].message
    assert report.accepted == 7


def test_without_a_good_row_there_is_no_batch(tmp_path):
    report = run(xlsx(tmp_path / "a.xlsx", HEADINGS, ("A",)))
    assert (report.batch, report.read, report.rejected_count) == (None, 1, 1)
    empty = run(xlsx(tmp_path / "b.xlsx", HEADINGS))
    assert (empty.batch, empty.read) == (None, 0)
    assert set(written().values()) == {0}
    assert ImportBatch.history.count() == 0


def test_an_old_workbook_is_imported_alike(tmp_path):
    dictionaries()
    file = tmp_path / "a.xls"
    file.write_bytes(xls({"A": [HEADINGS, ROW]}))
    assert run(file).ready == 1
    assert str(Guarantee.objects.get().expiry_date) == "2030-12-31"


def test_a_refused_workbook_and_a_missing_permission_leave_nothing(tmp_path):
    file = tmp_path / "a.xlsx"
    file.write_bytes(b"<html>")
    with pytest.raises(ImportRefused):
        run(file)
    guest = clerk("view_guarantee", name="guest")
    for deed in (import_workbook, preview_workbook):
        with pytest.raises(PermissionRefused):
            deed(xlsx(tmp_path / "b.xlsx", HEADINGS, ROW), acting_user=guest, **WHO)
    assert Transition.objects.filter(action="refused", actor=guest).count() == 2
    assert set(written().values()) == {0}


@contextmanager
def failing(table: str, when: str) -> Iterator[None]:
    """A trigger that raises when the row is written."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE FUNCTION fail_here() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'injected'; END $$"
        )
        cursor.execute(
            f"CREATE TRIGGER fail_here AFTER INSERT OR UPDATE ON {table} FOR EACH ROW "
            f"WHEN ({when}) EXECUTE FUNCTION fail_here()"
        )
    yield
    with connection.cursor() as cursor:
        cursor.execute("DROP FUNCTION fail_here CASCADE")


@pytest.mark.parametrize(
    ("table", "when"),
    [
        ("guarantees_guarantee", "NEW.number = 'C'"),
        ("guarantees_historicalguarantee", "NEW.number = 'C'"),
        ("guarantees_importbatch", "NEW.total_records > 0"),
        ("migrations_tools_transition", "NEW.action = 'import_workbook'"),
    ],
)
def test_a_failure_at_any_write_leaves_nothing_behind(table, when, tmp_path, monkeypatch):
    monkeypatch.setattr(imports, "_AT_ONCE", 2)
    file = xlsx(tmp_path / "a.xlsx", HEADINGS, *numbered(*"ABCD"))
    with failing(table, when):
        with pytest.raises(DatabaseError, match="injected"), transaction.atomic():
            run(file)
        assert set(written().values()) == {0}
    assert run(file).accepted == 4


def test_a_supplier_that_goes_meanwhile_is_a_refusal(tmp_path, monkeypatch):
    supplier, _ = dictionaries()
    file = xlsx(tmp_path / "a.xlsx", HEADINGS, ROW)

    def gone(rows: int) -> None:
        Supplier.objects.filter(pk=supplier.pk).delete()

    with pytest.raises(DictionaryChanged):
        run(file, progress=gone)
    assert set(written().values()) == {0}


def test_statements_do_not_grow_with_the_rows(tmp_path):
    def statements(count: int) -> int:
        file = xlsx(tmp_path / f"{count}.xlsx", HEADINGS, *numbered(*range(count)))
        with CaptureQueriesContext(connection) as captured:
            run(file)
        return len(captured)

    statements(3)  # the first one makes the temporary tables
    assert statements(60) == statements(4)


def test_constraints_of_the_database_are_not_hidden(tmp_path):
    with (
        pytest.raises(IntegrityError),
        transaction.atomic(),
        references_checked(),
    ):
        ImportBatch.objects.create(kind="other")
