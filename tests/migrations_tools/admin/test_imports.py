"""The import wizard, and the records of imports, as people with and without rights meet them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from migrations_tools.models import (
    ImportProgress,
    LegacyImport,
    QueuedImport,
    RejectedLine,
    Transition,
)
from migrations_tools.services.queued_imports import work_on_import
from sessions_app.models import LegacyContestSession

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"
GOOD = b'{"_id": "a", "user": "bob", "score": 1}\n{"_id": "b", "user": "eve"}\n'
BAD = b'=cmd|"/c calc"!A1\n'


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    """A CARRYOVER_HOME of the test's own."""
    settings.CARRYOVER_HOME = tmp_path / "home"
    return tmp_path / "home"


def staff(name: str = "amal", *permissions: str) -> User:
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return user


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user, backend=BACKEND)
    return client


@pytest.fixture
def amal() -> User:
    return staff("amal", "import", "view_legacyimport", "view_rejectedline", "view_queuedimport")


@pytest.fixture
def browser(amal: User) -> Client:
    return client_of(amal)


def send(
    client: Client, content: bytes = GOOD, name: str = "c.jsonl", kind: str = "contest_sessions"
) -> Any:
    file = SimpleUploadedFile(name, content, content_type="application/pdf")  # not believed
    return client.post(reverse("admin:import_new", args=[kind]), {"file": file})


def page(name: str, upload: QueuedImport) -> str:
    return reverse(f"admin:import_{name}", args=[upload.pk])


def text(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_file_goes_from_its_kind_to_its_result(browser: Client) -> None:
    assert reverse("admin:import_new", args=["contest_sessions"]) in text(
        browser.get(reverse("admin:import_kinds"))
    )
    answer = send(browser, GOOD + BAD)
    upload = QueuedImport.objects.get()
    assert answer.url == page("upload", upload)
    shown = text(browser.get(answer.url))
    assert "Import 2 rows" in shown
    assert "One line cannot be read" in shown
    assert "invalid_json" in shown
    assert not LegacyContestSession.objects.exists()
    assert browser.post(page("commit", upload))["Location"] == answer.url
    waiting = text(browser.get(answer.url))
    assert f'data-live="{page("progress", upload)}"' in waiting
    assert "Waits for a worker" in text(browser.get(page("progress", upload)))
    work_on_import()
    assert "data-live-done" in text(browser.get(page("progress", upload)))
    done = LegacyImport.objects.get()
    result = text(browser.get(answer.url))
    assert (done.imported, done.rejected) == (2, 1)
    assert reverse("admin:import_rejected_csv", args=[done.pk]) in result
    assert Transition.objects.filter(surface="admin", action="import").count() == 1


def test_rejected_lines_are_downloaded_safely_and_as_they_were(browser: Client) -> None:
    content = b"_id,user\na,bob\n=1+1\n"
    send(browser, content, "contest_sessions.csv")
    browser.post(page("commit", QueuedImport.objects.get()))
    work_on_import()
    done = LegacyImport.objects.get()
    table: Any = browser.get(reverse("admin:import_rejected_csv", args=[done.pk]))
    lines = b"".join(table.streaming_content).decode("utf-8-sig").splitlines()
    assert lines[0] == "table,line,code,reason,text"
    assert lines[1].startswith("contest_sessions,3,column_count,")
    assert lines[1].endswith(",'=1+1")
    again: Any = browser.get(reverse("admin:import_rejected_txt", args=[done.pk]))
    assert b"".join(again.streaming_content).decode() == "_id,user\n=1+1\n"
    assert again["Content-Disposition"] == f'attachment; filename="rejected-{done.pk}.csv"'
    listed = reverse("admin:migrations_tools_rejectedline_changelist")
    for query, found in ((f"legacy_import__id__exact={done.pk}", True), ("kind=lessons", False)):
        shown = text(browser.get(f"{listed}?{query}"))
        assert ("The row has 1 cells" in shown) is found
    shown = text(browser.get(reverse("admin:migrations_tools_legacyimport_change", args=[done.pk])))
    assert reverse("admin:import_rejected_csv", args=[done.pk]) in shown


def test_rejected_lines_are_for_those_who_may_see_them(browser: Client) -> None:
    send(browser)
    browser.post(page("commit", QueuedImport.objects.get()))
    work_on_import()
    done = LegacyImport.objects.get()
    auditor = client_of(staff("auditor", "view_legacyimport"))
    files = [reverse(f"admin:import_rejected_{kind}", args=[done.pk]) for kind in ("csv", "txt")]
    record = reverse("admin:migrations_tools_legacyimport_change", args=[done.pk])
    assert [auditor.get(address).status_code for address in files] == [404, 404]
    shown = text(auditor.get(record))
    assert done.file_name in shown
    assert files[0] not in shown


def test_progress_is_shown_while_a_worker_is_at_it(browser: Client) -> None:
    send(browser)
    upload = QueuedImport.objects.get()
    browser.post(page("commit", upload))
    began = timezone.now() - timedelta(seconds=60)
    ImportProgress.objects.create(
        queued_import=upload, table="t", rows=25_000, share=0.25, started_at=began,
        told_at=began + timedelta(seconds=20),
    )  # fmt: skip
    shown = text(browser.get(page("progress", upload)))
    assert "25,000 rows read" in shown
    assert 'value="250" max="1000"' in shown
    assert "<dt>Still about</dt><dd>1 min</dd>" in shown  # a quarter took 20 seconds


def test_a_second_confirmation_is_told_what_happened(browser: Client) -> None:
    send(browser)
    upload = QueuedImport.objects.get()
    browser.post(page("commit", upload))
    told = text(browser.post(page("commit", upload), follow=True))
    assert f">{upload.file_name} was confirmed before and is being imported" in told
    work_on_import()
    for deed in ("commit", "drop"):
        told = text(browser.post(page(deed, upload), follow=True))
        assert "was confirmed before and is imported" in told
    assert LegacyImport.objects.count() == 1


def test_an_expired_or_dropped_upload_is_told(browser: Client, home: Path) -> None:
    send(browser)
    upload = QueuedImport.objects.get()
    QueuedImport.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert "waited for more than 24 hours" in text(browser.get(page("upload", upload)))
    assert "waited for more than 24 hours" in text(
        browser.post(page("commit", upload), follow=True)
    )
    told = text(browser.post(page("drop", upload), follow=True))
    assert "was deleted; nothing of it was imported" in told
    assert "Dropped" in text(browser.get(page("upload", upload)))
    assert not LegacyImport.objects.exists()


def test_what_belongs_to_somebody_else_is_not_there(browser: Client, amal: User) -> None:
    send(browser)
    upload = QueuedImport.objects.get()
    other = client_of(staff("other", "import"))
    for name in ("upload", "progress"):
        assert other.get(page(name, upload)).status_code == 404
    for name in ("commit", "drop"):
        assert other.post(page(name, upload)).status_code == 404
    browser.post(page("commit", upload))
    work_on_import()
    done = LegacyImport.objects.get()
    assert other.get(reverse("admin:import_rejected_csv", args=[done.pk])).status_code == 404
    amal.user_permissions.clear()  # what one has imported oneself one may fetch
    assert browser.get(reverse("admin:import_rejected_csv", args=[done.pk])).status_code == 200
    upload.refresh_from_db()
    assert upload.state == "done"


def test_nobody_imports_without_the_permission(browser: Client, amal: User) -> None:
    send(browser)
    upload = QueuedImport.objects.get()
    viewer = client_of(staff("viewer", "view_legacyimport"))
    assert viewer.get(reverse("admin:import_kinds")).status_code == 403
    assert viewer.get(reverse("admin:import_new", args=["contest_sessions"])).status_code == 403
    assert send(viewer).status_code == 403
    assert Transition.objects.filter(action="refused", actor__username="viewer").exists()
    amal.user_permissions.clear()
    assert browser.post(page("commit", upload)).status_code == 403
    assert browser.get(page("upload", upload)).status_code == 403
    assert Client().get(reverse("admin:import_kinds")).status_code == 302
    assert QueuedImport.objects.get().state == "uploaded"


def test_tampered_requests_change_nothing(browser: Client) -> None:
    told = text(browser.get(reverse("admin:import_new", args=["no-such"]), follow=True))
    assert "There is no import kind" in told
    assert "This field is required" in text(
        browser.post(reverse("admin:import_new", args=["contest_sessions"]), {"file": "text"})
    )
    table = {"file": SimpleUploadedFile("a.csv", b"id\n1\n"), "table": "auth_user"}
    refused = browser.post(reverse("admin:import_new", args=["guarantees"]), table)
    assert "Select a valid choice" in text(refused)
    assert browser.get(reverse("admin:import_commit", args=[1])).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.get(username="amal"), backend=BACKEND)
    assert send(strict).status_code == 403
    assert not QueuedImport.objects.exists()


@pytest.mark.parametrize(
    ("content", "name", "sentence"),
    [
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "contest_sessions.csv", "is a picture"),
        (b"PK\x03\x04" + bytes(64), "contest_sessions.json", "packed file"),
        (b"", "contest_sessions.csv", "is empty (0 bytes)"),
        (b"a,b\n1,2\n", "contest_sessions.csv", "has none of the columns"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused_in_a_sentence(
    browser: Client, home: Path, content: bytes, name: str, sentence: str
) -> None:
    answer = text(send(browser, content, name))
    assert sentence in answer
    assert str(home) not in answer
    assert not QueuedImport.objects.exists()


def test_lists_of_imports_ask_a_constant_number_of_queries(browser: Client, amal: User) -> None:
    def queries(model: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            answer = browser.get(reverse(f"admin:migrations_tools_{model}_changelist"))
        assert answer.status_code == 200
        return len(asked)

    def add(count: int) -> None:
        for n in range(count):
            other = User.objects.create_user(f"{count}-{n}")
            done = LegacyImport.objects.create(
                kind="lessons", file_name=f"{n}.csv", size=1, sha256="0" * 64, actor=other
            )
            RejectedLine.objects.create(legacy_import=done, line=1, code="x", detail="y", text="z")
            QueuedImport.objects.create(
                kind="lessons", file_name="a", stored="", surface="api", actor=other
            )

    add(1)
    models = ("legacyimport", "rejectedline", "queuedimport")
    few = [queries(model) for model in models]
    add(12)
    assert [queries(model) for model in models] == few


def test_where_the_file_lies_is_told_to_nobody(browser: Client) -> None:
    send(browser)
    upload = QueuedImport.objects.get()
    address = reverse("admin:migrations_tools_queuedimport_change", args=[upload.pk])
    assert upload.stored not in text(browser.get(address))
    assert browser.post(address, {"state": "done"}).status_code == 403
