"""docs/agent-sessions.md: its commands and its program run, its tables are those of the code."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.management import load_command_class

from migrations_tools.exceptions import CarryoverError
from sessions_app.management.commands.agent_session import SUBCOMMANDS
from sessions_app.models import ActivityEvent, Session, SwitchState
from sessions_app.services.agent_sessions import IDLE_AFTER, AgentSessionError, Forbidden
from sessions_app.services.agent_sessions.changes import INTERRUPTED
from tests.docs.console import blocks, document, run_all, section, table
from tests.sessions_app.factories import ProjectFactory

TEXT = document("docs/agent-sessions.md")


@pytest.mark.django_db
def test_its_commands_do_what_it_says() -> None:
    ProjectFactory.create(name="Web shop")
    research = ProjectFactory.create(name="Research")
    run_all(TEXT.replace("demo-1 PROJECT", f"demo-1 {research.pk}"))


@pytest.mark.django_db
def test_its_program_runs() -> None:
    user = User.objects.create_user("ann")
    [program] = blocks(TEXT, "python")
    exec(program, {"user": user})  # noqa: S102 - our own
    session = Session.objects.get(user=user)
    assert session.status == "completed"
    assert ActivityEvent.objects.get().project == str(session.project_id)


def test_it_names_every_command_and_option() -> None:
    rows = table(section(TEXT, "Start, move and end a session"))
    named = {row[0].strip("`"): row[2].strip("|").strip() for row in rows}
    parser = load_command_class("sessions_app", "agent_session").create_parser("manage.py", "x")
    assert parser.parse_args(["show", "s-1", "--json"]).session == "s-1"
    assert named == {
        name: ", ".join(
            f"`{arguments[0]}`"
            for arguments, _options in subcommand.arguments
            if arguments[0].startswith("--")
        )
        for name, subcommand in SUBCOMMANDS.items()
    }


def refusals(base: type[CarryoverError] = AgentSessionError) -> Iterator[str]:
    for refusal in base.__subclasses__():
        yield refusal.code
        yield from refusals(refusal)


def test_it_names_every_refusal_and_state() -> None:
    codes = [row[0].strip("`") for row in table(section(TEXT, "What is refused"))]
    assert sorted(codes) == sorted([Forbidden.code, *refusals()])
    assert f"`{INTERRUPTED}`" in TEXT
    states = table(section(TEXT, "When a switch did not go through"))
    assert [row[0].strip("`") for row in states] == SwitchState.values


def test_its_time_is_that_of_the_program() -> None:
    hours = IDLE_AFTER.total_seconds() / 3600
    assert TEXT.count(f"{hours:.0f} hours") == 2
