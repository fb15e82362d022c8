"""``manage.py import_legacy KIND FILE…`` (SPEC §3)."""

from __future__ import annotations

import time
from argparse import ArgumentParser
from pathlib import Path
from types import TracebackType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from migrations_tools.imports.service import import_legacy
from migrations_tools.management.base import CarryoverCommand, ExitCode
from migrations_tools.models import LegacyImport, QueuedImport
from migrations_tools.services.actors import acting_user_from_environment
from migrations_tools.services.queued_imports import get_queued_import, queue_imports
from migrations_tools.states import Surface

_LISTED = 10_000  # rejected lines of a file in an answer; all of them are kept in the database
_LINE_EVERY = 5.0  # seconds between two lines of progress where there is no terminal


class Command(CarryoverCommand):
    help = "Import files that an old system exported."

    def add_arguments(self, parser: ArgumentParser) -> None:
        self._usage_error = parser.error
        parser.add_argument(
            "kind", metavar="KIND", nargs="?", help="What the files are: guarantees, …"
        )
        parser.add_argument("files", metavar="FILE", nargs="*", type=Path, help="The files.")
        parser.add_argument(
            "--table", help="The table that a text file holds; otherwise its name says it."
        )
        parser.add_argument(
            "--background", action="store_true", help="Leave the import to the workers."
        )
        parser.add_argument(
            "--status", metavar="ID", help="What became of an import of --background (or “last”)."
        )
        self.add_json_argument(parser)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        if options["status"] is not None:
            if options["kind"]:
                self._usage_error("--status takes no KIND and no FILE")
            queued = get_queued_import(options["status"])
            return _queued_answer(queued), _exit_code_of(queued)
        if not options["files"]:
            self._usage_error("the following arguments are required: KIND, FILE (or --status ID)")
        if options["background"]:
            imports_queued = queue_imports(
                options["kind"],
                options["files"],
                table=options["table"],
                acting_user=acting_user_from_environment(),
                surface=Surface.COMMAND,
            )
            listed = [_queued_answer(queued) for queued in imports_queued]
            return listed[0] if len(listed) == 1 else {"files": listed}, ExitCode.DONE
        with ProgressReport() as report:
            imports = import_legacy(
                options["kind"],
                options["files"],
                table=options["table"],
                acting_user=acting_user_from_environment(),
                surface=Surface.COMMAND,
                progress=report,
            )
        answers = [_answer(legacy_import) for legacy_import in imports]
        rejected = any(legacy_import.rejected for legacy_import in imports)
        answer = answers[0] if len(answers) == 1 else {"files": answers}
        return answer, ExitCode.PROBLEMS if rejected else ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        for file in answer.get("files", [answer]):
            if "import" in file:
                self.stdout.write(f"import {file['import']} of {file['file']}: {file['state']}")
            if "error" in file:
                self.stdout.write(f"  {file['error']['message']} [{file['error']['code']}]")
            if "read" not in file:
                continue
            self.stdout.write(
                f"{file['file']}: {file['read']:,} rows read, {file['imported']:,} imported, "
                f"{file['updated']:,} updated, {file['unchanged']:,} unchanged, "
                f"{file['rejected_count']:,} rejected."
            )
            for line in file["rejected"]:
                table = f"{line['table']}, " if "table" in line else ""
                self.stdout.write(
                    f"  {table}line {line['line']}: {line['code']} – {line['detail']}"
                )
            unlisted = file["rejected_count"] - len(file["rejected"])
            if unlisted:
                self.stdout.write(f"  … and {unlisted:,} more")


def _answer(legacy_import: LegacyImport) -> dict[str, Any]:
    lines = legacy_import.rejected_lines.values("table", "line", "code", "detail")[:_LISTED]
    return {
        "kind": legacy_import.kind,
        "file": legacy_import.file_name,
        "read": legacy_import.read,
        "imported": legacy_import.imported,
        "updated": legacy_import.updated,
        "unchanged": legacy_import.unchanged,
        "rejected": list(lines),
        "rejected_count": legacy_import.rejected,
    }


def _queued_answer(queued: QueuedImport) -> dict[str, Any]:
    """Where a queued import stands, and what came of it once it is done."""
    answer: dict[str, Any] = {
        "import": queued.pk,
        "state": queued.state,
        "kind": queued.kind,
        "file": queued.file_name,
    }
    if queued.legacy_import is not None:
        answer |= _answer(queued.legacy_import)
    if queued.state == QueuedImport.State.REFUSED:
        answer["error"] = {"code": queued.code, "message": queued.error}
    return answer


def _exit_code_of(queued: QueuedImport) -> int:
    if queued.state == QueuedImport.State.REFUSED:
        return ExitCode.REFUSED
    done = queued.legacy_import
    return ExitCode.PROBLEMS if done is not None and done.rejected else ExitCode.DONE


class ProgressReport:
    """Rows, rate and time left of each table: a bar on a terminal, else a line now and then."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %  {task.fields[told]}"),
            TimeRemainingColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self._tasks: dict[str, TaskID] = {}
        self._started: dict[str, float] = {}
        self._line_at = time.monotonic() + _LINE_EVERY

    def __enter__(self) -> ProgressReport:
        self._bar.start()
        return self

    def __exit__(
        self,
        exception: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def __call__(self, table: str, rows: int, share: float) -> None:
        now = time.monotonic()
        if table not in self._tasks:
            self._started[table] = now
            self._tasks[table] = self._bar.add_task(table, total=1.0, told="")
        seconds = now - self._started[table]
        rate = f", {rows / seconds:,.0f} rows/s" if seconds else ""
        told = f"{rows:,} rows{rate}"
        self._bar.update(self._tasks[table], completed=share, told=told)
        if not self._console.is_terminal and now >= self._line_at:
            self._line_at = now + _LINE_EVERY
            self._console.print(f"{table}: {share:.0%}, {told}", highlight=False)
