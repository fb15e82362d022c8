"""A legacy file and a workbook on their way in, as a person meets them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import expect

from guarantees.models import ImportBatch
from migrations_tools.models import LegacyImport, QueuedImport
from tests.guarantees.services.entering import dictionaries
from tests.guarantees.workbooks.files import HEADINGS, ROW, xlsx

pytestmark = pytest.mark.django_db(transaction=True)

DOCUMENTS = '{"_id": "a", "user": "bob", "score": 1}\n{"_id": "b", "user": "eve"}\n{"broken"\n'
BAD = (None, "Al Noor Trading", "Riyad Bank", "1e3", "C-9", "soon")


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> None:
    settings.CARRYOVER_HOME = tmp_path / "home"


def test_a_legacy_file_is_looked_at_confirmed_and_imported(browse, assert_accessible, tmp_path):
    amal = User.objects.create_superuser("amal")
    path = tmp_path / "contest.jsonl"
    path.write_text(DOCUMENTS)
    page = browse(amal, path="/admin/migrations_tools/legacyimport/")
    page.get_by_role("link", name="Add legacy import").first.click()
    assert_accessible(page)
    page.locator("#content").get_by_role("link", name="Contest sessions").click()
    assert_accessible(page)
    page.get_by_label("File").set_input_files(path)
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_text("One line cannot be read")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Import 2 rows").click()
    expect(page.get_by_text("Waits for a worker.")).to_be_visible()
    assert_accessible(page)
    call_command("worker", "--once")
    expect(page.get_by_role("heading", name="Imported")).to_be_visible(timeout=10_000)
    assert_accessible(page)
    assert (LegacyImport.objects.get().imported, LegacyImport.objects.get().rejected) == (2, 1)
    with page.expect_download() as download:
        page.get_by_role("link", name="as they stood in the file").click()
    assert Path(download.value.path()).read_text() == '{"broken"\n'
    page.get_by_role("link", name="The record of this import").click()
    expect(page.get_by_role("heading", name="View legacy import")).to_be_visible()
    assert_accessible(page)


def test_a_workbook_becomes_a_batch(browse, assert_accessible, tmp_path):
    dictionaries()
    amal = User.objects.create_superuser("amal")
    path = xlsx(tmp_path / "May.xlsx", HEADINGS, ROW, ("B", "Al Noor Tradng", *ROW[2:]), BAD)
    page = browse(amal, path=reverse("admin:guarantees_importbatch_changelist"))
    page.get_by_role("link", name="Import a workbook").first.click()
    page.get_by_label("File").set_input_files(path)
    assert_accessible(page)
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_role("heading", name="Rows that will be rejected")).to_be_visible()
    assert_accessible(page)
    page.get_by_role("button", name="Import 2 guarantees").click()
    page.get_by_role("link", name="The batch and its guarantees").click()
    expect(page.get_by_role("heading", name="Rejected rows")).to_be_visible()
    assert_accessible(page)
    assert ImportBatch.objects.get().total_records == 2


def test_pasted_text_is_looked_at_and_saved(browse, assert_accessible):
    amal = User.objects.create_superuser("amal")
    page = browse(amal, path=reverse("admin:guarantees_paste"))
    page.get_by_label("Text").fill(
        "Guarantee number: LG-1\nSupplier: Al Noor\nBank: Riyad Bank\nAmount: 5\nContract: C-1"
    )
    page.get_by_role("button", name="Look at it").click()
    assert_accessible(page)
    page.get_by_role("button", name="Save this guarantee").click()
    expect(page.get_by_text("1 guarantee was saved.")).to_be_visible()
    assert ImportBatch.objects.get().kind == "paste"


@pytest.mark.slow
def test_pages_of_workbooks_are_good_in_every_way(browse, looks, assert_accessible, tmp_path):
    dictionaries()
    amal = User.objects.create_superuser("amal")
    book = xlsx(tmp_path / "May.xlsx", HEADINGS, ROW, ("B", "Al Noor Tradng", *ROW[2:]), BAD)
    page = browse(amal, path=reverse("admin:guarantees_workbook_new"))
    page.locator("input[type=file]").set_input_files(book)
    page.locator("#content form button[type=submit]").first.click()
    workbook = QueuedImport.objects.get()
    for name, shown in (
        ("workbook", reverse("admin:guarantees_workbook", args=[workbook.pk])),
        ("enter", reverse("admin:guarantees_enter")),
    ):
        looks(amal, shown, name=f"imports-{name}", check=assert_accessible)
