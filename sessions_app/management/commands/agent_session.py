"""``manage.py agent_session``: what an operator does with agent sessions from a shell."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import User
from django.core.management.base import CommandParser

from migrations_tools.exceptions import CarryoverError
from migrations_tools.management.base import CarryoverCommand, ExitCode
from migrations_tools.services.actors import acting_user_from_environment
from migrations_tools.states import Surface
from migrations_tools.text import storable
from sessions_app.models import ActivityEvent, Project, ProjectSwitch, Session, SessionStatus
from sessions_app.services import agent_sessions

Answer = dict[str, Any]


class Command(CarryoverCommand):
    help = "Start, end, switch, assign, recover and time out agent sessions."

    def add_arguments(self, parser: CommandParser) -> None:
        subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
        for name, subcommand in SUBCOMMANDS.items():
            own = subparsers.add_parser(name, help=subcommand.help)
            for arguments, options in subcommand.arguments:
                own.add_argument(*arguments, **options)
            self.add_json_argument(own)

    def execute_action(self, **options: Any) -> tuple[Answer, int]:
        actor = {"acting_user": acting_user_from_environment(), "surface": Surface.COMMAND}
        return SUBCOMMANDS[options["subcommand"]].action(actor, options), ExitCode.DONE

    def describe(self, answer: Answer, **options: Any) -> None:
        if options["subcommand"] == "time-out":
            self.stdout.write(f"{answer['timed_out']:,} sessions timed out.")
            return
        project = answer["project"]
        self.stdout.write(f"session {answer['session_id']}")
        self.stdout.write(f"  {answer['status']}, of {answer['user'] or 'nobody'}")
        self.stdout.write(
            f"  project {project['name']} ({project['id']})" if project else "  orphan"
        )
        for name in ("started_at", "last_activity_at", "ended_at"):
            if answer[name]:
                self.stdout.write(f"  {name.replace('_', ' ').removesuffix(' at')} {answer[name]}")
        for switch in answer.get("switches", ()):
            failure = f" {switch['failure']}" if switch["failure"] else ""
            self.stdout.write(
                f"  switch {switch['from'] or 'no project'} → {switch['to']}: "
                f"{switch['state']}{failure}, by {switch['actor']}, {switch['started_at']}"
            )


def _start(actor: dict[str, Any], options: dict[str, Any]) -> Answer:
    session = agent_sessions.start_session(
        user=_user(options["user"]),
        project=options["project"],
        session_id=options["session_id"],
        title=options["title"],
        description=options["description"],
        **actor,
    )
    return _as_json(session)


def _end(actor: dict[str, Any], options: dict[str, Any]) -> Answer:
    session = agent_sessions.end_session(
        agent_sessions.find_session(options["session"]),
        to_status=SessionStatus.ABANDONED if options["abandon"] else SessionStatus.COMPLETED,
        reason=options["reason"],
        **actor,
    )
    return _as_json(session)


def _switch(actor: dict[str, Any], options: dict[str, Any]) -> Answer:
    session = agent_sessions.switch_project(
        agent_sessions.find_session(options["session"]),
        project=options["project"],
        reason=options["reason"],
        **actor,
    )
    return _as_json(session)


def _assign(actor: dict[str, Any], options: dict[str, Any]) -> Answer:
    session = agent_sessions.assign_by_name(
        agent_sessions.find_session(options["session"]),
        name=options["name"],
        reason=options["reason"],
        **actor,
    )
    return _as_json(session)


def _recover(actor: dict[str, Any], options: dict[str, Any]) -> Answer:
    return _as_json(agent_sessions.recover_session(**actor))


def _time_out(actor: dict[str, Any], options: dict[str, Any]) -> Answer:
    return {"timed_out": agent_sessions.time_out_sessions(**actor)}


def _show(actor: dict[str, Any], options: dict[str, Any]) -> Answer:
    session = agent_sessions.find_session(options["session"])
    agent_sessions.require_work_on(session, action="look at", **actor)
    switches = session.project_switches.select_related("from_project", "to_project", "actor")
    return _as_json(session) | {
        "events": ActivityEvent.objects.filter(session_ref=session.session_id).count(),
        "switches": [_switch_as_json(switch) for switch in switches],
    }


def _user(username: str | None) -> User | None:
    if username is None:
        return None
    known = storable(username)
    user = User.objects.filter(username=username).first() if known else None
    if user is None:
        raise CarryoverError(f"There is no user “{username}”.", code="user_not_found")
    return user


def _as_json(session: Session) -> Answer:
    return {
        "session_id": session.session_id,
        "title": session.title,
        "status": session.status,
        "project": _project_as_json(session.project),
        "user": session.user.get_username() if session.user else None,
        "started_at": _instant(session.started_at),
        "last_activity_at": _instant(session.last_activity_at),
        "ended_at": _instant(session.ended_at),
    }


def _project_as_json(project: Project | None) -> dict[str, str] | None:
    return None if project is None else {"id": str(project.pk), "name": project.name}


def _switch_as_json(switch: ProjectSwitch) -> Answer:
    return {
        "from": switch.from_project.name if switch.from_project else None,
        "to": switch.to_project.name,
        "state": switch.state,
        "failure": switch.failure,
        "actor": switch.actor.get_username(),
        "reason": switch.reason,
        "started_at": _instant(switch.started_at),
        "finished_at": _instant(switch.finished_at),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat(timespec="seconds")


class Subcommand(NamedTuple):
    help: str
    action: Callable[[dict[str, Any], dict[str, Any]], Answer]
    arguments: list[tuple[tuple[str, ...], dict[str, Any]]]


_SESSION: Final = (("session",), {"metavar": "SESSION", "help": "The session's public id."})
_REASON: Final = (("--reason",), {"default": "", "help": "Why; kept in the history."})

SUBCOMMANDS: Final[dict[str, Subcommand]] = {
    "start": Subcommand(
        "Start a session in its resolved project.",
        _start,
        [
            (("--user",), {"help": "Whose session; otherwise that of who acts."}),
            (("--project",), {"help": "The project's id; otherwise it is resolved."}),
            (("--session-id",), {"help": "The public id; otherwise a new UUID."}),
            (("--title",), {"default": "", "help": "What the session is about."}),
            (("--description",), {"default": "", "help": "The same at length."}),
        ],
    ),
    "end": Subcommand(
        "End a session.",
        _end,
        [
            _SESSION,
            (
                ("--abandon",),
                {"action": "store_true", "help": "It was left; otherwise it is completed."},
            ),
            _REASON,
        ],
    ),
    "switch": Subcommand(
        "Move a session that has not ended to another project.",
        _switch,
        [_SESSION, (("project",), {"metavar": "PROJECT", "help": "The project's id."}), _REASON],
    ),
    "assign": Subcommand(
        "The same by the project's name or a part of it; also for ended orphans.",
        _assign,
        [
            _SESSION,
            (("name",), {"metavar": "NAME", "help": "Name, or a part that only one has."}),
            _REASON,
        ],
    ),
    "recover": Subcommand("Go on with the newest session of who acts.", _recover, []),
    "time-out": Subcommand("Make sessions without activity for two hours inactive.", _time_out, []),
    "show": Subcommand("A session, its project and its switches.", _show, [_SESSION]),
}
