"""``manage.py schedule``: what is done by the clock."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser
from django_celery_beat.models import PeriodicTask

from migrations_tools.definitions.registry import all_definitions
from migrations_tools.management.base import CarryoverCommand, ExitCode
from migrations_tools.services.actors import acting_user_from_environment
from migrations_tools.services.schedules import (
    DEEDS,
    ScheduleRefused,
    schedule,
    schedule_told,
    schedules,
    unschedule,
)
from migrations_tools.states import Surface


class Command(CarryoverCommand):
    help = "Have delta runs, verifications and purges done by the clock, or list what is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "deed", nargs="?", choices=list(DEEDS), metavar="DEED", help="Left out: list them."
        )
        parser.add_argument(
            "name", nargs="?", metavar="NAME", help="Of a data migration, or “all”."
        )
        parser.add_argument("--at", metavar="TIMES", help="A crontab line, such as “0 2 * * *”.")
        parser.add_argument("--remove", action="store_true", help="Do it no longer.")
        self.add_json_argument(parser)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        deed = options["deed"]
        if deed is None:
            self.require_permission("migrations_tools.view_run", "see schedules")
        else:
            for name in _names(options["name"]):
                self._change(deed, name, options)
        return {"schedules": [_told(task) for task in schedules()]}, ExitCode.DONE

    def _change(self, deed: str, name: str | None, options: dict[str, Any]) -> None:
        by: dict[str, Any] = {
            "acting_user": acting_user_from_environment(),
            "surface": Surface.COMMAND,
        }
        if options["remove"]:
            unschedule(deed, name, **by)
        elif options["at"]:
            schedule(deed, name, at=options["at"], **by)
        else:
            raise ScheduleRefused("Say when, such as --at “0 2 * * *”, or --remove.")

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        for found in answer["schedules"]:
            self.stdout.write(f"{found['name']}: {found['at']}")
        if not answer["schedules"]:
            self.stdout.write("Nothing is scheduled.")


def _names(name: str | None) -> list[str | None]:
    return [found.name for found in all_definitions()] if name == "all" else [name]


def _told(task: PeriodicTask) -> dict[str, Any]:
    told = schedule_told(task)
    told["at"] = f"{told['at']} ({told['time_zone']})"
    return {name: told[name] for name in ("name", "at", "enabled", "last_run_at")}
