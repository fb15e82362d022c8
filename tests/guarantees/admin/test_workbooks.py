"""The workbook wizard, batches and their rejected rows in the admin."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]  # has no types
import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from guarantees.models import BatchKind, Guarantee, ImportBatch, RejectedRow
from guarantees.services import workbook_uploads
from guarantees.services.imports import preview_workbook
from migrations_tools.models import QueuedImport
from migrations_tools.services.queued_imports import work_on_import
from tests.guarantees.services.entering import dictionaries, keeper
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"
BAD = (None, "+1+1 Ltd", "Riyad Bank", 17, None, "soon")


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    """A CARRYOVER_HOME of the test's own."""
    settings.CARRYOVER_HOME = tmp_path / "home"
    return tmp_path / "home"


def client_of(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


@pytest.fixture
def browser() -> Client:
    return client_of("amal", "add_guarantee", "view_importbatch", "view_rejectedrow")


def send(client: Client, path: Path) -> Any:
    file = SimpleUploadedFile(path.name, path.read_bytes())
    return client.post(reverse("admin:guarantees_workbook_new"), {"file": file})


def page(name: str, upload: QueuedImport) -> str:
    return reverse(f"admin:guarantees_workbook{name}", args=[upload.pk])


def text(answer: Any) -> str:
    return str(answer.content.decode())


def workbook(folder: Path, *rows: Any, name: str = "May.xlsx") -> Path:
    return xlsx(folder / name, HEADINGS, *rows)


def test_a_workbook_goes_from_its_upload_to_its_batch(browser: Client, tmp_path: Path) -> None:
    supplier, _ = dictionaries()
    answer = send(browser, workbook(tmp_path, ROW, ("B", "Al Noor Tradng", *ROW[2:]), BAD))
    upload = QueuedImport.objects.get()
    assert answer["Location"] == page("", upload)
    shown = text(browser.get(page("", upload)))
    for said in (
        "Guarantee No",  # a heading as it was written
        "1,000.50</bdi> → <bdi><strong>1,000.50 SAR",
        f"Al Noor Trading</bdi> → <bdi><strong>{supplier}",
        f"perhaps {supplier.name}",
        "Expiry date: ",
        "Import 2 guarantees",
    ):
        assert said in shown
    assert not ImportBatch.objects.exists()
    done = text(browser.post(page("_commit", upload), follow=True))
    batch = ImportBatch.objects.get()
    address = reverse("admin:guarantees_importbatch_change", args=[batch.pk])
    assert address in done
    assert (batch.total_records, RejectedRow.objects.get().batch) == (2, batch)
    shown = text(browser.get(address))
    assert batch.sha256 in shown
    assert reverse("admin:guarantees_batch_rejected", args=[batch.pk]) in shown


def test_rejected_rows_come_back_as_a_workbook_that_can_be_sent_again(
    browser: Client, tmp_path: Path
) -> None:
    send(browser, workbook(tmp_path, ROW, BAD))
    upload = QueuedImport.objects.get()
    browser.post(page("_commit", upload))
    batch = ImportBatch.objects.get()
    for address in (
        reverse("admin:guarantees_batch_rejected", args=[batch.pk]),
        reverse("admin:guarantees_upload_rejected", args=[upload.pk]),
    ):
        answer: Any = browser.get(address)
        content = b"".join(answer.streaming_content)
        sheet = openpyxl.load_workbook(io.BytesIO(content)).active
        table = [[cell.value for cell in row] for row in sheet]
        named = dict(zip(*table, strict=True))
        assert (named["Excel row"], named["Supplier"], named["Amount"]) == (3, "+1+1 Ltd", "17")
        assert "Guarantee number: is missing." in named["Reasons"]
        assert all(cell.data_type != "f" for row in sheet for cell in row)
    again = tmp_path / "again.xlsx"
    again.write_bytes(content)
    report = preview_workbook(again, acting_user=keeper(), surface="admin")
    assert set(report.headings) >= {"number", "supplier", "bank", "amount", "expiry_date"}
    assert (report.read, report.rejected_count) == (1, 1)


def test_the_same_file_again_asks_first_and_a_double_click_imports_once(
    browser: Client, tmp_path: Path
) -> None:
    path = workbook(tmp_path, ROW)
    send(browser, path)
    first = QueuedImport.objects.get()
    browser.post(page("_commit", first))
    assert "was confirmed before" in text(browser.post(page("_commit", first), follow=True))
    send(browser, path)
    again = QueuedImport.objects.latest("pk")
    assert "This very file was imported before" in text(browser.get(page("", again)))
    told = text(browser.post(page("_commit", again), follow=True))
    assert "Confirm the import if it is to come in a second time" in told
    assert ImportBatch.objects.count() == 1
    browser.post(page("_commit", again), {"again": "yes"})
    assert ImportBatch.objects.count() == 2


def test_a_large_workbook_waits_for_a_worker(
    browser: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook_uploads, "AT_ONCE_BYTES", 10)
    send(browser, workbook(tmp_path, ROW))
    upload = QueuedImport.objects.get()
    told = text(browser.post(page("_commit", upload), follow=True))
    assert f'data-live="{page("_progress", upload)}"' in told
    assert "Waits for a worker" in text(browser.get(page("_progress", upload)))
    work_on_import()
    assert "data-live-done" in text(browser.get(page("_progress", upload)))
    assert Guarantee.objects.count() == 1


def test_who_may_not_import_and_whose_upload_it_is_not(browser: Client, tmp_path: Path) -> None:
    send(browser, workbook(tmp_path, ROW))
    upload = QueuedImport.objects.get()
    other = client_of("other", "add_guarantee")
    for name in ("", "_progress"):
        assert other.get(page(name, upload)).status_code == 404
    assert (
        other.get(reverse("admin:guarantees_upload_rejected", args=[upload.pk])).status_code == 404
    )
    for name in ("_commit", "_drop"):
        assert other.post(page(name, upload)).status_code == 404
    viewer = client_of("viewer", "view_importbatch")
    clerk = client_of("clerk", "view_importbatch", "view_rejectedrow")
    for name in ("guarantees_workbook_new", "guarantees_enter", "guarantees_paste"):
        assert viewer.get(reverse(f"admin:{name}")).status_code == 403
    assert send(viewer, workbook(tmp_path, ROW)).status_code == 403
    batch = ImportBatch.objects.create(kind=BatchKind.EXCEL)
    address = reverse("admin:guarantees_batch_rejected", args=[batch.pk])
    found = [client.get(address).status_code for client in (clerk, viewer, other)]
    assert found == [200, 403, 403]
    RejectedRow.objects.create(batch=batch, row=7, cells={}, problems=[{"message": "no bank"}])
    record = reverse("admin:guarantees_importbatch_change", args=[batch.pk])
    assert "no bank" in text(clerk.get(record))
    assert "no bank" not in text(viewer.get(record))
    assert QueuedImport.objects.get().state == "uploaded"


def test_what_is_no_workbook_is_refused_in_a_sentence(
    browser: Client, tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "May.xlsx"
    for content, said in (
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "May.xlsx is no Excel workbook"),
        (b"", "is empty"),
        (workbook(tmp_path, ROW, name="whole.xlsx").read_bytes()[:900], "damaged or was cut short"),
    ):
        path.write_bytes(content)
        answer = text(send(browser, path))
        assert said in answer
        assert str(home) not in answer
    assert not QueuedImport.objects.exists()


def test_lists_of_batches_and_rejected_rows_ask_a_constant_number_of_queries(
    browser: Client,
) -> None:
    def add(count: int) -> None:
        for n in range(count):
            batch = ImportBatch.objects.create(kind=BatchKind.EXCEL, file_name=f"{n}.xlsx")
            RejectedRow.objects.create(
                batch=batch, row=n, cells={}, problems=[{"message": "is missing."}]
            )

    def queries() -> list[int]:
        found = []
        for model in ("importbatch", "rejectedrow"):
            with CaptureQueriesContext(connection) as asked:
                answer = browser.get(reverse(f"admin:guarantees_{model}_changelist"))
            assert answer.status_code == 200
            found.append(len(asked))
        return found

    add(1)
    few = queries()
    add(12)
    assert queries() == few
