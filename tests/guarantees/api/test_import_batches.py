"""Workbooks by the API: sent, looked at, confirmed once; and files that are none."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guarantees.models import Guarantee, ImportBatch
from guarantees.services import workbook_uploads
from migrations_tools.models import QueuedImport
from tests.guarantees.api.calling import API, Caller, chief, code, faults, person
from tests.guarantees.factories import ImportBatchFactory
from tests.guarantees.services.entering import dictionaries
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx
from tests.guarantees.workbooks.xls import xls

pytestmark = pytest.mark.django_db

UPLOADS = "import-batches/uploads/"
BAD = (None, "Al Noor Trading", "Riyad Bank", 17.0, "C-8", "soon")


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    """A CARRYOVER_HOME of the test's own."""
    settings.CARRYOVER_HOME = tmp_path / "home"
    return tmp_path / "home"


@pytest.fixture
def api() -> Caller:
    return Caller(chief())


def send(api: Caller, content: bytes, name: str = "May.xlsx", **more: Any) -> Any:
    headers = {key.replace("_", "-"): more.pop(key) for key in list(more) if key[0].isupper()}
    file = SimpleUploadedFile(name, content)
    return api.client.post(f"{API}/{UPLOADS}", {"file": file, **more}, headers=headers)


def workbook(folder: Path, *rows: Any) -> bytes:
    return xlsx(folder / "made.xlsx", HEADINGS, *rows).read_bytes()


def test_a_workbook_is_sent_looked_at_and_confirmed_once(api, tmp_path, monkeypatch):
    dictionaries()
    sent = send(api, workbook(tmp_path, ROW, BAD))
    assert sent.status_code == 201, sent.content
    path = f"{UPLOADS}{sent.json()['id']}/"
    assert sent["Location"] == f"{API}/{path}"
    assert api.get(path).json() == sent.json()
    assert (sent.json()["state"], sent.json()["result"]) == ("uploaded", {})

    preview = api.get(f"{path}preview/").json()
    assert (preview["read"], preview["imported"], preview["rejected_count"]) == (2, 1, 1)
    assert [row["status"] for row in preview["rows"]] == ["ready", "rejected"]
    assert preview["rows"][0]["values"]["amount"] == "1000.50"
    assert preview["complete"] is True
    monkeypatch.setattr("guarantees.services.workbook_uploads.LOOKED_AT", 1)
    some = api.get(f"{path}preview/").json()
    assert (some["complete"], some["read"], some["rejected_count"]) == (False, 1, 0)
    assert not ImportBatch.objects.exists()

    done = api.post(f"{path}commit/")
    assert done.status_code == 201, done.content
    batch = ImportBatch.objects.get()
    assert done["Location"] == f"{API}/import-batches/{batch.pk}/"
    assert done.json()["state"] == "done"
    assert done.json()["result"] == {
        "batch": batch.pk,
        "sheet": "Guarantees",
        "read": 2,
        "imported": 1,
        "ready": 1,
        "needs_review": 0,
        "rejected_count": 1,
        "flagged_count": 0,
    }
    for rows in (f"{path}rejected-rows/", f"import-batches/{batch.pk}/rejected-rows/"):
        (row,) = api.get(rows).json()["results"]
        assert (row["row"], row["cells"]["amount"]) == (3, "17")
        assert {problem["code"] for problem in row["problems"]} == {"missing", "not_a_date"}
    shown = api.get(f"import-batches/{batch.pk}/").json()
    assert (shown["file_name"], shown["kind"], shown["total_records"]) == ("May.xlsx", "excel", 1)

    again = api.post(f"{path}commit/")
    assert (again.status_code, code(again)) == (409, "upload_closed")
    replayed = api.post(f"{path}commit/", {}, Idempotency_Key="k")
    assert (replayed.status_code, replayed.json()) == (201, api.get(path).json())
    assert Guarantee.objects.count() == 1
    closed = api.get(f"{path}preview/")
    assert (closed.status_code, code(closed)) == (409, "upload_closed")


def test_the_same_workbook_again_is_confirmed_expressly(api, tmp_path):
    content = workbook(tmp_path, ROW)
    for _ in range(2):
        number = send(api, content).json()["id"]
        answer = api.post(f"{UPLOADS}{number}/commit/")
    assert (answer.status_code, code(answer)) == (409, "already_imported")
    assert api.post(f"{UPLOADS}{number}/commit/", {"confirm": True}).status_code == 201
    assert ImportBatch.objects.count() == 2


def test_of_the_same_workbook_twice_at_once_the_second_is_told_what_a_later_one_is(api, tmp_path):
    number = send(api, workbook(tmp_path, ROW)).json()["id"]
    told = {"state": "refused", "code": "already_imported", "error": "It came in before."}
    QueuedImport.objects.filter(pk=number).update(**told)
    answer = api.post(f"{UPLOADS}{number}/commit/", {}, Idempotency_Key="k")
    assert (answer.status_code, code(answer)) == (409, "already_imported")


def test_a_workbook_without_a_good_row_makes_no_batch(api, tmp_path):
    number = send(api, workbook(tmp_path, BAD)).json()["id"]
    answer = api.post(f"{UPLOADS}{number}/commit/")
    assert (answer.status_code, answer.json()["result"]["rejected_count"]) == (200, 1)
    assert not ImportBatch.objects.exists()


def test_a_large_workbook_is_left_to_a_worker(api, tmp_path, monkeypatch):
    monkeypatch.setattr(workbook_uploads, "AT_ONCE_BYTES", 0)
    sent = send(api, workbook(tmp_path, ROW)).json()
    answer = api.post(f"{UPLOADS}{sent['id']}/commit/")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    assert answer["Location"] == f"{API}/{UPLOADS}{sent['id']}/"


def test_an_upload_is_its_senders_alone(api, tmp_path, home):
    number = send(api, workbook(tmp_path, ROW)).json()["id"]
    path = f"{UPLOADS}{number}/"
    other = Caller(person("add_guarantee"))
    for answer in (
        other.get(path),
        other.get(f"{path}preview/"),
        other.get(f"{path}rejected-rows/"),
        other.post(f"{path}commit/"),
        other.delete(path),
        api.get(f"{UPLOADS}{10**19 - 1}/"),
    ):
        assert (answer.status_code, code(answer)) == (404, "unknown_upload")
    refused = send(Caller(person(name="nobody")), workbook(tmp_path, ROW))
    assert (refused.status_code, code(refused)) == (403, "permission_denied")
    (stored,) = (home / "uploads").iterdir()
    assert stored.stat().st_mode & 0o077 == 0
    assert api.delete(path).status_code == 204
    assert api.post(f"{path}commit/").status_code == 409
    assert api.get(path).json()["state"] == "dropped"


def bomb() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", b"0" * 50_000_000)
    return packed.getvalue()


def macros() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/vbaProject.bin", "x")
    return packed.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty_file"),
        (b"\x89PNG\r\n\x1a\n" + b"0" * 100, "no_workbook"),
        (b"PK\x03\x04 and nothing more", "damaged_workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "damaged_workbook"),
        (b"number,supplier\n1,2\n", "no_workbook"),
        (bomb(), "workbook_too_large"),
        (macros(), "macros_in_workbook"),
        (xls({"A": [HEADINGS]}, stream="EncryptedPackage"), "encrypted_workbook"),
    ],
    ids=["empty", "PNG", "cut", "old", "CSV", "bomb", "macros", "encrypted"],
)
def test_what_is_no_workbook_is_refused_and_not_kept(api, home, content, expected):
    answer = send(api, content, name="../../etc/May\u202e.xlsx")
    assert (answer.status_code, code(answer)) == (422, expected), answer.content
    assert str(home) not in answer.content.decode()
    assert not QueuedImport.objects.exists()
    assert not list((home / "uploads").iterdir())


def test_forms_that_are_none_are_refused(api, tmp_path):
    assert faults(api.client.post(f"{API}/{UPLOADS}", {})) == [("file", "required")]
    assert faults(api.client.post(f"{API}/{UPLOADS}", {"file": "text"})) == [("file", "invalid")]
    sheet = send(api, workbook(tmp_path, ROW), sheet="None")
    assert (sheet.status_code, code(sheet)) == (422, "no_such_sheet")
    cut = "multipart/form-data; boundary=x"
    for content_type, body, status in [
        (cut, b"--x\r\nContent-Disp", 422),
        ("multipart/form-data", b"x", 400),
        ("application/x-www-form-urlencoded", b"file=x", 415),
    ]:
        for headers in ({}, {"Idempotency-Key": "k"}):
            answer = api.client.generic(
                "POST", f"{API}/{UPLOADS}", body, content_type=content_type, headers=headers
            )
            assert answer.status_code == status, answer.content
    large = api.client.post(
        f"{API}/{UPLOADS}", {}, CONTENT_LENGTH=str(10**9), headers={"Idempotency-Key": "k"}
    )
    assert (large.status_code, code(large)) == (413, "too_large")


def test_an_upload_sent_twice_with_a_key_is_kept_once(api, tmp_path):
    content = workbook(tmp_path, ROW)
    first, again = (send(api, content, Idempotency_Key="k") for _ in range(2))
    assert (first.status_code, again.json()) == (201, first.json())
    assert QueuedImport.objects.count() == 1


def test_batches_are_filtered_in_a_constant_number_of_statements(api):
    for _ in range(3):
        ImportBatchFactory.create(sha256="a" * 64)
    manual = ImportBatchFactory.create(kind="manual", day="2025-05-01", file_name="")
    found = api.get("import-batches/", {"kind": "manual", "day": "2025-05-01"}).json()["results"]
    assert [batch["id"] for batch in found] == [manual.pk]
    assert api.get("import-batches/", {"sha256": "a" * 64}).json()["count"] == 3
    assert api.get("import-batches/", {"created_to": "2001-01-01"}).json()["count"] == 0
    assert api.get("import-batches/", {"kind": "x"}).status_code == 422
    with CaptureQueriesContext(connection) as captured:
        api.get("import-batches/")
    assert len(captured) == 4
