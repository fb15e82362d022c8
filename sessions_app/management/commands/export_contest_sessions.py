"""``manage.py export_contest_sessions``: contest sessions as documents, one on each line."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from migrations_tools.exceptions import CarryoverError
from migrations_tools.management.base import CarryoverCommand, ExitCode
from sessions_app.models import ContestSession
from sessions_app.selectors.contest_document import contest_documents


class ExportRefused(CarryoverError):
    """Nothing was exported."""

    code = "export_refused"


class Command(CarryoverCommand):
    help = "Write contest sessions as JSON lines, each with its 19 fields in order."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--user", metavar="NAME", help="Only sessions of this user name.")
        parser.add_argument("--session", metavar="ID", help="Only the session of this id.")
        parser.add_argument("--out", type=Path, metavar="FILE", help="Default: standard output.")
        self.add_json_argument(parser)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        self.require_permission("sessions_app.view_contestresult", "export contest sessions")
        sessions = ContestSession.objects.order_by("created_at", "pk")
        if options["user"] is not None:
            sessions = sessions.filter(contest_result__username=options["user"])
        if options["session"] is not None:
            sessions = sessions.filter(session_id=options["session"])
            if not sessions.exists():
                raise ExportRefused(
                    f"There is no contest session {options['session']}.", code="unknown_session"
                )
        documents = contest_documents(sessions)
        out: Path | None = options["out"]
        if out is None and options["json"]:
            found = list(documents)
            return {"sessions": len(found), "documents": found}, ExitCode.DONE
        lines = (json.dumps(document, ensure_ascii=False) for document in documents)
        if out is None:
            return {"sessions": self._write(lines, self.stdout)}, ExitCode.DONE
        try:
            with out.open("w", encoding="utf-8", newline="\n") as file:
                number = self._write(lines, file)
        except OSError as error:
            raise ExportRefused(f"{out} cannot be written: {error}", code="bad_path") from error
        return {"sessions": number, "file": str(out)}, ExitCode.DONE

    def _write(self, lines: Iterable[str], file: Any) -> int:
        number = 0
        for line in lines:
            file.write(f"{line}\n")
            number += 1
        return number

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        """The documents are all that stands on standard output."""
        if "file" in answer:
            self.stdout.write(f"{answer['file']}: {answer['sessions']} contest sessions")
