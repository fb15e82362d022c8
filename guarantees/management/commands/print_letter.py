"""``manage.py print_letter``: letters of issued actions in one document."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from guarantees.action_errors import ActionRefused
from guarantees.letters import LANGUAGES, render_letters
from migrations_tools.management.base import CarryoverCommand, ExitCode
from migrations_tools.pdf import render_pdf


class Command(CarryoverCommand):
    help = "Write the letters of extensions and releases to a file, a page each."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "actions", nargs="+", type=int, metavar="ACTION", help="Ids of issued actions."
        )
        parser.add_argument(
            "--language", choices=list(LANGUAGES), default="ar", help="Arabic, if left out."
        )
        parser.add_argument("--pdf", action="store_true", help="PDF instead of HTML.")
        parser.add_argument("--out", required=True, type=Path, metavar="FILE", help="Where to.")
        self.add_json_argument(parser)

    def execute_action(self, **options: Any) -> tuple[dict[str, Any], int]:
        self.require_permission("guarantees.view_guaranteeaction", "print letters")
        html = render_letters(options["actions"], language=options["language"])
        content = render_pdf(html) if options["pdf"] else html.encode()
        file: Path = options["out"]
        try:
            file.write_bytes(content)
        except OSError as error:
            raise ActionRefused(
                f"{file} cannot be written: {error.strerror}.", code="file_not_written"
            ) from error
        letters = len(set(options["actions"]))
        return {"file": str(file), "letters": letters, "bytes": len(content)}, ExitCode.DONE

    def describe(self, answer: dict[str, Any], **options: Any) -> None:
        self.stdout.write(f"{answer['letters']} letters in {answer['file']}")
