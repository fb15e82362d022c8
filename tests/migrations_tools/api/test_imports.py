"""Files come in, are looked at, and are imported by a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from migrations_tools.imports import upload_kinds
from migrations_tools.models import LegacyImport, QueuedImport, RejectedLine
from migrations_tools.services.queued_imports import work_on_import
from sessions_app.models import LegacyContestSession
from tests.migrations_tools.api.requests import ROOT, Caller, operator, problem
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db

PATH = "legacy-imports/"
GOOD = b'{"_id": "a", "user": "bob", "score": 1}\nnot JSON\n{"_id": "b", "user": "=1+1"}\n'


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    settings.CARRYOVER_HOME = tmp_path / "home"
    return tmp_path / "home"


def send(
    caller: Caller,
    content: bytes = GOOD,
    name: str = "contest.jsonl",
    key: str = "",
    **fields: Any,
) -> Any:
    form = {"kind": "contest_sessions", "file": SimpleUploadedFile(name, content), **fields}
    headers = {"Idempotency-Key": key} if key else {}
    return caller.client.post(ROOT + PATH, form, format="multipart", headers=headers)


def test_a_file_is_uploaded_previewed_committed_and_imported():
    caller = operator()
    sent = send(caller)
    assert sent.status_code == 201
    upload = sent.json()
    assert (upload["state"], upload["file_name"], upload["size"]) == (
        "uploaded",
        "contest.jsonl",
        len(GOOD),
    )
    address = sent["Location"]
    assert address.endswith(f"/api/v1/legacy-imports/uploads/{upload['id']}/")

    preview = caller.get(f"{address}preview/").json()
    assert (preview["read"], preview["imported"], preview["rejected_count"]) == (3, 2, 1)
    assert [row["status"] for row in preview["rows"]] == ["new", "new"]
    assert preview["rejected"][0]["line"] == 2
    assert not LegacyContestSession.objects.exists()

    queued = caller.post(f"{address}commit/")
    assert (queued.status_code, queued["Location"], queued.json()["state"]) == (
        202,
        address,
        "queued",
    )
    twice = caller.post(f"{address}commit/")
    assert problem(twice) == (409, "upload_closed")
    work_on_import()

    told = caller.get(address).json()
    assert told["state"] == "done"
    done = told["legacy_import"]
    assert (done["read"], done["imported"], done["rejected"]) == (3, 2, 1)
    assert caller.get(f"{PATH}{done['id']}/").json() == done
    assert LegacyContestSession.objects.count() == 2
    (line,) = caller.get(f"{PATH}{done['id']}/rejected/").json()["results"]
    assert (line["line"], line["text"]) == (2, "not JSON")


def test_rejected_lines_are_a_file_that_no_spreadsheet_takes_for_formulas():
    caller = operator()
    found = LegacyImport.objects.create(
        kind="contest_sessions", file_name="f", size=1, sha256="", actor=caller.user
    )
    RejectedLine.objects.create(
        legacy_import=found, line=3, code="bad", detail="Bad.", text='=HYPERLINK("x")'
    )
    answer = caller.client.get(f"{ROOT}{PATH}{found.pk}/rejected/csv/", HTTP_ACCEPT="text/csv")
    assert answer["Content-Disposition"] == f'attachment; filename="rejected-{found.pk}.csv"'
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert lines == ["table,line,code,detail,text", ',3,bad,Bad.,"\'=HYPERLINK(""x"")"']
    asis = caller.client.get(f"{ROOT}{PATH}{found.pk}/rejected/text/")
    assert asis["Content-Type"] == "text/plain; charset=utf-8"
    assert b"".join(asis.streaming_content) == b'=HYPERLINK("x")\n'
    guest = Caller(person("guest"))
    assert guest.get(f"{PATH}{found.pk}/rejected/text/").status_code == 404


def test_an_upload_is_dropped_and_its_file_with_it(home, django_capture_on_commit_callbacks):
    caller = operator()
    upload = send(caller).json()["id"]
    address = f"{ROOT}{PATH}uploads/{upload}/"
    with django_capture_on_commit_callbacks(execute=True):
        assert caller.client.delete(address).status_code == 204
    assert not [path for path in home.rglob("*") if path.is_file()]
    assert caller.get(address).json()["state"] == "dropped"
    for answer in (caller.client.delete(address), caller.get(f"{address}preview/")):
        assert problem(answer) == (409, "upload_closed")


def test_a_file_that_is_sent_twice_is_kept_once():
    caller = operator()
    first, second = (send(caller, key="k") for _ in range(2))
    assert (second.status_code, second.json()) == (201, first.json())
    assert second["Location"] == first["Location"]
    assert problem(send(caller, b"{}", key="k")) == (422, "idempotency_key_reused")
    assert QueuedImport.objects.count() == 1


@pytest.mark.parametrize(
    ("content", "name", "fields", "expected"),
    [
        (b"", "f.jsonl", {}, (422, "validation_failed")),
        (GOOD, "f.jsonl", {"kind": "nothing"}, (422, "unknown_kind")),
        (GOOD, "f.jsonl", {"kind": ""}, (422, "validation_failed")),
        (GOOD, "f.jsonl", {"kind": "a\x00b"}, (422, "validation_failed")),
        (GOOD, "f.jsonl", {"file": "no file"}, (422, "validation_failed")),
        (GOOD, "f.jsonl", {"table": "nothing"}, (422, "unknown_table")),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 50, "f.csv", {}, (422, None)),
        (b"PK\x03\x04" + b"\x00" * 50, "../../etc/passwd", {}, (422, None)),
    ],
)
def test_what_is_no_file_of_the_kind_is_refused_and_not_kept(content, name, fields, expected, home):
    status, code = problem(send(operator(), content, name, **fields))
    assert status == expected[0]
    assert code == expected[1] or expected[1] is None
    assert not QueuedImport.objects.exists()
    assert not [path for path in home.rglob("*") if path.is_file()]


def test_a_body_that_is_too_large_is_refused_before_it_is_read(monkeypatch):
    answer = operator().client.post(
        ROOT + PATH,
        {"kind": "x"},
        format="multipart",
        CONTENT_LENGTH=str(upload_kinds.LEGACY_BYTES + 2**20),
    )
    assert problem(answer) == (413, "too_large")


def test_uploads_are_nobody_elses_business_and_imports_for_those_who_may():
    caller, other, guest = operator(), Caller(person("other", "import")), Caller(person("guest"))
    upload = send(caller).json()["id"]
    address = f"{PATH}uploads/{upload}/"
    for answer in (
        other.get(address),
        other.get(f"{address}preview/"),
        other.post(f"{address}commit/"),
        other.client.delete(ROOT + address),
        other.get(f"{PATH}uploads/{10**20}/"),
    ):
        assert answer.status_code == 404
    assert caller.get(f"{PATH}uploads/").json()["count"] == 1
    assert other.get(f"{PATH}uploads/").json()["count"] == 0
    assert problem(send(guest)) == (403, "permission_denied")
    for path in (PATH, f"{PATH}kinds/"):
        assert problem(guest.get(path)) == (403, "permission_denied")
    for path in (f"{PATH}1/", f"{PATH}1/rejected/", f"{PATH}1/rejected/csv/"):
        assert problem(guest.get(path)) == (404, "not_found")
        assert Caller(None).get(path).status_code == 401
    assert send(Caller(None)).status_code == 401
    assert QueuedImport.objects.count() == 1


def test_kinds_and_imports_are_listed_in_as_many_queries_whatever_their_number():
    caller = operator()
    kinds = {kind["name"]: kind for kind in caller.get(f"{PATH}kinds/").json()["results"]}
    assert kinds["agent_sessions"]["tables"]
    counts = []
    for number in (1, 20):
        for place in range(number):
            LegacyImport.objects.create(
                kind="problems", file_name=f"{place}", size=1, sha256="", actor=caller.user
            )
        with CaptureQueriesContext(connection) as queries:
            listed = caller.get(PATH, kind="problems", page_size=100).json()
        counts.append(len(queries))
    assert (listed["count"], counts) == (21, [2, 2])
