"""docs/enrich-contest-sessions.md tells what is so."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest
from django.conf import settings as project
from django.contrib.auth.models import User
from django.core.management import call_command
from pytest_django import Settings

from migrations_tools.definitions import SQLCheck
from migrations_tools.demo import all_scenarios
from sessions_app.contests.notes import SENTENCES
from sessions_app.contests.reading import FIELDS
from sessions_app.data_migrations.contest_checks import CHECKS
from sessions_app.models import ContestResult
from sessions_app.selectors.contest_document import contest_document

TEXT = (Path(project.BASE_DIR) / "docs" / "enrich-contest-sessions.md").read_text()


@pytest.mark.django_db(transaction=True)
def test_its_commands_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for kind, name, rows in (
        ("problems", "problems.jsonl", 100),
        ("contest_users", "users.jsonl", 5),
        ("contest_sessions", "sessions.jsonl", 40),
    ):
        call_command("generate_legacy", kind, rows=rows, seed=1, defects=0.0, out=Path(name))
    commands = re.findall(r"^    python manage\.py (.+)$", TEXT, re.MULTILINE)
    assert len(commands) == 10
    *forward, back, export, export_one, export_object = commands
    for command in [*forward, export]:
        call_command(*shlex.split(command))
    assert ContestResult.objects.count() == 40
    exported = [json.loads(line) for line in Path("sessions-out.jsonl").read_text().splitlines()]
    assert {tuple(document) for document in exported} == {FIELDS}
    capsys.readouterr()
    call_command(*shlex.split(export_one))
    of_sam = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    results = ContestResult.objects.filter(username="sam").order_by("session__created_at")
    assert of_sam == [contest_document(result.session) for result in results]
    call_command(*shlex.split(export_object))
    assert json.loads(capsys.readouterr().out) == {"sessions": len(of_sam), "documents": of_sam}
    [scenario] = [each for each in all_scenarios() if each.migration == "enrich_contest_sessions"]
    assert scenario.edit(results[0].history.first().history_user) == 3
    with pytest.raises(SystemExit) as left:  # those that were edited stay
        call_command(*shlex.split(back))
    assert left.value.code == 2
    assert ContestResult.objects.count() == 3


@pytest.mark.django_db
def test_an_export_of_a_session_that_is_not_there_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        call_command("export_contest_sessions", session="nobody's", out=tmp_path / "out")
    assert left.value.code == 1
    assert "unknown_session" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    with pytest.raises(SystemExit):
        call_command("export_contest_sessions", session="nobody's", json=True)
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "unknown_session"


@pytest.mark.django_db
def test_who_may_not_see_contest_sessions_exports_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], settings: Settings
) -> None:
    settings.CARRYOVER_ACTOR = User.objects.create_user("omar").username
    with pytest.raises(SystemExit):
        call_command("export_contest_sessions", json=True, out=tmp_path / "out")
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "permission_denied"
    assert not (tmp_path / "out").exists()


def test_it_explains_every_warning_and_every_code() -> None:
    codes = {
        *SENTENCES,
        "invalid_document",
        "invalid_is_correct",
        "session_id_taken",
        "duplicate_session",
        "changed_after_migration",
    }
    assert {code for code in codes if f"`{code}`" not in TEXT} == set()


def test_it_explains_every_check() -> None:
    for check in CHECKS:
        for code in [check.code] if isinstance(check, SQLCheck) else check.titles:
            assert f"`{code}`" in TEXT
