"""``manage.py datamigrate``: plan, run, verify and undo data migrations from a shell (SPEC §3)."""

from __future__ import annotations

from argparse import SUPPRESS
from typing import Any

from django.core.management.base import CommandParser

from migrations_tools.management.base import CarryoverCommand
from migrations_tools.management.datamigrate.base import Subcommand
from migrations_tools.management.datamigrate.creating import New
from migrations_tools.management.datamigrate.cutting_over import Cutover, Waive
from migrations_tools.management.datamigrate.governing import Approve, Go, Rehearse, Stop, Tune
from migrations_tools.management.datamigrate.keeping import Backup, Erase, Purge, Report, Restore
from migrations_tools.management.datamigrate.proving import Rollback, Verify
from migrations_tools.management.datamigrate.reviewing import Review
from migrations_tools.management.datamigrate.running import (
    Cancel,
    Pause,
    Plan,
    Resume,
    Retry,
    RunCommand,
    Work,
)
from migrations_tools.management.datamigrate.showing import Health, List, Status

SUBCOMMANDS: list[type[Subcommand]] = [
    List,
    Plan,
    RunCommand,
    Status,
    Pause,
    Resume,
    Cancel,
    Tune,
    Retry,
    Verify,
    Rollback,
    Review,
    Waive,
    Cutover,
    Backup,
    Restore,
    Report,
    Purge,
    Erase,
    Health,
    Rehearse,
    Approve,
    Stop,
    Go,
    New,
    Work,
]


class Command(CarryoverCommand):
    help = "Plan, run, verify and undo data migrations. RUN is a run's id, or “last”."

    def add_arguments(self, parser: CommandParser) -> None:
        subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="SUBCOMMAND")
        for subcommand in SUBCOMMANDS:
            if subcommand.help == SUPPRESS:
                own = subparsers.add_parser(subcommand.name)
            else:
                own = subparsers.add_parser(subcommand.name, help=subcommand.help)
            self.add_json_argument(own)
            subcommand(self.stdout, self.stderr).add_arguments(own)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        return self._subcommand(options).execute(**options)

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        self._subcommand(options).describe(answer, **options)

    def _subcommand(self, options: dict[str, Any]) -> Subcommand:
        chosen = {subcommand.name: subcommand for subcommand in SUBCOMMANDS}
        return chosen[options["subcommand"]](self.stdout, self.stderr)
