"""The base of all commands: exit codes, JSON answers and refusals in one place (SPEC §3)."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from enum import IntEnum
from typing import Any, NoReturn

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, OperationalError

from migrations_tools.exceptions import CarryoverError
from migrations_tools.services.actors import acting_user_from_environment, require_permission
from migrations_tools.states import Surface


class ExitCode(IntEnum):
    DONE = 0  # done, or nothing to do
    REFUSED = 1  # refused, usage, fatal, needs attention, paused, cancelled or interrupted
    PROBLEMS = 2  # finished with quarantined or conflicting rows, or with rejected lines
    NOT_VERIFIED = 3  # a verification failed


class _Parser(CommandParser):
    """Usage errors end with 1 and, with ``--json``, as an object on standard output."""

    def error(self, message: str) -> NoReturn:
        if "--json" in sys.argv:
            refusal = {"error": {"code": "usage", "message": message}}
            sys.stdout.write(json.dumps(refusal, ensure_ascii=False) + "\n")
        else:
            self.print_usage(sys.stderr)
            sys.stderr.write(f"{self.prog}: {message}\n")
        if self.called_from_command_line:
            raise SystemExit(ExitCode.REFUSED)
        raise CommandError(message)


class CarryoverCommand(BaseCommand):
    """``execute_action`` does the work and returns what ``--json`` prints, and the exit code.

    Without ``--json``, ``describe`` writes the answer for a person.
    """

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs.setdefault(
            "called_from_command_line", getattr(self, "_called_from_command_line", False)
        )
        parser = _Parser(prog=f"{prog_name.split('/')[-1]} {subcommand}", description=self.help)
        parser.called_from_command_line = kwargs["called_from_command_line"]
        self.add_base_argument(parser, "--settings", help="The Python path to a settings module.")
        self.add_base_argument(parser, "--pythonpath", help="A directory to add to the path.")
        self.add_base_argument(
            parser, "--traceback", action="store_true", help="Show the trace of an error."
        )
        self.add_base_argument(
            parser, "-v", "--verbosity", default=1, type=int, choices=[0, 1, 2, 3],
            help="How much to tell.",
        )  # fmt: skip
        self.add_base_argument(parser, "--no-color", action="store_true", help="No colours.")
        self.add_base_argument(parser, "--force-color", action="store_true", help="Colours.")
        self.add_base_argument(
            parser, "--skip-checks", action="store_true", help="Skip system checks."
        )
        self.add_arguments(parser)
        return parser

    def add_json_argument(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="Print one JSON object.")

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        """Do it; the answer as a JSON object, and the exit code."""
        raise TypeError(f"{type(self).__name__} does nothing")

    def require_permission(self, permission: str, deed: str) -> None:
        """Refuse, on record, what the account that the command acts as may not do or see."""
        require_permission(
            acting_user_from_environment(), permission, deed=deed, surface=Surface.COMMAND
        )

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        """Write the answer for a person."""
        self.stdout.write(json.dumps(answer, ensure_ascii=False, indent=2, default=str))

    def handle(self, *args: Any, **options: Any) -> None:
        as_json = bool(options.get("json"))
        try:
            answer, code = self.execute_action(**options)
        except CarryoverError as error:
            self._refuse({"code": error.code, "message": error.message}, as_json)
        except KeyboardInterrupt:
            self._refuse({"code": "interrupted", "message": "Interrupted."}, as_json)
        except OperationalError as error:
            message = f"The database cannot be used: {_first_line(error)}"
            self._refuse({"code": "database_unavailable", "message": message}, as_json)
        except DatabaseError as error:
            if options.get("traceback"):
                raise
            message = f"The database refused: {_first_line(error)} Has “migrate” been run?"
            self._refuse({"code": "database_error", "message": message}, as_json)
        else:
            if as_json:
                self.stdout.write(json.dumps(answer, ensure_ascii=False, default=str))
            else:
                self.describe(answer, **options)
            if code:
                raise SystemExit(code)

    def _refuse(self, error: dict[str, Any], as_json: bool) -> NoReturn:
        if as_json:
            self.stdout.write(json.dumps({"error": error}, ensure_ascii=False, default=str))
        else:
            self.stderr.write(f"{error['message']} [{error['code']}]")
        raise SystemExit(ExitCode.REFUSED)


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
