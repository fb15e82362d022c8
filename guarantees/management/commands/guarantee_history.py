"""``manage.py guarantee_history``: everything that happened to a number."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from guarantees.selectors.history import history_of_number
from migrations_tools.management.base import CarryoverCommand, ExitCode


class Command(CarryoverCommand):
    help = "Tell what happened to the guarantees of a number, the newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("number", metavar="NUMBER", help="The guarantee's number.")
        self.add_json_argument(parser)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        self.require_permission("guarantees.view_guarantee", "see the history of guarantees")
        entries = history_of_number(options["number"])
        return {"number": options["number"], "entries": entries}, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        for entry in answer["entries"]:
            by = f", by {entry['by']}" if entry["by"] else ""
            reason = f": {entry['reason']}" if entry["reason"] else ""
            self.stdout.write(
                f"{entry['at'][:16]}  {entry['title']} ({entry['source']}{by}){reason}"
            )
            for name, (old, new) in entry["differences"].items():
                self.stdout.write(f"  {name}: {old} → {new}")
