"""``manage.py import_workbook FILE``: new guarantees from an Excel workbook."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from guarantees.services.imports import import_workbook, preview_workbook
from migrations_tools.management.base import CarryoverCommand, ExitCode
from migrations_tools.services.actors import acting_user_from_environment
from migrations_tools.states import Surface

_LINE_EVERY = 5.0  # seconds between two lines of progress
_SHOWN = 20  # rows that a preview writes out for a person


class Command(CarryoverCommand):
    help = "Import guarantees from an Excel workbook (.xlsx or .xls)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", type=Path, help="The workbook.")
        parser.add_argument("--sheet", metavar="NAME", help="The sheet; else the first that fits.")
        parser.add_argument(
            "--preview",
            action="store_true",
            help="Show what would come of each row; write nothing.",
        )
        parser.add_argument(
            "--confirm", action="store_true", help="Import a file that was imported before."
        )
        self.add_json_argument(parser)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        asked: dict[str, Any] = {
            "sheet": options["sheet"],
            "acting_user": acting_user_from_environment(),
            "surface": Surface.COMMAND,
            "progress": _Progress(),
        }
        if options["preview"]:
            report = preview_workbook(options["file"], **asked)
        else:
            report = import_workbook(options["file"], confirm=options["confirm"], **asked)
        code = ExitCode.PROBLEMS if report.rejected_count else ExitCode.DONE
        return report.as_json(), code

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        done = "would be imported" if options["preview"] else "imported"
        self.stdout.write(
            f"{answer['file']}, sheet “{answer['sheet']}”: {answer['read']:,} rows read, "
            f"{answer['imported']:,} {done} ({answer['ready']:,} ready, "
            f"{answer['needs_review']:,} for review), {answer['rejected_count']:,} rejected, "
            f"{answer['flagged_count']:,} flagged."
        )
        if answer["batch"] is not None:
            self.stdout.write(f"batch {answer['batch']}")
        if options["preview"] and answer["imported_before"] is not None:
            self.stdout.write(f"The same file became batch {answer['imported_before']} before.")
        for name in answer["other_sheets"]:
            self.stdout.write(f"The sheet “{name}” has guarantees too; it was not read.")
        for row in answer.get("rows", [])[:_SHOWN]:
            if "values" in row:
                self.stdout.write(f"  row {row['row']}: {row['status']} {_shown(row['values'])}")
        for row in (*answer["rejected"], *answer["flagged"]):
            for told in (*row["problems"], *row["warnings"]):
                self.stdout.write(f"  row {row['row']}: {told['message']} [{told['code']}]")


def _shown(values: dict[str, Any]) -> str:
    return (
        f"{values['number']}, {values['supplier']['written']}, {values['bank']['written']}, "
        f"{values['amount']} {values['currency']}, until {values['expiry_date']}"
    )


class _Progress:
    """A line on standard error now and then, where a person watches."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _LINE_EVERY

    def __call__(self, rows: int) -> None:
        if sys.stderr.isatty() and time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY
            sys.stderr.write(f"{rows:,} rows read\n")
