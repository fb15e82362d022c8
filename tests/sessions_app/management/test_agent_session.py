"""``manage.py agent_session``: answers, exit codes, who acts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils.dateparse import parse_datetime
from pytest_django import Settings

from sessions_app.models import ActivityEvent, Project, ProjectSwitch, Session
from tests.sessions_app.factories import ProjectFactory, SessionFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def alpha() -> Project:
    return ProjectFactory.create(name="Alpha")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    """Exit code, and the answer as JSON."""

    def typed(*words: object) -> tuple[int, dict[str, Any]]:
        code = 0
        try:
            call_command("agent_session", *map(str, words), "--json")
        except SystemExit as ended:
            code = int(ended.code or 0)
        return code, json.loads(capsys.readouterr().out)

    return typed


def test_a_session_from_start_to_end(run: Any, alpha: Project) -> None:
    beta = ProjectFactory.create(name="Beta")
    code, answer = run("start", "--project", alpha.pk, "--session-id", "s-1", "--title", "Doors")
    assert code == 0
    assert parse_datetime(answer.pop("started_at"))
    assert parse_datetime(answer.pop("last_activity_at"))
    assert answer == {
        "session_id": "s-1",
        "title": "Doors",
        "status": "active",
        "project": {"id": str(alpha.pk), "name": "Alpha"},
        "user": "system",
        "ended_at": None,
    }
    code, answer = run("switch", "s-1", beta.pk, "--reason", "wrong one")
    assert (code, answer["project"]["name"]) == (0, "Beta")
    code, answer = run("assign", "s-1", "alph")
    assert (code, answer["project"]["name"]) == (0, "Alpha")
    code, answer = run("end", "s-1", "--reason", "done")
    assert (code, answer["status"]) == (0, "completed")
    assert answer["ended_at"] is not None
    history = Session.objects.get(session_id="s-1").history.first()
    assert history.history_user.username == "system"
    assert history.history_change_reason == "end (command): done"


def test_show_tells_of_switches_and_events(run: Any, alpha: Project) -> None:
    run("start", "--project", ProjectFactory.create(name="Beta").pk, "--session-id", "s-1")
    run("switch", "s-1", alpha.pk, "--reason", "wrong one")
    ActivityEvent.objects.create(event_id="1", session_ref="s-1")
    code, answer = run("show", "s-1")
    assert (code, answer["events"]) == (0, 1)
    [switch] = answer["switches"]
    assert parse_datetime(switch.pop("started_at"))
    assert parse_datetime(switch.pop("finished_at"))
    assert switch == {
        "from": "Beta",
        "to": "Alpha",
        "state": "completed",
        "failure": "",
        "actor": "system",
        "reason": "wrong one",
    }


def test_time_out_and_recovery(run: Any) -> None:
    run("start", "--session-id", "s-1")
    Session.objects.update(last_activity_at="2025-01-01T00:00Z")
    assert run("time-out") == (0, {"timed_out": 1})
    code, answer = run("recover")
    assert (code, answer["session_id"], answer["status"]) == (0, "s-1", "active")
    assert answer["ended_at"] is None


def test_an_abandoned_session_of_somebody(run: Any) -> None:
    ann = User.objects.create_user("ann")
    assert run("start", "--user", "ann", "--session-id", "s-1")[1]["user"] == "ann"
    assert run("end", "s-1", "--abandon")[1]["status"] == "abandoned"
    assert Session.objects.get().user == ann


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["end", "ended"], "SESSION_ALREADY_ENDED"),
        (["end", "unknown"], "SESSION_NOT_FOUND"),
        (["start", "--project", "unknown"], "PROJECT_NOT_FOUND"),
        (["start", "--user", "nobody"], "user_not_found"),
        (["start", "--session-id", "ended"], "SESSION_EXISTS"),
        (["start", "--title", "x" * 300], "INVALID_VALUE"),
        (["switch", "open", "00000000-0000-0000-0000-000000000000"], "PROJECT_NOT_FOUND"),
        (["assign", "open", "project"], "PROJECT_AMBIGUOUS"),
        (["assign", "open", "old"], "PROJECT_INACTIVE"),
        (["recover"], "NOTHING_TO_RECOVER"),
    ],
)
def test_refusals_have_a_code_and_exit_1(run: Any, words: list[str], code: str) -> None:
    SessionFactory.create(kind="agent", session_id="ended", status="completed")
    SessionFactory.create(kind="agent", session_id="open", project=ProjectFactory.create())
    ProjectFactory.create()
    ProjectFactory.create(name="Old", status="archived")
    exit_code, answer = run(*words)
    assert (exit_code, answer["error"]["code"]) == (1, code)
    assert answer["error"]["message"]
    assert not ProjectSwitch.objects.exists()


def test_it_acts_as_the_named_user(run: Any, settings: Settings) -> None:
    User.objects.create_user("ann")
    settings.CARRYOVER_ACTOR = "ann"
    assert run("start", "--session-id", "s-1")[1]["user"] == "ann"
    SessionFactory.create(kind="agent", session_id="of-nobody")
    for words in (["show", "of-nobody"], ["end", "of-nobody"], ["time-out"]):
        code, answer = run(*words)
        assert (code, answer["error"]["code"]) == (1, "forbidden")


def test_the_answer_for_a_person(capsys: pytest.CaptureFixture[str], alpha: Project) -> None:
    SessionFactory.create(kind="agent", session_id="orphan")
    call_command("agent_session", "show", "orphan")
    assert capsys.readouterr().out.splitlines() == [
        "session orphan",
        "  active, of nobody",
        "  orphan",
    ]
    call_command("agent_session", "assign", "orphan", "Alpha")
    assert f"  project Alpha ({alpha.pk})" in capsys.readouterr().out.splitlines()
    call_command("agent_session", "time-out")
    assert capsys.readouterr().out == "0 sessions timed out.\n"


def test_usage() -> None:
    with pytest.raises(CommandError, match="SESSION"):
        call_command("agent_session", "end")
