"""A file on its whole way: imported, planned, run, decided, verified, and taken back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.urls import reverse
from playwright.sync_api import expect

from migrations_tools.models import Run
from migrations_tools.services.requests import work_on_request
from migrations_tools.states import RunKind, RunState
from sessions_app.models import Project, Session
from tests.browser.test_runs import address, press, state_is
from tests.sessions_app.data_migrations.orphans import add_events, projects

pytestmark = pytest.mark.django_db(transaction=True)

SESSIONS = 150


@pytest.fixture(autouse=True)
def home(settings: Any, tmp_path: Path) -> None:
    settings.CARRYOVER_HOME = tmp_path / "home"


@pytest.fixture
def process_environment(process_environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    return process_environment | {"CARRYOVER_HOME": str(tmp_path / "home")}


@pytest.fixture
def operator() -> User:
    user = User.objects.create_user("amal", is_staff=True)
    user.groups.add(Group.objects.get(name="Operator"))
    return user


def exported(folder: Path) -> Path:
    """Sessions without a project, as the old system exported them, and a line that broke."""
    lines = [json.dumps({"id": f"a-{number:03}", "title": "Fix"}) for number in range(SESSIONS)]
    path = folder / "agent_sessions.jsonl"
    path.write_text("\n".join([*lines, '{"id": "bro']) + "\n")
    return path


def happened() -> Project:
    """Events name a project for each session, and for one of them two."""
    first, second = projects(2)
    for number in range(SESSIONS):
        add_events(f"a-{number:03}", (first, 2))
    add_events("a-000", (second, 1), ("gone", 1))
    return first


def test_from_the_file_to_the_rollback(
    browse: Any, worker: Any, operator: User, tmp_path: Path
) -> None:
    project = happened()
    page = browse(operator, path=reverse("admin:import_kinds"))
    page.locator("#content").get_by_role("link", name="Agent sessions").click()
    page.get_by_label("File").set_input_files(exported(tmp_path))
    page.get_by_role("button", name="Upload and look at it").click()
    expect(page.get_by_text("One line cannot be read")).to_be_visible()
    page.get_by_role("button", name=f"Import {SESSIONS} rows").click()
    call_command("worker", "--once")
    expect(page.get_by_role("heading", name="Imported")).to_be_visible(timeout=30_000)

    page.goto(address("run_definition", "assign_orphan_sessions"))
    press(page, "Plan")
    press(page, "Plan")
    work_on_request()
    state_is(page, "completed")
    press(page, "Run it")
    press(page, "Run it")
    state_is(page, "planned")
    work_on_request()
    run = Run.objects.get(kind=RunKind.APPLY)
    page.reload()
    page.get_by_label("Rows of a batch").fill("1")
    press(page, "Change")
    with worker():
        state_is(page, "running")
        press(page, "Pause")
        page.get_by_label("Reason").fill("lunch")
        press(page, "Pause")
        state_is(page, "paused")
        page.get_by_label("Rows of a batch").fill("100")
        press(page, "Change")
        press(page, "Resume")
        press(page, "Resume")
        state_is(page, "completed")
    expect(page.get_by_text(f"{SESSIONS} of {SESSIONS}")).to_be_visible()
    assert Session.objects.filter(project=project).count() == SESSIONS - 1

    page.goto(address("reviewitem_changelist"))
    page.locator("#result_list tbody a").first.click()
    press(page, "Accept")
    press(page, "Accept")
    call_command("worker", "--once")
    state_is(page, "completed")
    assert Session.objects.filter(project=project).count() == SESSIONS

    page.goto(address("run_change", run.pk))
    press(page, "Verify")
    press(page, "Verify")
    call_command("worker", "--once")
    card = page.locator(".card", has=page.get_by_role("heading", name="Verification"))
    expect(card.get_by_text("passed")).to_be_visible(timeout=30_000)

    edited = Session.objects.get(session_id="a-007")
    edited.project = Project.objects.exclude(pk=project.pk).latest("pk")
    edited.save()
    press(page, "Roll back")
    page.get_by_label("Reason").fill("the wrong export")
    press(page, "Roll back")
    call_command("worker", "--once")
    state_is(page, "completed")
    page.get_by_label("Parts of the run").get_by_role("link", name="Problems").click()
    expect(page.get_by_role("row", name="a-007")).to_contain_text("conflict")
    page.goto(address("run_change", run.pk))
    state_is(page, "partially rolled back")
    assert Run.objects.get(pk=run.pk).state == RunState.PARTIALLY_ROLLED_BACK
    assert Session.objects.filter(project=None).count() == SESSIONS - 2
