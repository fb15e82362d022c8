"""``manage.py import_workbook``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter  # type: ignore[import-untyped]  # the package has no types
from django.conf import settings

from guarantees.models import Guarantee, ImportBatch
from tests.guarantees.management.test_issue_action import run
from tests.guarantees.services.entering import dictionaries
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path: Path) -> Path:
    dictionaries()
    return xlsx(tmp_path / "May.xlsx", HEADINGS, ROW, ("LG-2", "S", "B", "x", "C"))


def answer(file: Path, *words: str) -> tuple[dict[str, Any], int]:
    printed, code = run("import_workbook", str(file), *words, "--json")
    told: dict[str, Any] = json.loads(printed)
    return told, code


def test_it_answers_with_the_batch_and_ends_with_2_where_rows_are_rejected(file):
    told, code = answer(file)
    batch = ImportBatch.objects.get()
    assert code == 2
    assert told == {
        "file": "May.xlsx",
        "sha256": batch.sha256,
        "sheet": "Guarantees",
        "other_sheets": [],
        "headings": {
            "number": ["Guarantee No"],
            "supplier": ["Supplier"],
            "bank": ["Bank"],
            "amount": ["Amount"],
            "contract": ["Contract No"],
            "expiry_date": ["Expiry Date"],
        },
        "imported_before": None,
        "batch": batch.pk,
        "read": 2,
        "imported": 1,
        "ready": 1,
        "needs_review": 0,
        "rejected_count": 1,
        "flagged_count": 0,
        "rejected": [
            {
                "row": 3,
                "status": "rejected",
                "problems": [
                    {
                        "field": "amount",
                        "code": "not_a_number",
                        "message": "Amount: “x” is not an amount.",
                    }
                ],
                "warnings": [],
            }
        ],
        "flagged": [],
    }


def test_a_preview_writes_nothing_and_the_same_file_needs_a_confirmation(file):
    told, code = answer(file, "--preview")
    assert (code, told["batch"], [row["status"] for row in told["rows"]]) == (
        2,
        None,
        ["ready", "rejected"],
    )
    assert not Guarantee.objects.exists()
    assert answer(file)[1] == 2
    refusal, code = answer(file)
    assert (code, refusal["error"]["code"]) == (1, "already_imported")
    told, code = answer(file, "--confirm")
    assert (code, told["flagged"][0]["warnings"][0]["code"]) == (2, "duplicate")


def test_a_good_file_ends_with_0_and_a_refused_one_with_1(tmp_path):
    file = xlsx(tmp_path / "a.xlsx", HEADINGS, ROW)
    printed, code = run("import_workbook", str(file))
    assert code == 0
    assert "1 rows read, 1 imported (0 ready, 1 for review), 0 rejected, 0 flagged." in printed
    for name, reason in (("none.xlsx", "file_not_found"), ("a.xlsx", "no_such_sheet")):
        refusal, code = answer(tmp_path / name, "--sheet", "X")
        assert (code, refusal["error"]["code"]) == (1, reason)


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_a_hundred_thousand_rows_are_imported_within_300_megabytes(
    tmp_path: Path, process_environment: dict[str, str]
) -> None:
    file = tmp_path / "large.xlsx"
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, HEADINGS)
        for row in range(1, 100_001):
            names = (f"Supplier {row % 3_000}", f"Bank {row % 20}")
            sheet.write_row(row, 0, (f"LG-{row}", *names, row + 0.5, f"C-{row}", "31/12/2030"))
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, str(file)],
        cwd=settings.BASE_DIR,
        env=os.environ | process_environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout.splitlines()[-1]) < 300 * 1024**2
    assert Guarantee.objects.count() == Guarantee.history.count() == 100_000
    assert ImportBatch.objects.get().total_records == 100_000


# The peak as the benchmarks ask for it: getrusage may tell of the process that started this one.
_MEASURED = """
import sys
from django.core.management import execute_from_command_line
from tests.benchmarks.tasks import peak_memory
execute_from_command_line(["manage.py", "import_workbook", sys.argv[1]])
print(peak_memory())
"""
