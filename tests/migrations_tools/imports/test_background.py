"""Imports that workers carry out: once, wholly or not at all, by whoever is there."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections

from migrations_tools import tasks
from migrations_tools.engine.advisory import advisory_lock
from migrations_tools.exceptions import ImportRefused, PermissionRefused
from migrations_tools.models import LegacyImport, QueuedImport, Transition
from migrations_tools.selectors.imports import import_status
from migrations_tools.services import governor, queued_imports, uploads
from migrations_tools.services.actors import system_user
from migrations_tools.services.queued_imports import queue_imports, work_on_import
from sessions_app.models import LegacyContestSession
from tests.migrations_tools.imports.importing import lines
from tests.migrations_tools.people import person
from tests.spoiling import spoiled

pytestmark = pytest.mark.django_db(transaction=True)

KIND = "contest_sessions"


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> Path:
    """A CARRYOVER_HOME of the test's own."""
    settings.CARRYOVER_HOME = tmp_path / "home"
    return tmp_path / "home"


def actor() -> dict[str, Any]:
    return {"acting_user": system_user(), "surface": "command"}


def contest_file(folder: Path, *more: str, name: str = "contest.jsonl", rows: int = 3) -> Path:
    documents = [{"_id": f"c{n}", "user": "bob", "score": n} for n in range(rows)]
    return lines(folder / name, *documents, *more)


def command(capsys: pytest.CaptureFixture[str], *arguments: Any) -> tuple[int, dict[str, Any]]:
    code = 0
    capsys.readouterr()
    try:
        call_command("import_legacy", *map(str, arguments), "--json")
    except SystemExit as exit_:
        code = int(exit_.code or 0)
    return code, json.loads(capsys.readouterr().out)


def stored(home: Path) -> list[Path]:
    return [path for path in (home / "uploads").rglob("*") if path.is_file()]


def test_a_worker_imports_what_was_queued_and_keeps_no_copy(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = contest_file(tmp_path, "broken")
    code, answer = command(capsys, KIND, path, "--background")
    number = answer["import"]
    assert (code, answer) == (
        0,
        {"import": number, "state": "queued", "kind": KIND, "file": "contest.jsonl"},
    )
    assert not LegacyContestSession.objects.exists()
    (copy,) = stored(home)
    assert (copy.stat().st_mode & 0o777, copy.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    path.unlink()  # the copy is what is imported
    assert command(capsys, "--status", number) == (0, answer)
    call_command("worker", "--once")
    code, answer = command(capsys, "--status", "last")
    assert (code, answer["state"], answer["imported"], answer["rejected_count"]) == (
        2,
        "done",
        3,
        1,
    )
    assert answer["rejected"][0]["code"] == "invalid_json"
    assert LegacyContestSession.objects.count() == 3
    assert not stored(home)


def test_what_shows_at_once_is_refused_at_once(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = contest_file(tmp_path)
    code, answer = command(capsys, KIND, good, tmp_path / "missing.jsonl", "--background")
    assert (code, answer["error"]["code"]) == (1, "file_not_found")
    clerk = person("clerk")
    with pytest.raises(PermissionRefused):
        queue_imports(KIND, [good], acting_user=clerk, surface="command")
    assert not QueuedImport.objects.exists()
    assert not stored(home)


def test_a_file_that_cannot_be_read_to_its_end_leaves_nothing_behind(
    tmp_path: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (queued,) = queue_imports(KIND, [contest_file(tmp_path)], **actor())
    for copy in stored(home):
        copy.unlink()
    work_on_import()
    code, answer = command(capsys, "--status", queued.pk)
    assert (code, answer["state"], answer["error"]["code"]) == (1, "refused", "file_not_found")
    assert "share" in answer["error"]["message"]
    assert not LegacyImport.objects.exists()
    assert work_on_import() is None


def test_an_unexpected_error_is_tried_again_and_given_up_in_the_end(
    tmp_path: Path, home: Path
) -> None:
    (queued,) = queue_imports(KIND, [contest_file(tmp_path)], **actor())
    states = []
    told = "BEFORE INSERT ON migrations_tools_transition FOR EACH ROW WHEN (NEW.action = 'import')"
    with spoiled(told, "RAISE EXCEPTION 'a mistake after the import'"):
        while work_on_import() is not None:
            queued.refresh_from_db()
            states.append((queued.state, queued.attempts))
    assert states == [("queued", 1), ("queued", 2), ("refused", 3)]
    assert (queued.code, queued.legacy_import) == ("import_failed", None)
    assert not LegacyContestSession.objects.exists()
    assert not stored(home)


def test_a_killed_workers_import_is_taken_up_again_and_nothing_is_doubled(
    tmp_path: Path, home: Path, process_environment: dict[str, str]
) -> None:
    (queued,) = queue_imports(KIND, [contest_file(tmp_path)], **actor())
    killed = subprocess.run(
        [sys.executable, "-m", "django", "worker", "--once"],
        env=process_environment
        | {"CARRYOVER_FAILPOINT": "imported:kill", "CARRYOVER_HOME": str(home)},
        timeout=60,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not LegacyContestSession.objects.exists()
    queued.refresh_from_db()
    assert (queued.state, queued.attempts) == ("queued", 1)
    assert work_on_import() is not None
    queued.refresh_from_db()
    assert queued.state == "done"
    assert LegacyContestSession.objects.count() == 3
    assert LegacyImport.objects.count() == 1


def test_a_file_that_no_worker_survives_is_given_up(tmp_path: Path, home: Path) -> None:
    (queued,) = queue_imports(KIND, [contest_file(tmp_path)], **actor())
    QueuedImport.objects.update(attempts=3)  # three workers began, and were killed
    work_on_import()
    queued.refresh_from_db()
    assert (queued.state, queued.code) == ("refused", "import_failed")
    assert "memory" in queued.error
    assert not LegacyContestSession.objects.exists()
    assert not stored(home)


def test_who_may_no_longer_import_is_refused_on_record(tmp_path: Path, home: Path) -> None:
    clerk = person("clerk", "import")
    (queued,) = queue_imports(KIND, [contest_file(tmp_path)], acting_user=clerk, surface="command")
    clerk.user_permissions.clear()
    work_on_import()
    queued.refresh_from_db()
    assert (queued.state, queued.code) == ("refused", "permission_denied")
    assert Transition.objects.filter(action="refused", actor=clerk).count() == 1
    assert not stored(home)


def test_others_see_how_far_an_import_is_before_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queued_imports, "_TOLD_EVERY", 0.0)
    (queued,) = queue_imports(KIND, [contest_file(tmp_path, rows=5_001)], **actor())
    queued.refresh_from_db()
    assert import_status(queued).waiting
    shown = []
    told = "BEFORE INSERT ON migrations_tools_transition FOR EACH ROW WHEN (NEW.action = 'import')"
    with spoiled(told, "RAISE EXCEPTION 'a mistake after the import'"):
        work_on_import()
        shown.append(import_status(queued))
    assert (shown[0].waiting, shown[0].table, shown[0].rows) == (False, KIND, 5_001)
    assert shown[0].share == 1.0
    work_on_import()
    assert LegacyContestSession.objects.count() == 5_001


def test_two_confirmations_at_once_queue_one_import(tmp_path: Path) -> None:
    keeper = person("keeper", "import")
    path = contest_file(tmp_path)
    sent = uploads.receive_upload(
        KIND, [path.read_bytes()], file_name=path.name, acting_user=keeper, surface="admin"
    )
    told: list[str] = []

    def confirm() -> None:
        try:
            uploads.commit_upload(
                QueuedImport.objects.get(pk=sent.pk), acting_user=keeper, surface="admin"
            )
            told.append("queued")
        except uploads.UploadClosed as refusal:
            told.append(refusal.code)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=confirm) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert sorted(told) == ["queued", *["upload_closed"] * 3]
    assert Transition.objects.filter(action="queue_import").count() == 1


def test_two_workers_never_take_the_same_import(tmp_path: Path) -> None:
    (queued,) = queue_imports(KIND, [contest_file(tmp_path)], **actor())
    found: list[QueuedImport | None] = []

    def work() -> None:
        found.append(work_on_import())
        connections.close_all()

    with advisory_lock(f"carryover import {queued.pk}"):  # as a worker holds it
        other = threading.Thread(target=work)
        other.start()
        other.join(timeout=30)
    assert found == [None]
    tasks.work_on_import()
    tasks.work_on_import()  # a message delivered twice
    assert LegacyImport.objects.count() == 1


def test_a_global_stop_holds_imports_up_too(tmp_path: Path) -> None:
    queue_imports(KIND, [contest_file(tmp_path)], **actor())
    governor.stop_all_runs(reason="month-end closing", **actor())
    assert work_on_import() is None
    governor.let_runs_go(**actor())
    assert work_on_import() is not None


def test_several_files_are_imported_in_their_order_and_it_is_on_record(tmp_path: Path) -> None:
    files = [contest_file(tmp_path, name=f"{name}.jsonl", rows=2) for name in "ba"]
    queued = queue_imports(KIND, files, **actor())
    call_command("worker", "--once")
    done = LegacyImport.objects.order_by("id")
    assert [item.file_name for item in done] == ["b.jsonl", "a.jsonl"]
    assert [(item.imported, item.unchanged) for item in done] == [(2, 0), (0, 2)]
    told = Transition.objects.filter(action__in=["queue_import", "import"]).order_by("id")
    assert [item.action for item in told] == ["queue_import"] * 2 + ["import"] * 2
    assert told[0].details["queued_import"] == queued[0].pk


def test_an_unknown_number_and_nothing_to_import_are_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ImportRefused):
        queued_imports.get_queued_import("4711")
    for reference in ("last", "4711", "x", "9" * 40):
        assert command(capsys, "--status", reference)[1]["error"]["code"] == "unknown_import"
    for arguments in (["--status", "1", KIND], [KIND], ["--background"]):
        with pytest.raises(CommandError, match="KIND"):
            call_command("import_legacy", *arguments)
