"""``manage.py demo``: carry sample legacy systems over, and back, and over again (SPEC §1)."""

from __future__ import annotations

from argparse import ArgumentParser
from dataclasses import asdict
from io import StringIO
from typing import Any

from django.conf import settings
from rich.console import Console
from rich.table import Table

from migrations_tools.demo import all_scenarios
from migrations_tools.management.base import CarryoverCommand, ExitCode
from migrations_tools.management.datamigrate.running import positive
from migrations_tools.management.demonstration import Demonstration
from migrations_tools.models import LegacyImport
from migrations_tools.services.actors import acting_user_from_environment


class Command(CarryoverCommand):
    help = "Carry sample legacy systems over: import, plan, run, verify, roll back, run again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rows", type=positive, help="Rows of each sample file.")
        parser.add_argument(
            "--if-empty", action="store_true", help="Only where nothing was imported yet."
        )
        self.add_json_argument(parser)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        results: list[dict[str, Any]] = []
        if options["if_empty"] and LegacyImport.objects.exists():
            return {"steps": results}, ExitCode.DONE
        user = acting_user_from_environment()
        for scenario in all_scenarios():
            folder = settings.CARRYOVER_HOME / "demo"
            demonstration = Demonstration(scenario, folder, user, options["rows"])

            def announce(step: str, migration: str = scenario.migration) -> None:
                self.stderr.write(f"{migration}: {step} …")

            results += [asdict(result) for result in demonstration.perform(announce)]
        return {"steps": results}, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        if not answer["steps"]:
            return
        table = Table(title="Demonstration")
        table.add_column("migration", no_wrap=True)
        for title in ("step", "result"):
            table.add_column(title)
        for title in ("rows", "seconds", "rows/s"):
            table.add_column(title, justify="right")
        shown = ""
        for step in answer["steps"]:
            table.add_row(
                step["migration"] if step["migration"] != shown else "",
                step["step"],
                step["result"],
                f"{step['rows']:,}",
                f"{step['seconds']:.1f}",
                f"{step['rows'] / step['seconds']:,.0f}" if step["seconds"] else "",
            )
            shown = step["migration"]
        with StringIO() as text:
            Console(file=text, width=120).print(table)
            self.stdout.write(text.getvalue())
        if not options["if_empty"]:
            self.stdout.write("All steps went well. To look around: make serve")
