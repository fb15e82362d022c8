"""List definitions, show runs, tell the health of the migrations."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.db import connection

from migrations_tools.definitions.registry import all_definitions
from migrations_tools.management.base import ExitCode
from migrations_tools.management.datamigrate.base import Answer, Subcommand, describe_run
from migrations_tools.models import Run
from migrations_tools.selectors.health import health
from migrations_tools.selectors.summary import summarise
from migrations_tools.services import runs
from migrations_tools.states import RunKind

MOST_RUNS = 20


class List(Subcommand):
    name = "list"
    help = "List the data migrations with their last run."

    def execute(self, **options: Any) -> Answer:
        found = []
        for definition in all_definitions():
            last = (
                Run.objects.filter(definition=definition.name)
                .exclude(kind__in=[RunKind.PLAN, RunKind.DRY_RUN])
                .order_by("-created_at")
                .first()
            )
            found.append(
                {
                    "migration": definition.name,
                    "title": definition.title(),
                    "description": definition.description(),
                    "version": definition.version,
                    "depends_on": list(definition.depends_on),
                    "cutover_key": definition.cutover_key,
                    "last_run": None if last is None else str(last.pk),
                    "kind": last and last.kind,
                    "state": last and last.state,
                    "verification": last and last.verification_state,
                }
            )
        return {"migrations": found}, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        for item in answer["migrations"]:
            state = (
                f"{item['kind']} {item['state']} ({item['last_run']})" if item["last_run"] else ""
            )
            self.stdout.write(f"{item['migration']:32} {state or 'never run'}")
            self.stdout.write(f"    {item['description'].splitlines()[0]}")


class Status(Subcommand):
    name = "status"
    help = "Show a run, or the newest runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("run", metavar="RUN", nargs="?")

    def execute(self, **options: Any) -> Answer:
        if options["run"]:
            return summarise(runs.get_run(options["run"])), ExitCode.DONE
        newest = Run.objects.order_by("-created_at", "-id")[:MOST_RUNS]
        return {"runs": [summarise(run, problems=False) for run in newest]}, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        if "runs" not in answer:
            describe_run(self.stdout, answer)
            return
        if not answer["runs"]:
            self.stdout.write("No run yet: “datamigrate list” shows what can be run.")
        for run in answer["runs"]:
            self.stdout.write(
                f"{run['run']}  {run['kind']:8} {run['state']:22} {run['migration']}  "
                f"{run['total']} keys"
            )


class Health(Subcommand):
    name = "health"
    help = "Tell whether database and migrations are well."

    def execute(self, **options: Any) -> Answer:
        connection.ensure_connection()
        answer = health()
        return answer, ExitCode.DONE if answer["ok"] else ExitCode.REFUSED

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        self.stdout.write("well" if answer["ok"] else "not well")
        for name, value in answer["signals"].items():
            self.stdout.write(f"  {name}: {'not watched' if value is None else value}")
        for name, figures in answer["migrations"].items():
            listed = ", ".join(f"{key} {value}" for key, value in figures.items())
            self.stdout.write(f"  {name}: {listed}")
