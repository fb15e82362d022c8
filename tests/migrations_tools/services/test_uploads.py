"""Uploads: received, looked at, confirmed once, and nobody else's business."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from migrations_tools.exceptions import ImportRefused, PermissionRefused
from migrations_tools.models import LegacyImport, QueuedImport, RejectedLine, Transition
from migrations_tools.services.queued_imports import drop_expired_uploads, work_on_import
from migrations_tools.services.uploads import (
    UnknownUpload,
    UploadClosed,
    commit_upload,
    drop_upload,
    get_upload,
    preview_upload,
    receive_upload,
)
from sessions_app.models import LegacyContestSession, Session
from tests.migrations_tools.imports.importing import database
from tests.migrations_tools.people import person

pytestmark = pytest.mark.django_db

KIND = "contest_sessions"
GOOD = b'{"_id": "a", "user": "bob", "score": 1}\n{"_id": "b", "user": "eve", "score": 2}\n'


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    """A CARRYOVER_HOME of the test's own."""
    settings.CARRYOVER_HOME = tmp_path / "home"
    return tmp_path / "home"


@pytest.fixture
def keeper() -> User:
    return person("keeper", "import")


def who(user: User) -> dict[str, Any]:
    return {"acting_user": user, "surface": "api"}


def upload(user: User, content: bytes = GOOD, name: str = "contest.jsonl", **more: Any) -> Any:
    chunks = (content[start : start + 7] for start in range(0, len(content), 7))
    return receive_upload(more.pop("kind", KIND), chunks, file_name=name, **who(user), **more)


def stored(home: Path) -> list[Path]:
    return [path for path in (home / "uploads").rglob("*") if path.is_file()]


def test_a_preview_tells_what_becomes_of_each_row_and_writes_nothing(keeper: User) -> None:
    first = commit_upload(upload(keeper), **who(keeper))
    work_on_import()
    first.refresh_from_db()
    assert first.state == "done"
    content = (
        b'{"_id": "a", "user": "bob", "score": 1}\n'
        b'{"_id": "b", "user": "eve", "score": 7}\n'
        b"not JSON\n"
        b'{"_id": "c", "score": 0}\n'
        b'{"_id": "c", "score": 3}\n'
    )
    before = list(LegacyContestSession.objects.order_by("key").values())
    found = preview_upload(upload(keeper, content), **who(keeper)).as_json()
    assert {name: found[name] for name in ("read", "imported", "updated", "unchanged")} == {
        "read": 5,
        "imported": 1,
        "updated": 1,
        "unchanged": 2,
    }
    assert (found["format"], found["encoding"], found["complete"]) == ("JSON lines", "utf-8", True)
    assert [(row["line"], row["status"]) for row in found["rows"]] == [
        (1, "unchanged"),
        (2, "updated"),
        (4, "superseded"),
        (5, "new"),
    ]
    assert found["rows"][1]["changes"] == [{"field": "score", "before": 2, "after": 7}]
    (rejected,) = found["rejected"]
    assert (rejected["line"], rejected["code"], found["rejected_count"]) == (3, "invalid_json", 1)
    assert list(LegacyContestSession.objects.order_by("key").values()) == before
    assert LegacyImport.objects.count() == 1
    assert not RejectedLine.objects.exists()


def test_a_preview_of_a_large_file_looks_at_its_first_rows_only(
    keeper: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("migrations_tools.imports.service.LOOKED_AT", 1)
    found = preview_upload(upload(keeper), **who(keeper))
    assert (found.is_complete, found.legacy_import.read) == (False, 1)


def test_a_confirmed_upload_is_imported_once_and_the_second_is_told(
    keeper: User, home: Path
) -> None:
    sent = upload(keeper)
    (copy,) = stored(home)
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    commit_upload(sent, **who(keeper))
    for _ in range(2):
        with pytest.raises(UploadClosed, match="confirmed before and is being imported") as told:
            commit_upload(sent, **who(keeper))
        assert told.value.fields["state"] == "queued" or told.value.fields["upload"] == sent.pk
    work_on_import()
    sent.refresh_from_db()
    assert (sent.state, sent.legacy_import.imported, sent.progress.rows) == ("done", 2, 0)
    with pytest.raises(UploadClosed, match="is imported"):
        commit_upload(sent, **who(keeper))
    with pytest.raises(UploadClosed):
        drop_upload(sent, **who(keeper))
    assert LegacyImport.objects.count() == 1
    actions = Transition.objects.exclude(action="refused").order_by("id")
    assert [told.action for told in actions] == ["upload_import", "queue_import", "import"]


def test_uploads_of_others_are_unknown_and_need_the_permission(keeper: User) -> None:
    sent = upload(keeper)
    other = person("other", "import")
    for stranger, number in ((other, sent.pk), (keeper, sent.pk + 1)):
        with pytest.raises(UnknownUpload):
            get_upload(number, acting_user=stranger)
    assert get_upload(sent.pk, acting_user=keeper) == sent
    clerk = person("clerk")
    with pytest.raises(PermissionRefused):
        upload(clerk)
    keeper.user_permissions.clear()
    with pytest.raises(PermissionRefused):
        commit_upload(sent, **who(User.objects.get(pk=keeper.pk)))
    assert QueuedImport.objects.get().state == "uploaded"


def test_uploads_that_nobody_confirms_are_deleted(keeper: User, home: Path) -> None:
    sent, kept = upload(keeper), upload(keeper)
    QueuedImport.objects.filter(pk=sent.pk).update(created_at=timezone.now() - timedelta(days=2))
    sent.refresh_from_db()
    with pytest.raises(UploadClosed, match="24 hours"):
        preview_upload(sent, **who(keeper))
    with pytest.raises(UploadClosed, match="24 hours"):
        commit_upload(sent, **who(keeper))
    assert drop_expired_uploads() == 1
    assert [path.parent.name for path in stored(home)] == [kept.stored]
    sent.refresh_from_db()
    with pytest.raises(UploadClosed, match="Upload it again"):
        commit_upload(sent, **who(keeper))
    assert not LegacyImport.objects.exists()


def test_a_dropped_upload_leaves_no_file(
    keeper: User, home: Path, django_capture_on_commit_callbacks: Any
) -> None:
    sent = upload(keeper)
    with django_capture_on_commit_callbacks(execute=True):
        drop_upload(sent, **who(keeper))
    assert not stored(home)
    sent.refresh_from_db()
    with pytest.raises(UploadClosed, match="dropped"):
        preview_upload(sent, **who(keeper))


PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        (b"", "contest.csv", "empty_file"),
        (PNG, "contest_sessions.csv", "not_readable"),
        (b"PK\x03\x04" + bytes(100), "contest_sessions.csv", "not_readable"),
        (b"\x1f\x8b" + bytes(100), "contest_sessions.jsonl", "not_readable"),
        (b" \n \n", "contest.csv", "empty_file"),
        (b"SQLite format 3\x00" + bytes(20), "contest.db", "not_a_database"),
        (b"apples,pears\n1,2\n", "contest.csv", "no_known_column"),
    ],
)
def test_what_is_no_such_file_is_refused_by_name_and_not_kept(
    keeper: User, home: Path, content: bytes, name: str, code: str
) -> None:
    with pytest.raises(ImportRefused) as refused:
        upload(keeper, content, name)
    assert refused.value.code == code
    assert name in refused.value.message
    assert str(home) not in refused.value.message
    assert not stored(home)
    assert not QueuedImport.objects.exists()


def test_names_of_files_are_cleaned_and_sizes_limited(
    keeper: User, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {
        "../../etc/passwd.jsonl": "passwd.jsonl",
        "C:\\data\\x\x00y\u202e.jsonl": "xy.jsonl",
        "...": "upload",
        "ب" * 300 + ".jsonl": "ب" * 100 + ".jsonl",
    }
    for given, kept in names.items():
        assert upload(keeper, name=given).file_name == kept
    monkeypatch.setattr("migrations_tools.imports.upload_kinds.LEGACY_BYTES", 10)
    with pytest.raises(ImportRefused, match="more than 10 bytes"):
        upload(keeper)
    assert len(stored(home)) == len(names)


def test_text_in_utf_16_and_truncated_arrays_are_told(keeper: User) -> None:
    sixteen = "_id,user\nx,بدر\n".encode("utf-16")
    found = preview_upload(upload(keeper, sixteen, "contest_sessions.csv"), **who(keeper))
    assert (found.format, found.encoding) == ("CSV", "utf-16")
    assert found.sample.rows[0].values["user"] == "بدر"
    cut = preview_upload(upload(keeper, b'[{"_id": "a"}, {"_id": "b"'), **who(keeper)).as_json()
    assert (cut["imported"], cut["rejected"][0]["code"]) == (1, "truncated")


def test_tables_of_a_database_are_previewed_row_by_row(keeper: User, tmp_path: Path) -> None:
    columns = "id INTEGER PRIMARY KEY, guarantee_number TEXT, amount TEXT"
    rows = [(1, "A", "5"), (2, "B", "6")]
    suppliers = ("id INTEGER PRIMARY KEY, official_name TEXT", [(1, "Al Noor"), (2, "")])

    def found(*records: tuple[Any, ...]) -> Any:
        tables: Any = {"imported_records": (columns, records), "suppliers": suppliers}
        content = database(tmp_path / "old.sqlite", tables).read_bytes()
        return upload(keeper, content, "old.sqlite", kind="guarantees")

    commit_upload(found(*rows), **who(keeper))
    work_on_import()
    told = preview_upload(found((1, "A", "5"), (2, "B", "7"), (3, "C", "8")), **who(keeper))
    shown = [(row.table, row.line, row.status) for row in told.sample.rows]
    assert shown == [
        ("suppliers", 1, "unchanged"),
        ("suppliers", 2, "rejected"),
        ("imported_records", 1, "unchanged"),
        ("imported_records", 2, "updated"),
        ("imported_records", 3, "new"),
    ]
    (change,) = told.sample.rows[3].changes
    assert (change.name, change.before, change.after) == ("amount", "6", "7")
    assert (told.format, told.encoding) == ("SQLite", "")


def test_what_a_person_changed_here_is_previewed_as_unchanged(keeper: User) -> None:
    content = b'{"session_id": "s-1", "title": "%s"}'
    commit_upload(upload(keeper, content % b"Old", kind="agent_sessions"), **who(keeper))
    work_on_import()

    def status(title: bytes) -> Any:
        sent = upload(keeper, content % title, kind="agent_sessions")
        (row,) = preview_upload(sent, **who(keeper)).sample.rows
        return row.status, [(change.name, change.after) for change in row.changes]

    assert status(b"New") == ("updated", [("title", "New")])
    session = Session.objects.get(session_id="s-1")
    session.title = "Mine"
    session.save()
    assert status(b"New") == ("unchanged", [])


def test_dictionaries_people_and_problems_are_previewed_too(keeper: User) -> None:
    suppliers = b"id,official_name\n4000000000,Al Noor\n,Gulf\nx,\n"
    found = preview_upload(
        upload(keeper, suppliers, "suppliers.csv", kind="guarantees"), **who(keeper)
    ).as_json()
    assert [(row["line"], row["status"]) for row in found["rows"]] == [
        (2, "new"),
        (3, "new"),
        (4, "rejected"),
    ]
    assert (found["imported"], found["rejected"][0]["code"]) == (2, "name_missing")
    from guarantees.models import Supplier

    made = Supplier.objects.create(name="Next", normalized_name="next")
    assert made.pk < 4_000_000_000  # a preview leaves the sequence of keys alone
    people = b'{"id": "7", "username": "amal"}\n'
    found = preview_upload(upload(keeper, people, kind="contest_users"), **who(keeper)).as_json()
    assert [row["status"] for row in found["rows"]] == ["new"]
    assert not User.objects.filter(username="amal").exists()
