"""Workbooks by upload: previewed, confirmed once, their rejected rows kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from guarantees.entry_errors import AlreadyImported
from guarantees.models import Guarantee, ImportBatch, RejectedRow
from guarantees.services import workbook_uploads
from guarantees.services.workbook_uploads import (
    batch_of,
    commit_workbook,
    get_workbook,
    preview_upload,
    receive_workbook,
)
from migrations_tools.exceptions import ImportRefused, PermissionRefused
from migrations_tools.services.queued_imports import work_on_import
from migrations_tools.services.uploads import UnknownUpload, UploadClosed
from tests.guarantees.services.acting import clerk
from tests.guarantees.services.entering import dictionaries, keeper
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    """A CARRYOVER_HOME of the test's own."""
    settings.CARRYOVER_HOME = tmp_path / "home"
    return tmp_path / "home"


def who() -> dict[str, Any]:
    return {"acting_user": keeper(), "surface": "api"}


def sent(path: Path, **more: Any) -> Any:
    with path.open("rb") as file:
        return receive_workbook(
            iter(lambda: file.read(1000), b""), file_name=path.name, **who() | more
        )


def workbook(folder: Path, *rows: Any, name: str = "May.xlsx") -> Path:
    return xlsx(folder / name, HEADINGS, *rows)


BAD = (None, "Al Noor Trading", "Riyad Bank", 17.0, "=1+1", "soon")


def test_a_workbook_is_previewed_confirmed_and_imported_at_once(tmp_path: Path) -> None:
    dictionaries()
    upload = sent(workbook(tmp_path, BAD, ROW))
    report = preview_upload(upload, **who())
    assert (report.accepted, report.rejected_count, report.batch) == (1, 1, None)
    assert not ImportBatch.objects.exists()
    assert not RejectedRow.objects.exists()
    done = commit_workbook(upload, **who())
    batch = ImportBatch.objects.get()
    assert (done.state, batch_of(done)) == ("done", batch)
    assert {name: done.result[name] for name in ("read", "imported", "rejected_count")} == {
        "read": 2,
        "imported": 1,
        "rejected_count": 1,
    }
    row = RejectedRow.objects.get()
    assert (row.batch, row.upload, row.row) == (batch, done, 2)
    assert (row.cells["supplier"], row.cells["amount"]) == ("Al Noor Trading", "17")
    assert {problem["field"] for problem in row.problems} >= {"number", "expiry_date"}
    with pytest.raises(UploadClosed, match="is imported"):
        commit_workbook(upload, **who())
    assert Guarantee.objects.count() == 1


def test_without_a_good_row_there_is_no_batch_and_the_rows_are_kept(tmp_path: Path) -> None:
    done = commit_workbook(sent(workbook(tmp_path, BAD)), **who())
    assert (done.state, batch_of(done)) == ("done", None)
    assert not ImportBatch.objects.exists()
    assert RejectedRow.objects.get(batch=None).upload == done


def test_a_large_workbook_is_left_to_a_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_uploads, "AT_ONCE_BYTES", 10)
    upload = commit_workbook(sent(workbook(tmp_path, ROW)), **who())
    assert (upload.state, ImportBatch.objects.count()) == ("queued", 0)
    work_on_import()
    upload.refresh_from_db()
    assert (upload.state, upload.result["imported"]) == ("done", 1)


def test_the_same_file_again_needs_a_confirmation(tmp_path: Path) -> None:
    path = workbook(tmp_path, ROW)
    first = commit_workbook(sent(path), **who())
    again = sent(path)
    assert preview_upload(again, **who()).imported_before == first.result["batch"]
    with pytest.raises(AlreadyImported):
        commit_workbook(again, **who())
    again.refresh_from_db()
    assert again.state == "uploaded"
    assert commit_workbook(again, confirm=True, **who()).state == "done"
    assert ImportBatch.objects.count() == 2


def test_workbooks_of_others_are_unknown_and_rights_are_asked_for(tmp_path: Path) -> None:
    upload = sent(workbook(tmp_path, ROW))
    with pytest.raises(UnknownUpload):
        get_workbook(upload.pk, acting_user=person("importer", "import"))
    for stranger in (clerk(), person("other", "import")):
        with pytest.raises(PermissionRefused):
            sent(workbook(tmp_path, ROW), acting_user=stranger)


def test_what_is_no_workbook_is_refused_and_not_kept(tmp_path: Path, home: Path) -> None:
    picture = tmp_path / "May.xlsx"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    with pytest.raises(ImportRefused, match=r"May\.xlsx is no Excel workbook"):
        sent(picture)
    assert not list((home / "uploads").iterdir())
